"""Notes of other tools, on real repositories: read where they lie, and never what decides alone."""

import json
from collections.abc import Iterable

import pytest
from support_repository import Bare

from foureyes.github_app import notes
from foureyes.github_app.mirror import GitError, Mirror, Trouble

GIT_AI, TRACE = "refs/notes/ai", "refs/notes/agent-trace"


def git_ai(*tools: str) -> str:
    sessions = {f"s_{n:014}": {"agent_id": {"tool": tool, "id": "x"}} for n, tool in enumerate(tools)}
    lines = "".join(f"  {session}::t_1 1-2\n" for session in sessions)
    return f"a\n{lines}---\n{json.dumps({'schema_version': 'authorship/3.0.0', 'sessions': sessions})}"


def trace(tool: str) -> str:
    conversation = {"contributor": {"type": "ai"}, "ranges": [{"start_line": 1, "end_line": 2}]}
    files = [{"path": "a", "conversations": [conversation]}]
    return json.dumps({"version": "0.1.0", "tool": {"name": tool}, "files": files})


def read(mirror: Mirror, *commits: str) -> notes.Noted:
    mirror.fetch(notes.REFSPECS)
    return notes.read(mirror, commits)


def test_both_kinds_are_read_and_commits_that_nobody_asked_for_are_not(bare: Bare, mirror: Mirror) -> None:
    one, two, three = (bare.commit({"a": text}) for text in "123")
    assert read(mirror, one, two) == {}
    filed = {one: git_ai("cursor", "claude"), f"{two[:2]}/{two[2:]}": git_ai(), three: git_ai("amp")}
    bare.ref(GIT_AI, bare.commit(filed))
    bare.ref(TRACE, bare.commit({one: trace("jules"), two: trace("devin")}))
    assert read(mirror, one, two) == {one: ("claude", "cursor", "jules"), two: ("devin",)}
    assert read(mirror) == {}


def test_what_is_no_tree_of_notes_says_nothing(bare: Bare, mirror: Mirror) -> None:
    commit = bare.commit({"a": "1"})
    for odd in (bare.blob("x"), commit, bare.commit({commit: ("160000", commit)})):
        bare.ref(GIT_AI, odd)
        assert read(mirror, commit) == {}
    bare.git("update-ref", "-d", GIT_AI)
    assert read(mirror, commit) == {}


def test_notes_that_are_not_here_are_not_taken_for_none(
    bare: Bare, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = bare.commit({"a": "1"})
    bare.ref(GIT_AI, bare.commit({f"{commit[:2]}/{commit[2:]}": git_ai("amp")}))
    assert read(mirror, commit) == {commit: ("amp",)}
    lost = bare.git("rev-parse", f"{GIT_AI}:{commit[:2]}")
    objects = Mirror.objects

    def damaged(self: Mirror, oids: Iterable[str], kind: str, cap: int) -> dict[str, bytes]:
        return objects(self, ["0" * 40 if oid == lost else oid for oid in oids], kind, cap)

    with monkeypatch.context() as patched:
        patched.setattr(Mirror, "objects", damaged)
        with pytest.raises(GitError) as error:
            notes.read(mirror, [commit])
        assert error.value.trouble is Trouble.SUSPECT
    monkeypatch.setattr(Mirror, "refs", lambda _self, _below: {"ai": "0" * 40})
    with pytest.raises(GitError) as error:
        notes.read(mirror, [commit])
    assert error.value.trouble is Trouble.SUSPECT


@pytest.mark.parametrize("ref", [GIT_AI, TRACE])
def test_a_note_of_a_form_that_is_not_known_may_name_anybody(bare: Bare, mirror: Mirror, ref: str) -> None:
    newer = git_ai("amp").replace("authorship/3", "authorship/4"), trace("amp").replace("0.1.0", "two")
    one, two, three = (bare.commit({"a": text}) for text in "123")
    bare.ref(
        ref,
        bare.commit({one: newer[ref == TRACE], two: "{", three: trace("") if ref == GIT_AI else git_ai()}),
    )
    assert read(mirror, one, two, three) == dict.fromkeys((one, two, three), (notes.UNREAD,))


def test_a_note_too_large_to_be_read_may_name_anybody(
    bare: Bare, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two, three = (bare.commit({"a": text}) for text in "123")
    bare.ref(GIT_AI, bare.commit({one: git_ai("amp"), two: git_ai(*["amp"] * 20)}))
    monkeypatch.setattr(notes, "_LONGEST_NOTE", 1_000)
    assert read(mirror, one, two, three) == {one: ("amp",), two: (notes.UNREAD,)}
    monkeypatch.setattr(notes, "_MOST_BYTES", 1_000)
    assert read(mirror, one, two, three) == {one: (notes.UNREAD,), two: (notes.UNREAD,)}
    monkeypatch.setattr(notes, "_MOST_TREES", 50)
    assert read(mirror, one, three) == {one: (notes.UNREAD,), three: (notes.UNREAD,)}


def test_names_are_few_and_short(bare: Bare, mirror: Mirror) -> None:
    commit = bare.commit({"a": "1"})
    bare.ref(GIT_AI, bare.commit({commit: git_ai(*(f"{n:03}{'x' * 200}" for n in range(100)))}))
    named = read(mirror, commit)[commit]
    assert (len(named), {len(name) for name in named}) == (20, {100})

"""What is known of a commit survives when it is made again: amended, rebased, picked, squashed, reverted, stashed.

Every line is a text of its own that begins with who wrote it, so the right answer is known without us.
"""

from pathlib import Path

import pytest
from support_agent import CLAUDE_ENV, Agent
from support_built import OLGA, record
from support_git import HOOKS_OFF, commit, git, head, make_repo, run, write
from support_hooked import copy_hooked, install, make_remote, push, records

from foureyes.hooks import renamed
from foureyes.hooks.build import Builder
from foureyes.hooks.evidence import Evidence
from foureyes.hooks.repo import Repo
from foureyes.hooks.store import keep_records, read_records
from foureyes.shared.record import record_bytes

BEN = Builder("ben@example.com", "ben", "github.com/acme/shop", ())
RAJ = Builder("raj@example.com", "raj", "github.com/acme/shop", ())


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return copy_hooked(tmp_path / "repo")


def keep(repo: Path, *names: str, forget: bool = True) -> None:
    """What a push does: records are kept, and by and by the evidence is collected."""
    found = {head(repo, name): record_bytes(record(repo, name)) for name in names or ("HEAD",)}
    keep_records(Repo.open(repo), found, at=1)
    if forget:
        forget_evidence(repo)


def forget_evidence(repo: Path) -> None:
    folder = Repo.open(repo).home / "evidence"
    for file in folder.rglob("*"):
        if file.is_file():
            file.unlink()
    assert Evidence(Repo.open(repo).home).events() == ()


def forget_hints(repo: Path) -> None:
    """As under a hook manager that gives post-rewrite no input."""
    for file in (Repo.open(repo).home / "journal").iterdir():
        kept = [line for line in file.read_text().splitlines(True) if "\tpost-rewrite\t" not in line]
        file.write_text("".join(kept))


def by_agents(repo: Path, name: str = "HEAD", side: str = "added", builder: Builder = OLGA) -> list[str]:
    """Texts of the lines that the record calls an agent's, in order; each changed line is in exactly one range."""
    found = record(repo, name, builder)
    told = {"ai": [], "human": [], "unknown": []}
    for change in found.files:
        blob = change.new_blob if side == "added" else change.old_blob
        if not blob.strip("0"):
            continue
        texts = git(repo, "cat-file", "blob", blob).split("\n")
        numbers = []
        for part in found.contributors:
            if (part.path, part.side) == (change.path, side) and part.count:
                numbers += range(part.start, part.start + part.count)
                told[part.cls] += texts[part.start - 1 : part.start - 1 + part.count]
        assert len(numbers) == len(set(numbers)) == (change.added if side == "added" else change.deleted)
    return told["ai"]


def text(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)


def base(repo: Path) -> None:
    commit(repo, {"f": text(*(f"human base {n}" for n in range(9)))}, "base, by hand")


def ai_and_human(repo: Path, message: str = "both") -> str:
    """Two lines by an agent and one by a person in `f`, one of each in `g`; committed by the person."""
    lines = [f"human base {n}" for n in range(9)]
    lines[4:4] = ["ai middle 1", "ai middle 2"]
    Agent(repo).write("f", text(*lines))
    write(repo, {"f": text(*lines, "human last")})
    Agent(repo).write("g", text("ai in g"))
    return commit(repo, {"g": text("ai in g", "human in g")}, message)


BOTH = ["ai middle 1", "ai middle 2", "ai in g"]
HINTS = pytest.mark.parametrize("hints", [True, False], ids=["with post-rewrite", "without"])
SOURCES = pytest.mark.parametrize("kept", [True, False], ids=["from the record", "from the evidence"])


@SOURCES
def test_p9_an_amend_that_adds_lines_shifts_the_others_exactly(repo: Path, kept: bool):
    base(repo)
    ai_and_human(repo)
    if kept:
        keep(repo)
    lines = (repo / "f").read_text().splitlines()
    changed = ["ai top", *lines[:6], "ai between", *lines[6:], "ai bottom"]
    Agent(repo, session="later").write("f", text(*changed))
    git(repo, "commit", "-qa", "--amend", "--no-edit")
    assert by_agents(repo) == [
        "ai top",
        "ai middle 1",
        "ai middle 2",
        "ai between",
        "ai bottom",
        "ai in g",
    ] or sorted(by_agents(repo)) == sorted(["ai top", "ai between", "ai bottom", *BOTH])
    assert record(repo).cls == "ai"


@HINTS
@SOURCES
def test_p10_a_new_message_takes_the_trailer_away_and_nothing_else(repo: Path, hints: bool, kept: bool):
    commit(repo, {"f": text("ai whole file, line 1", "ai whole file, line 2")}, "by an agent", env=CLAUDE_ENV)
    if kept:
        keep(repo)
    git(repo, "commit", "-q", "--amend", "-m", "another message")
    if not hints:
        forget_hints(repo)
    assert "Provenance-Id" not in git(repo, "log", "-1", "--format=%B")
    assert record(repo).cls == "ai"
    assert [agent.id for agent in record(repo).agents] == ["claude-code"]
    assert by_agents(repo) == ["ai whole file, line 1", "ai whole file, line 2"]


@HINTS
@SOURCES
@pytest.mark.parametrize("backend", ["--merge", "--apply"])
def test_p11_p12_a_clean_rebase_keeps_each_line_and_each_commits_class(
    repo: Path, backend: str, kept: bool, hints: bool
):
    base(repo)
    git(repo, "checkout", "-q", "-b", "work")
    ai_and_human(repo)
    commit(repo, {"f": (repo / "f").read_text() + "human afterwards\n"}, "by hand")
    commit(repo, {"h": text("ai by its own commit")}, "agent's own", env=CLAUDE_ENV)
    assert [record(repo, name).cls for name in ("HEAD~2", "HEAD~", "HEAD")] == ["ai", "human", "ai"]
    if kept:
        keep(repo, "HEAD~2", "HEAD~", "HEAD")
    git(repo, "checkout", "-q", "main")
    commit(repo, {"f": text("human upstream") + (repo / "f").read_text()}, "upstream")
    git(repo, "checkout", "-q", "work")
    git(repo, "rebase", "-q", backend, "main")
    if not hints:
        forget_hints(repo)
    assert [record(repo, name).cls for name in ("HEAD~2", "HEAD~", "HEAD")] == ["ai", "human", "ai"]
    assert by_agents(repo, "HEAD~2") == BOTH
    assert by_agents(repo, "HEAD~") == []
    assert by_agents(repo) == ["ai by its own commit"]
    assert {
        part.start for part in record(repo, "HEAD~2").contributors if part.cls == "ai" and part.path == "f"
    } == {6}


def test_a_replay_of_what_nobody_saw_is_nobodys(repo: Path):
    base(repo)
    git(repo, "checkout", "-q", "-b", "work")
    write(repo, {"f": text("unseen line"), "g": "unseen\n"})
    git(repo, "add", "-A")
    git(repo, *HOOKS_OFF, "commit", "-qm", "unseen")
    assert record(repo).cls == ""
    git(repo, "commit", "-q", "--amend", "-m", "amended by hand")
    assert record(repo).cls == ""
    forget_hints(repo)
    assert record(repo).cls == ""
    git(repo, "checkout", "-q", "main")
    commit(repo, {"other": "x\n"}, "upstream")
    for command in (("cherry-pick", "work"), ("rebase", "-q", "main", "work")):
        git(repo, *command)
        assert record(repo).cls == ""
        git(repo, "checkout", "-q", "main")
        git(repo, "reset", "-q", "--hard", "main~" if command[0] == "cherry-pick" else "main")


def rebase_onto_conflict(repo: Path, ours: str) -> None:
    """An agent's commit that rewrites line 4 is put on top of an upstream commit that rewrites it otherwise."""
    base(repo)
    git(repo, "checkout", "-q", "-b", "work")
    lines = [f"human base {n}" for n in range(9)]
    Agent(repo).write("f", text(*lines[:4], "ai rewrite of 4", *lines[5:], "ai kept at the end"))
    commit(repo, {}, "rewrite")
    git(repo, "checkout", "-q", "main")
    commit(repo, {"f": text(*lines[:4], ours, *lines[5:])}, "upstream")
    git(repo, "checkout", "-q", "work")
    assert run(["git", "rebase", "-q", "main"], repo, ok=False).returncode != 0


@pytest.mark.parametrize(
    ("resolution", "hand", "expected"),
    [
        (["human upstream 4"], "person", []),
        (["ai rewrite of 4"], "person", ["ai rewrite of 4"]),
        (["human upstream 4", "ai rewrite of 4"], "person", ["ai rewrite of 4"]),
        (["ai rewrite of 4", "human upstream 4"], "person", ["ai rewrite of 4"]),
        (["human third way"], "person", []),
        (["ai third way"], "agent", ["ai third way"]),
        (["written in an unseen place"], "nobody", []),
        ([], "person", []),
    ],
    ids=["ours", "theirs", "both", "both, turned", "by a person", "by an agent", "unobserved", "delete both"],
)
@SOURCES
def test_p13_kept_lines_keep_their_class_and_rewritten_ones_take_the_resolvers(
    repo: Path, resolution: list[str], hand: str, expected: list[str], kept: bool
):
    rebase_onto_conflict(repo, "human upstream 4")
    if kept:
        keep(repo, "work")
    lines = [f"human base {n}" for n in range(9)]
    resolved = text(*lines[:4], *resolution, *lines[5:], "ai kept at the end")
    if hand == "agent":
        Agent(repo, session="resolver").write("f", resolved)
    else:
        write(repo, {"f": resolved})
    git(repo, "add", "f")
    quiet = HOOKS_OFF if hand == "nobody" else ()
    git(repo, *quiet, "rebase", "--continue", env={"GIT_EDITOR": "true"})
    assert by_agents(repo) == [*expected, "ai kept at the end"]
    assert record(repo).cls == "ai"
    unclear = {p.cls for p in record(repo).contributors if p.side == "added" and p.cls != "ai"}
    assert unclear <= {"unknown"}


def test_p14_an_aborted_rebase_writes_nothing(repo: Path):
    rebase_onto_conflict(repo, "human upstream 4")
    keep(repo, "work", forget=False)
    before = git(repo, "for-each-ref", "refs/notes", "refs/foureyes"), record_bytes(record(repo, "work"))
    git(repo, "rebase", "--abort")
    after = git(repo, "for-each-ref", "refs/notes", "refs/foureyes"), record_bytes(record(repo, "work"))
    assert before == after
    assert record(repo, "work").lineage == ()


@HINTS
@pytest.mark.parametrize(
    "options",
    [
        ("--root",),
        ("--exec", "true"),
        ("--rebase-merges",),
        ("--keep-empty",),
        ("--no-ff",),
        ("--autostash",),
    ],
    ids=lambda options: options[0],
)
def test_p15_kinds_of_rebase(repo: Path, options: tuple[str, ...], hints: bool):
    base(repo)
    git(repo, "checkout", "-q", "-b", "work")
    ai_and_human(repo)
    git(repo, "commit", "-q", "--allow-empty", "-m", "empty")
    keep(repo, "HEAD~")
    git(repo, "checkout", "-q", "main")
    commit(repo, {"other": "x\n"}, "upstream")
    git(repo, "checkout", "-q", "--detach", "work")
    if "--autostash" in options:
        write(repo, {"f": (repo / "f").read_text() + "human, not committed\n"})
    git(repo, "rebase", "-q", *options, *(("--onto", "main") if "--root" in options else ("main",)))
    if not hints:
        forget_hints(repo)
    (made,) = git(repo, "log", "--format=%H", "--grep=^both$").split()
    assert made != head(repo, "work~")
    assert by_agents(repo, made) == BOTH
    assert record(repo, made).cls == "ai"


def interactive(repo: Path, script: str, upstream: str, *options: str) -> None:
    """`git rebase -i` with a todo list that sed edits."""
    env = {"GIT_SEQUENCE_EDITOR": f"sed -i {script}", "GIT_EDITOR": "true"}
    git(repo, "rebase", "-q", "-i", *options, upstream, env=env)


@HINTS
@SOURCES
@pytest.mark.parametrize("verb", ["squash", "fixup"])
def test_squash_and_fixup_hold_both_commits_lines(repo: Path, verb: str, kept: bool, hints: bool):
    base(repo)
    ai_and_human(repo)
    commit(repo, {"h": text("ai in the second commit", "ai in it too")}, "second", env=CLAUDE_ENV)
    commit(repo, {"i": "human third\n"}, "third")
    if kept:
        keep(repo, "HEAD~2", "HEAD~", "HEAD")
    interactive(repo, f"'2,3s/^pick/{verb}/'", "HEAD~3")
    if not hints:
        forget_hints(repo)
    assert by_agents(repo) == [*BOTH, "ai in the second commit", "ai in it too"]
    assert record(repo).cls == "ai"


@HINTS
def test_reorder_split_and_autosquash(repo: Path, hints: bool):
    base(repo)
    ai_and_human(repo)
    commit(repo, {"h": text("ai in the second commit", "ai in it too")}, "second", env=CLAUDE_ENV)
    commit(repo, {"h": text("ai in the second commit", "ai in it too", "human fix of it")}, "fixup! second")
    keep(repo, "HEAD~2", "HEAD~", "HEAD")
    interactive(repo, "'1{h;d};3{G}'", "HEAD~3", "--autosquash")
    assert git(repo, "log", "--format=%s").splitlines()[:2] == ["both", "second"]
    if not hints:
        forget_hints(repo)
    assert by_agents(repo) == BOTH
    assert by_agents(repo, "HEAD~") == ["ai in the second commit", "ai in it too"]
    git(repo, "reset", "-q", "HEAD~")
    git(repo, "add", "f")
    git(repo, "commit", "-qm", "first half")
    git(repo, "add", "g")
    git(repo, "commit", "-qm", "other half")
    assert by_agents(repo, "HEAD~") == ["ai middle 1", "ai middle 2"]
    assert record(repo, "HEAD~").cls == "ai"


def test_a_rebase_that_makes_the_very_same_commit_again_takes_nothing_away(repo: Path):
    base(repo)
    when = {"GIT_AUTHOR_DATE": "@1700000000 +0000", "GIT_COMMITTER_DATE": "@1700000000 +0000"}
    made = commit(repo, {"h": text("human second")}, "second", env=when)
    git(repo, "rebase", "-q", "--no-ff", "HEAD~", env=when)
    assert head(repo) == made
    assert "rebase" in (Repo.open(repo).home / "journal" / "main").read_text()
    assert record(repo).cls == "human"
    assert record(repo).lineage == ()


def test_pull_with_rebase(repo: Path, tmp_path: Path):
    base(repo)
    remote = make_remote(repo, tmp_path / "remote.git")
    git(tmp_path, "clone", "-q", str(remote), str(tmp_path / "other"))
    commit(tmp_path / "other", {"upstream": "x\n"}, "upstream")
    git(tmp_path / "other", "push", "-q", "origin", "main")
    ai_and_human(repo)
    keep(repo)
    before = head(repo)
    git(repo, "pull", "-q", "--rebase", "origin", "main")
    assert head(repo) != before
    assert by_agents(repo) == BOTH


@SOURCES
def test_p16_a_pick_carries_the_lines_and_claims_no_other(repo: Path, kept: bool):
    base(repo)
    git(repo, "checkout", "-q", "-b", "work")
    picked = [ai_and_human(repo), commit(repo, {"h": text("ai of its own")}, "own", env=CLAUDE_ENV)]
    if kept:
        keep(repo, *picked)
    git(repo, "checkout", "-q", "main")
    commit(repo, {"h2": text("human on main"), "f": text("human top") + (repo / "f").read_text()}, "main")
    git(repo, "cherry-pick", *picked)
    assert by_agents(repo, "HEAD~") == BOTH
    assert by_agents(repo) == ["ai of its own"]
    assert [record(repo, name).cls for name in ("HEAD~", "HEAD")] == ["ai", "ai"]
    assert record(repo, "HEAD~2").cls == "human"
    git(repo, "reset", "-q", "--hard", "HEAD~2")
    git(repo, "cherry-pick", "-n", *picked)
    commit(repo, {"own": "human beside it\n"}, "picked without a commit")
    assert by_agents(repo) == [*BOTH, "ai of its own"]


def test_what_an_agent_left_on_another_branch_is_told_apart_by_the_hooks_clock(repo: Path):
    """Git's may be behind it, by a second or by what somebody says."""
    base(repo)
    git(repo, "checkout", "-q", "-b", "work")
    lines = [f"human base {n}" for n in range(9)]
    Agent(repo).write("f", text(*lines[:4], "ai rewrite of 4", *lines[5:]))
    commit(repo, {}, "rewrite")
    git(repo, "checkout", "-q", "main")
    earlier = {"GIT_COMMITTER_DATE": "2001-01-01T00:00:00Z"}
    commit(repo, {"f": text(*lines[:4], "human rewrite of 4", *lines[5:])}, "main", env=earlier)
    assert record(repo).cls == "human"


@SOURCES
def test_p16_a_pick_with_a_conflict_skipped_or_aborted(repo: Path, kept: bool):
    base(repo)
    git(repo, "checkout", "-q", "-b", "work")
    lines = [f"human base {n}" for n in range(9)]
    Agent(repo).write("f", text(*lines[:4], "ai rewrite of 4", *lines[5:], "ai kept at the end"))
    picked = commit(repo, {}, "rewrite")
    if kept:
        keep(repo)
    git(repo, "checkout", "-q", "main")
    target = commit(repo, {"f": text(*lines[:4], "human rewrite of 4", *lines[5:])}, "main")
    for option in ("--skip", "--abort"):
        assert run(["git", "cherry-pick", picked], repo, ok=False).returncode != 0
        git(repo, "cherry-pick", option)
        assert head(repo) == target
        assert record(repo).cls == "human"
    assert run(["git", "cherry-pick", picked], repo, ok=False).returncode != 0
    write(
        repo,
        {
            "f": text(
                *lines[:4], "human rewrite of 4", "human, while solving", *lines[5:], "ai kept at the end"
            )
        },
    )
    git(repo, "add", "f")
    git(repo, "cherry-pick", "--continue", env={"GIT_EDITOR": "true"})
    assert by_agents(repo) == ["ai kept at the end"]


@SOURCES
def test_p17_what_a_revert_restores_is_again_whose_it_was(repo: Path, kept: bool):
    base(repo)
    ai_and_human(repo)
    if kept:
        keep(repo)
    lines = [line for line in (repo / "f").read_text().splitlines() if not line.startswith("ai")]
    commit(repo, {"f": text(*lines[:3]), "g": None}, "by hand: away with it")
    assert by_agents(repo) == []
    git(repo, "revert", "--no-edit", "HEAD")
    assert by_agents(repo) == BOTH
    assert record(repo).cls == "ai"
    git(repo, "revert", "--no-edit", "HEAD")
    assert by_agents(repo) == []


def test_p18_a_merge_is_only_as_much_an_agents_as_its_resolution(repo: Path):
    base(repo)
    lines = [f"human base {n}" for n in range(9)]
    git(repo, "checkout", "-q", "-b", "side")
    Agent(repo).write("f", text(*lines[:4], "ai on the side", *lines[5:], "ai more of it"))
    commit(repo, {"s": text("human beside")}, "side")
    git(repo, "checkout", "-q", "main")
    commit(repo, {"f": text(*lines[:4], "human on main", *lines[5:])}, "main")
    assert run(["git", "merge", "-q", "side"], repo, ok=False).returncode != 0
    Agent(repo, session="resolver").write("f", text(*lines[:4], "ai resolution", *lines[5:], "ai more of it"))
    git(repo, "add", "f")
    git(repo, "commit", "-q", "--no-edit")
    assert by_agents(repo) == ["ai resolution"]
    (agent,) = record(repo).agents
    assert agent.session == record(repo).contributors[0].session or agent.session
    assert record(repo).cls == "ai"


def test_p18_a_clean_merge_of_an_agents_branch_is_the_merging_persons(repo: Path):
    base(repo)
    git(repo, "checkout", "-q", "-b", "side")
    ai_and_human(repo)
    git(repo, "checkout", "-q", "main")
    commit(repo, {"m": "m\n"}, "main")
    git(repo, "merge", "-q", "--no-edit", "side")
    assert by_agents(repo) == []
    assert record(repo).agents == ()
    assert record(repo).cls == "human"
    assert {part.cls for part in record(repo).contributors} == {"unknown"}


@SOURCES
@pytest.mark.parametrize("mode", ["--soft", "--mixed"])
def test_p19_reset_and_recommit_over_several_commits(repo: Path, mode: str, kept: bool):
    base(repo)
    ai_and_human(repo)
    commit(repo, {"h": text("ai of its own commit", "ai of it too")}, "own", env=CLAUDE_ENV)
    if kept:
        keep(repo, "HEAD~", "HEAD")
    git(repo, "reset", "-q", mode, "HEAD~2")
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "all at once", "--", "f", "h")
    assert by_agents(repo) == ["ai middle 1", "ai middle 2", "ai of its own commit", "ai of it too"]
    assert record(repo).cls == "ai"
    git(repo, "commit", "-qm", "the rest")
    assert by_agents(repo) == ["ai in g"]


@SOURCES
def test_merge_squash_holds_what_the_branch_held(repo: Path, kept: bool):
    base(repo)
    git(repo, "checkout", "-q", "-b", "side")
    ai_and_human(repo)
    commit(repo, {"h": text("x", "}", "ai")}, "own", env=CLAUDE_ENV)
    if kept:
        keep(repo, "HEAD~", "HEAD")
    git(repo, "checkout", "-q", "main")
    commit(repo, {"f": text("human upstream") + (repo / "f").read_text()}, "upstream")
    git(repo, "merge", "-q", "--squash", "side")
    git(repo, "commit", "-q", "--no-edit")
    assert by_agents(repo) == [*BOTH, "x", "}", "ai"]
    assert record(repo).cls == "ai"


@pytest.mark.parametrize("place", ["same base", "other branch", "conflict", "pathspec", "repeated"])
def test_p20_a_stash_loses_nothing_and_doubles_nothing(repo: Path, place: str):
    base(repo)
    lines = [f"human base {n}" for n in range(9)]
    Agent(repo).write("f", text(*lines[:4], "ai stashed 1", *lines[4:], "ai stashed 2"))
    Agent(repo).write("g", "ai in g\n")
    git(repo, "stash", "push", "-q", "--include-untracked", *(("--", "f") if place == "pathspec" else ()))
    if place == "other branch":
        git(repo, "checkout", "-q", "-b", "other")
        commit(repo, {"f": text("human top", *lines)}, "other base")
    if place == "conflict":
        commit(repo, {"f": text(*lines[:4], "human in the way", *lines[4:])}, "in the way")
        run(["git", "stash", "pop", "-q"], repo, ok=False)
        write(repo, {"f": text(*lines[:4], "human in the way", "ai stashed 1", *lines[4:], "ai stashed 2")})
    else:
        git(repo, "stash", "pop", "-q")
    if place == "repeated":
        git(repo, "stash", "push", "-q", "--include-untracked")
        git(repo, "stash", "pop", "-q")
    commit(repo, {}, "popped")
    assert by_agents(repo) == ["ai stashed 1", "ai stashed 2", "ai in g"]


@SOURCES
def test_p21_lines_follow_a_renamed_file(repo: Path, kept: bool):
    base(repo)
    ai_and_human(repo)
    if kept:
        keep(repo)
    git(repo, "mv", "f", "renamed")
    git(repo, "commit", "-q", "--amend", "--no-edit")
    assert [line for line in by_agents(repo) if line in BOTH] == ["ai in g", "ai middle 1", "ai middle 2"]


def landed(repo: Path, kept: bool) -> None:
    """Two lines by an agent in a person's file, and later one by another; with records, or with evidence alone."""
    base(repo)
    ai_and_human(repo)
    lines = (repo / "f").read_text().splitlines()
    Agent(repo, session="later").write("f", text(*lines, "}"))
    commit(repo, {}, "later")
    if kept:
        keep(repo, "HEAD~", "HEAD")


@SOURCES
@pytest.mark.parametrize("how", ["git mv", "retyped elsewhere", "twice", "to another folder"])
def test_p21_a_person_who_renames_what_has_landed_has_not_written_it(repo: Path, kept: bool, how: str):
    landed(repo, kept)
    if how == "twice":
        git(repo, "mv", "f", "in between")
        git(repo, "commit", "-qm", "renamed once")
    if how == "to another folder":
        commit(repo, {"other": "human\n", "d/x": "y\n"}, "by hand")
    old = "in between" if how == "twice" else "f"
    content = (repo / old).read_text()
    new = 'd/ü "q"' if how == "to another folder" else "renamed"
    commit(repo, {old: None, new: content}, "renamed by hand")
    assert by_agents(repo) == ["ai middle 1", "ai middle 2", "}"]
    made = record(repo)
    assert (made.cls, {agent.evidence for agent in made.agents}) == ("ai", {("note",)})
    assert by_agents(repo, side="removed") == [], "it is the person who took the old file away"
    assert {parent.how for parent in made.lineage} == {"rename"}
    assert made.operator.claim == "olga"


@SOURCES
def test_p21_a_rename_with_an_edit_follows_the_lines_that_stayed(repo: Path, kept: bool):
    landed(repo, kept)
    lines = (repo / "f").read_text().splitlines()
    changed = ["human first", *lines[:4], "human instead of ai", *lines[5:-3], "}", "human last"]
    commit(repo, {"f": None, "renamed": text(*changed)}, "renamed and edited by hand")
    assert by_agents(repo) == ["ai middle 2", "}"]
    human = [part for part in record(repo).contributors if (part.side, part.cls) == ("added", "human")]
    assert sum(part.count for part in human) == len(changed) - 2


def test_p21_what_nobody_saw_being_written_is_not_a_persons_by_a_rename(repo: Path):
    base(repo)
    write(repo, {"g": text("unseen line 1", "unseen line 2")})
    git(repo, "add", "-A")
    git(repo, *HOOKS_OFF, "commit", "-qm", "unseen")
    keep(repo)
    git(repo, "mv", "g", "h")
    git(repo, "commit", "-qm", "renamed by hand")
    added = [part.cls for part in record(repo).contributors if part.side == "added"]
    assert added == ["unknown"]
    git(repo, "mv", "f", "renamed")
    git(repo, "commit", "-qm", "a person's own")
    assert record(repo).cls == "human"
    assert by_agents(repo) == []


def test_p21_of_too_many_renamed_files_nothing_is_said(repo: Path, monkeypatch: pytest.MonkeyPatch):
    landed(repo, kept=True)
    monkeypatch.setattr(renamed, "MOST_BLAMED", 0)
    git(repo, "mv", "f", "renamed")
    git(repo, "commit", "-qm", "renamed by hand")
    made = record(repo)
    assert (made.cls, {part.cls for part in made.contributors if part.side == "added"}) == ("", {"unknown"})


@SOURCES
def test_am_of_ones_own_patch(repo: Path, tmp_path: Path, kept: bool):
    base(repo)
    git(repo, "checkout", "-q", "-b", "work")
    made = ai_and_human(repo)
    if kept:
        keep(repo)
    git(repo, "format-patch", "-q", "-1", "-o", str(tmp_path / "patches"), made)
    git(repo, "checkout", "-q", "main")
    commit(repo, {"other": "x\n"}, "upstream")
    git(repo, "am", "-q", *(str(path) for path in (tmp_path / "patches").iterdir()))
    assert by_agents(repo) == BOTH


def test_filter_branch_keeps_what_was_recorded(repo: Path):
    base(repo)
    ai_and_human(repo)
    commit(repo, {"h": text("ai of its own commit")}, "own", env=CLAUDE_ENV)
    keep(repo, "HEAD~", "HEAD")
    env = {"FILTER_BRANCH_SQUELCH_WARNING": "1"}
    git(repo, "filter-branch", "-f", "--msg-filter", "sed s/both/filtered/", "HEAD~2..HEAD", env=env)
    assert git(repo, "log", "-1", "--format=%s", "HEAD~") == "filtered"
    assert by_agents(repo, "HEAD~") == BOTH
    assert by_agents(repo) == ["ai of its own commit"]


@pytest.mark.parametrize("count", [1, 2])
def test_p24_a_squash_made_by_github_is_built_where_it_is_fetched(repo: Path, tmp_path: Path, count: int):
    base(repo)
    remote = make_remote(repo, tmp_path / "remote.git")
    git(repo, "checkout", "-q", "-b", "work")
    ai_and_human(repo)
    if count == 2:
        commit(repo, {"h": text("ai of its own commit, long enough")}, "own", env=CLAUDE_ENV)
    push(repo, "origin", "work")
    made = set(records(remote, "work"))
    forget_evidence(repo)
    git(tmp_path, "clone", "-q", str(remote), str(tmp_path / "github"))
    github = tmp_path / "github"
    git(github, "merge", "-q", "--squash", "origin/work")
    who = ("-c", "user.name=GitHub", "-c", "user.email=noreply@github.com")
    git(github, *who, "commit", "-qm", "Both (#1)")
    git(github, "push", "-q", "origin", "main")
    git(repo, "checkout", "-q", "main")
    git(repo, "pull", "-q", "--ff-only", "origin", "main")
    expected = [*BOTH, "ai of its own commit, long enough"][: 2 + count]
    assert by_agents(repo) == expected
    assert record(repo).cls == "ai"
    assert head(repo) not in made


def test_a_bare_bracket_is_nobodys_because_an_agent_wrote_one_elsewhere(repo: Path):
    base(repo)
    git(repo, "checkout", "-q", "-b", "side")
    when = {"GIT_AUTHOR_DATE": "2020-01-01T00:00:00Z"}
    commit(repo, {"f": (repo / "f").read_text() + text("}", "")}, "an agent's", env=CLAUDE_ENV | when)
    keep(repo)
    git(repo, "checkout", "-q", "main")
    commit(
        repo, {"f": text("human first") + (repo / "f").read_text() + text("human other", "}", "")}, "by hand"
    )
    assert by_agents(repo) == []
    assert record(repo).cls == "human"


def test_whoever_ran_the_agent_stays_named_when_others_make_the_commit_again(repo: Path):
    base(repo)
    git(repo, "checkout", "-q", "-b", "side")
    commit(repo, {"h": text("ai of its own commit")}, "an agent's", env=CLAUDE_ENV)
    keep(repo)
    git(repo, "checkout", "-q", "main")
    git(repo, "merge", "-q", "--squash", "side")
    raj = {"GIT_AUTHOR_EMAIL": "raj@example.com", "GIT_COMMITTER_EMAIL": "raj@example.com"}
    git(repo, "commit", "-qm", "squashed by raj", env=raj)
    assert by_agents(repo, builder=RAJ) == ["ai of its own commit"]
    assert record(repo, builder=RAJ).operator.claim == "olga"


@pytest.mark.parametrize("own", [False, True], ids=["of others", "with one's own"])
def test_G12_a_squash_of_several_peoples_agents_names_all_who_ran_them(repo: Path, own: bool):
    base(repo)
    git(repo, "checkout", "-q", "-b", "side")
    for builder, name in ((OLGA, "h"), (BEN, "i")):
        who = {"GIT_AUTHOR_EMAIL": builder.email, "GIT_COMMITTER_EMAIL": builder.email}
        commit(repo, {name: text(f"ai line of {builder.login}'s agent")}, "an agent's", env=CLAUDE_ENV | who)
        found = record(repo, builder=builder)
        assert (found.operator.claim, found.operators) == (builder.login, ())
        keep_records(Repo.open(repo), {head(repo): record_bytes(found)}, at=1)
    git(repo, "checkout", "-q", "main")
    git(repo, "merge", "-q", "--squash", "side")
    if own:
        Agent(repo, session="raj's").write("j", "ai line of raj's agent\n")
        git(repo, "add", "j")
    raj = {"GIT_AUTHOR_EMAIL": "raj@example.com", "GIT_COMMITTER_EMAIL": "raj@example.com"}
    git(repo, "commit", "-qm", "squashed by raj", env=raj)
    made = record(repo, builder=RAJ)
    assert made.operator.claim in {"olga", "ben"}
    assert made.operators[0] == made.operator
    assert {one.claim for one in made.operators} == ({"olga", "ben", "raj"} if own else {"olga", "ben"})
    keep_records(Repo.open(repo), {head(repo): record_bytes(made)}, at=1)
    git(repo, "commit", "-q", "--amend", "-m", "once more", env=raj)
    again = record(repo, builder=RAJ)
    assert {one.claim for one in again.operators} == {one.claim for one in made.operators}


def test_a_person_is_never_made_out_of_a_record(repo: Path):
    base(repo)
    git(repo, "checkout", "-q", "-b", "side")
    made = commit(repo, {"h": text("human of their own, and long enough")}, "by hand")
    keep(repo)
    assert read_records(Repo.open(repo), [made])
    (Repo.open(repo).home / "journal" / "main").write_text("")
    git(repo, "checkout", "-q", "main")
    commit(repo, {"other": "x\n"}, "upstream")
    git(repo, "cherry-pick", made)
    assert record(repo).cls == ""
    assert {part.cls for part in record(repo).contributors} == {"unknown"}


def test_a_repository_without_other_commits_is_no_trouble(tmp_path: Path):
    repo = make_repo(tmp_path / "plain")
    assert record(repo).cls == ""


LONG = text("a line of somebody's that is long enough", "and one more that is not written twice by chance")
EARLIER = {"GIT_AUTHOR_DATE": "@1700000000 +0000", "GIT_COMMITTER_DATE": "@1700000000 +0000"}


def aside(repo: Path, files: dict[str, str], *, seen: bool) -> str:
    """A commit on the branch `side`, made earlier by a colleague or, if `seen`, before our hooks' eyes by a person."""
    git(repo, "checkout", "-q", "-b", "side")
    write(repo, files)
    git(repo, "add", "-A")
    made = run(
        ["git", *(() if seen else HOOKS_OFF), "commit", "-qm", "aside"], repo, env={} if seen else EARLIER
    )
    assert made.returncode == 0
    return head(repo)


TAKEN_OVER = {
    "squash": ("merge -q --squash side", "commit -qm mine"),
    "pick": ("cherry-pick -n side", "commit -qm mine"),
    "path": ("checkout -q side -- f", "commit -qm mine"),
    "soft": ("checkout -q side", "reset -q --soft main", "commit -qm mine"),
}


@pytest.mark.parametrize("seen", [True, False], ids=["seen", "unseen"])
@pytest.mark.parametrize("how", TAKEN_OVER)
def test_what_nobody_saw_is_no_persons_by_being_committed_as_ones_own(repo: Path, how: str, seen: bool):
    aside(repo, {"f": LONG}, seen=seen)
    git(repo, "checkout", "-q", "main")
    for command in TAKEN_OVER[how]:
        git(repo, *command.split())
    found = record(repo)
    assert found.cls == ("human" if seen else "")
    assert {part.cls for part in found.contributors} == {"human" if seen else "unknown"}


def test_a_persons_own_commit_is_theirs_though_others_took_it_over_before(repo: Path):
    """A squash on GitHub, and then a backport of what was squashed."""
    own = aside(repo, {"f": LONG}, seen=True)
    git(repo, "checkout", "-q", "--orphan", "theirs")
    git(repo, *HOOKS_OFF, "commit", "-qm", "squashed", env={"GIT_AUTHOR_EMAIL": "colleague@example.com"})
    git(repo, "checkout", "-q", "main")
    git(repo, "cherry-pick", "-n", own)
    git(repo, "commit", "-qm", "again")
    assert record(repo).cls == "human"
    git(repo, "reset", "-q", "--hard", "HEAD~")
    git(repo, "cherry-pick", own)
    assert record(repo).cls == "human"


def test_p20_a_stash_that_stays_is_no_commit_that_nobody_saw(repo: Path):
    write(repo, {"README": LONG, "new": LONG})
    git(repo, "add", "new")
    git(repo, "stash", "-q", "-u")
    commit(repo, {"g": "in between\n"}, "between")
    git(repo, "stash", "apply", "-q")
    commit(repo, {}, "of the stash")
    assert record(repo).cls == "human"


def test_a_short_change_that_somebody_else_made_too_takes_nothing_over(repo: Path):
    aside(repo, {"VERSION": "1.2.3\n"}, seen=False)
    git(repo, "checkout", "-q", "main")
    commit(repo, {"VERSION": "1.2.3\n"}, "the same version")
    assert record(repo).cls == "human"


@HINTS
def test_an_agent_that_amends_a_persons_commit_has_written_what_it_adds(repo: Path, hints: bool):
    base(repo)
    commit(repo, {"f": text("human top", *(f"human base {n}" for n in range(9)))}, "by hand")
    write(repo, {"g": text("by the agent's own program")})
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "--amend", "-m", "better", env=CLAUDE_ENV)
    if not hints:
        forget_hints(repo)
    assert record(repo).cls == "ai"
    assert by_agents(repo) == ["by the agent's own program"]


def test_in_a_partial_clone_the_remote_is_not_asked_for_what_others_did_beside(repo: Path, tmp_path: Path):
    remote = make_remote(repo, tmp_path / "remote.git")
    aside(repo, {"f": LONG}, seen=False)
    git(repo, "push", "-q", "--no-verify", "origin", "side")
    git(remote, "config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--filter=blob:none", f"file://{remote}", str(clone))
    install(clone)
    remote.rename(tmp_path / "gone")
    commit(clone, {"f": LONG}, "mine")
    assert record(clone).cls == "human"


def test_a_ref_to_what_is_gone_hides_nothing_else(repo: Path):
    base(repo)
    ai_and_human(repo)
    keep(repo)
    (repo / ".git" / "refs" / "heads" / "gone").write_text("1" * 40 + "\n")
    git(repo, "commit", "-q", "--amend", "-m", "another message")
    forget_hints(repo)
    assert by_agents(repo) == BOTH
    git(
        repo,
        "commit",
        "-q",
        "--amend",
        "-m",
        "Provenance by id\n\nProvenance-Id: 01980a6e-6b4c-7c1e-9f5e-2f6d3c1b0a99",
    )
    assert by_agents(repo) == BOTH

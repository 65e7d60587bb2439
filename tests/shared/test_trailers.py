"""Trailers against git's own reading, and beyond it: indented, in the middle, after a squash."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support_git import commit, git, make_repo, message, run

from foureyes.shared.trailers import (
    Trailer,
    already_named,
    parse_trailers,
    provenance_ids,
    render_agent_trailers,
)

CLAUDE = "Co-Authored-By: Claude Opus <noreply@anthropic.com>"


def by_git(folder, text: str) -> list[str]:
    done = run(["git", "interpret-trailers", "--parse", "--no-divider"], folder, stdin=text.encode())
    return done.stdout.decode().splitlines()


def in_block(text: str) -> list[str]:
    """Written as git writes them: a missing space after the colon is added."""
    return [f"{t.key}: {t.value}" for t in parse_trailers(text) if t.in_block]


@pytest.mark.parametrize(
    "text",
    [
        "title\n\nSigned-off-by: A <a@x>\nAssisted-by: claude-code:opus\n",
        "title\n\nbody\n\nKey: one\n  two\n\tthree\nOther:four\n",
        "title\n\nbody\nKey: inside the body\n",
        "title\n\nprose\nmore prose\nmore\nSigned-off-by: A <a@x>\n",
        "title\n\nprose\nmore prose\nmore\nand more\nSigned-off-by: A <a@x>\n",
        "title\n\nprose\n(cherry picked from commit 1234)\n",
        "title\n\nprose\n  indented\nSigned-off-by: x\n",
        "title\n\n  indented first\nKey: x\n",
        "Key: only a title\n",
        "Key: title\nOther: title\n",
        "\nKey: after a blank line\n",
        "\n\n\ntitle\n\nKey: x\n\n\n",
        "title\n\nKey: x\n# a comment\nOther: y\n# end\n",
        "title\n\nKey: x\n# a comment\n  not continued\n",
        "title\n\nNot a key: x\n",
        "title\n\nKey : space before\n",
        "title\n\n: no key\nKey: x\n",
        "title\n\nhttps://example.com\n",
        "title\n\nKey: x\n\nlast paragraph is prose\n",
        "title\n\nKey:\n",
        "title\n\nKey: x",
        "title",
        "",
        "\n\n",
    ],
)
def test_the_block_is_the_one_that_git_sees(tmp_path, text):
    expected = by_git(tmp_path, text)
    assert [line.rstrip() for line in in_block(text) if ":" in line] == [
        line.rstrip() for line in expected if ": " in line or line.endswith(":")
    ]


_LINES = st.sampled_from(
    ["", "prose", "Key: value", "Other-Key:x", "  continued", "\tKey: indented", "Signed-off-by: A <a@x>",
     "(cherry picked from commit 12)", "Two words: x", "# comment", " ", "a:b:c"]
)  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(st.lists(_LINES, max_size=10))
def test_the_block_is_the_one_that_git_sees_whatever_the_message(tmp_path_factory, lines):
    text = "\n".join(["title", *lines, ""])
    expected = by_git(tmp_path_factory.getbasetemp(), text)
    assert [line.rstrip() for line in in_block(text)] == [
        line.rstrip() for line in expected if not line.startswith("(cherry")
    ]


def test_outside_the_block_and_indented():
    text = f"title\n\n{CLAUDE}\n\nmore prose\n\n    Assisted-by: codex:gpt\n\nKey: last\n"
    assert parse_trailers(text) == (
        Trailer("Co-Authored-By", "Claude Opus <noreply@anthropic.com>", False),
        Trailer("Assisted-by", "codex:gpt", False),
        Trailer("Key", "last", True),
    )


def test_folded_values_and_what_hides_in_them():
    assert parse_trailers("t\n\nKey: one\n  two\n  Assisted-by: x\n") == (
        Trailer("Key", "one two Assisted-by: x", True),
        Trailer("Assisted-by", "x", False),
    )


def test_indented_neighbours_are_not_folded_together():
    text = "Squashed commit\n\n    one\n    \n    Assisted-by: a:b\n    Provenance-Id: 1\n      and more\n"
    assert parse_trailers(text) == (
        Trailer("Assisted-by", "a:b", False),
        Trailer("Provenance-Id", "1 and more", False),
    )


def test_windows_line_ends():
    assert parse_trailers("t\r\n\r\nKey: x\r\nOther: y\r\n") == (
        Trailer("Key", "x", True),
        Trailer("Other", "y", True),
    )


def test_a_real_squash_keeps_every_id(tmp_path):
    """`merge --squash` indents: git parses none of them, we find all."""
    repo = make_repo(tmp_path / "repo")
    git(repo, "switch", "-qc", "work")
    for at in range(3):
        commit(repo, {f"f{at}": "x\n"}, f"part {at}\n\nAssisted-by: claude-code:opus\nProvenance-Id: id-{at}")
    git(repo, "switch", "-q", "main")
    git(repo, "merge", "--squash", "-q", "work")
    git(repo, "commit", "-q", "--no-edit")
    text = message(repo)
    assert git(repo, "log", "-1", "--format=%(trailers:key=Provenance-Id)") == ""
    assert sorted(provenance_ids(text)) == ["id-0", "id-1", "id-2"]


def test_ids_once_each_and_in_any_case():
    assert provenance_ids("t\n\nprovenance-id: b\nPROVENANCE-ID: a\nProvenance-Id: b\nProvenance-Id:\n") == (
        "b",
        "a",
    )


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (f"t\n\n{CLAUDE}\n", True),
        ("t\n\nCo-authored-by: X <NoReply@Anthropic.com>\n", True),
        ("t\n\nbody\n\n    Co-authored-by: X < noreply@anthropic.com >\n\nKey: x\n", True),
        ("t\n\nAssisted-by: claude-code:opus\n", True),
        ("t\n\nGenerated-by: Claude-Code\n", True),
        ("t\n\nSigned-off-by: X <noreply@anthropic.com>\n", False),
        ("t\n\nCo-authored-by: X <notnoreply@anthropic.com>\n", False),
        ("t\n\nCo-authored-by: X <someone@anthropic.com>\n", False),
        ("t\n\nCo-authored-by: noreply@anthropic.com\n", False),
        ("t\n\nAssisted-by: claude-code-review\n", False),
        ("t\n\nAssisted-by: codex:claude-code\n", False),
        ("claude-code was here\n", False),
        ("", False),
    ],
)
def test_already_named(text, named):
    assert already_named(text, {"noreply@anthropic.com"}, {"claude-code"}) is named


def test_rendering_by_style():
    def made(style, model="opus-5", **more):
        return render_agent_trailers(style, "claude-code", model, "id-1", **more)

    assert made("assisted-by") == ("Assisted-by: claude-code:opus-5", "Provenance-Id: id-1")
    assert made("assisted-by", model="") == ("Assisted-by: claude-code", "Provenance-Id: id-1")
    assert made("generated-by") == ("Generated-by: claude-code:opus-5", "Provenance-Id: id-1")
    assert made("none") == ("Provenance-Id: id-1",)
    assert made("co-authored-by", name="Claude", address="noreply@anthropic.com") == (
        "Co-authored-by: Claude (opus-5) <noreply@anthropic.com>",
        "Provenance-Id: id-1",
    )
    assert made("co-authored-by") == made("assisted-by")
    assert render_agent_trailers("none", "x", "", "") == ()


@pytest.mark.parametrize("style", ["assisted-by", "co-authored-by", "generated-by"])
def test_what_is_rendered_is_read_back_and_counts_as_named(tmp_path, style):
    lines = render_agent_trailers(style, "codex", "gpt", "id-1", name="Codex", address="noreply@openai.com")
    text = "\n".join(["title", "", *lines, ""])
    assert by_git(tmp_path, text) == list(lines) == in_block(text)
    assert already_named(text, {"noreply@openai.com"}, {"codex"})
    assert provenance_ids(text) == ("id-1",)


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_name_makes_a_second_trailer(agent, model):
    lines = render_agent_trailers("assisted-by", "a" + agent, model, "id")
    text = "\n".join(["title", "", *lines, ""])
    assert [t.key for t in parse_trailers(text)] == ["Assisted-by", "Provenance-Id"]


def test_a_value_of_very_many_lines_is_cut_so_that_a_message_cannot_hold_anyone_up():
    lines = [f" word{n}" for n in range(150)]
    (trailer,) = parse_trailers("\n".join(["Title", "", "Key: value", *lines]))
    assert trailer.value.split() == ["value", *(f"word{n}" for n in range(100))]

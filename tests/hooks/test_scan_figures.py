"""The figures of a scan against plain `git log` and its own --grep, on a history of 4,000 commits (20,000 with
FOUREYES_TEST_LONG); and on this project's own, or any clone that FOUREYES_TEST_CLONE names.
"""

import os
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support_git import git
from support_made_history import Made, make_history

from foureyes.hooks.scan_json import as_json
from foureyes.hooks.scan_reading import Asked, scan

COMMITS = 20_000 if os.environ.get("FOUREYES_TEST_LONG") else 4_000
# How an agent leaves its name, and how git itself finds that again: --grep, --author or --committer, extended.
FOOTPRINTS = {
    "claude-code": (b"\n\nCo-Authored-By: Claude Opus 5.5 <noreply@anthropic.com>", b"", b""),
    "cursor": (b"\n\nbody\n\n    Co-authored-by: Cursor <cursoragent@cursor.com>\n\nmore text", b"", b""),
    "crush": (b"\n\nAssisted-by: Crush:gpt-5\nSigned-off-by: Test Person <person@example.com>", b"", b""),
    "codex-cli": (b"\n\nGenerated with [Codex](https://openai.com/codex)", b"", b""),
    "devin": (
        b"",
        b"devin-ai-integration[bot] <158243242+devin-ai-integration[bot]@users.noreply.github.com>",
        b"",
    ),
    "aider": (b"", b"Olga Example (aider) <olga@example.com>", b""),
    "copilot-swe-agent": (b"", b"", b"Copilot <198982749+Copilot@users.noreply.github.com>"),
}
SEARCHES = {
    "claude-code": "--grep=^Co-Authored-By: .*<noreply@anthropic[.]com>$",
    "cursor": "--grep=^    Co-authored-by: Cursor <cursoragent@cursor[.]com>$",
    "crush": "--grep=^Assisted-by: Crush:gpt-5$",
    "codex-cli": "--grep=^Generated with [[]Codex[]]",
    "devin": "--author=<158243242[+]devin-ai-integration[[]bot[]]@users[.]noreply[.]github[.]com>",
    "aider": "--author=^Olga Example [(]aider[)] <",
    "copilot-swe-agent": "--committer=<198982749[+]Copilot@users[.]noreply[.]github[.]com>",
}
TRAPS = [
    (b"\n\nCo-authored-by: Devin Burnette <devin@example.com>", b"Claude Dioudonnat <claude@example.com>"),
    (b"\n\nAssisted-by: Jay Satiro", b"Paul Gauthier <paul@aider.chat>"),
    (b"\n\nPrint noreply@anthropic.com in the trailer of the docs", b"Jules Maselbas <jules@example.com>"),
    (b"", b"github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com>"),
]


def commits() -> Iterator[Made]:
    draw = random.Random(7)
    at = 1_500_000_000
    for number in range(COMMITS):
        at += draw.randrange(60, 9000)
        message, author, committer = b"", b"", b""
        if draw.random() < 0.3:
            message, author, committer = FOOTPRINTS[draw.choice(list(FOOTPRINTS))]
        elif draw.random() < 0.2:
            message, author = draw.choice(TRAPS)
        person = b"Test Person <person@example.com>"
        files: dict[bytes, bytes | None] = {}
        for _ in range(draw.randrange(3)):
            name = b"d%d/e%d/f%d.lock" % (draw.randrange(3), draw.randrange(3), draw.randrange(4))
            files[name] = b"".join(b"%d\n" % draw.randrange(9) for _ in range(draw.randrange(12)))
        if number == 0:
            files[b".gitattributes"] = b"*.lock -diff\n"
        merged = number > 10 and draw.random() < 0.03
        parents = (number - 1, number - 3) if merged else None
        title = b"change %d%s" % (number, message)
        yield Made(title, author or person, committer or person, files, parents=parents, at=at)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("figures") / "shop"
    make_history(path, commits())
    return path


@pytest.fixture(scope="module")
def changes(history: Path) -> dict[str, list[tuple[str, str]]]:
    """Agent -> what plain git finds of it."""
    return {agent: list(plain_changes(history, search)) for agent, search in SEARCHES.items()}


@pytest.fixture(scope="module")
def told(history: Path) -> dict:
    return as_json(scan(Asked(history, top=50)))


def plain_log(repo: Path, *arguments: str) -> Iterator[str]:
    """Lines of git's own log without merges."""
    yield from git(repo, "log", "--no-merges", "-E", *arguments).split("\n")


def plain_changes(repo: Path, *arguments: str) -> Iterator[tuple[str, str]]:
    """(commit, first letter) of each changed line. A patch with --text, for the attributes here hide files from
    --numstat; every line of these files begins with a digit or a star, and no line of a patch's head does.
    """
    oid = ""
    for line in plain_log(repo, "-p", "-U0", "--text", "--no-renames", "--format=tformat:=%H", *arguments):
        if line.startswith("="):
            oid = line[1:]
            yield oid, "="
        elif line[:1] in {"+", "-"} and line[1:2] in set("0123456789*"):
            yield oid, line[0]


def sums(changes: Iterable[tuple[str, str]]) -> dict[str, int]:
    found = Counter(letter for _, letter in changes)
    return {"commits": found["="], "added": found["+"], "deleted": found["-"]}


def by_class(told: dict) -> dict[str, dict[str, int]]:
    return {name: found for name, found in told["classes"].items() if found["commits"]}


def test_commits_and_lines_are_those_of_plain_git(history: Path, told: dict, changes: dict) -> None:
    whole = sums(plain_changes(history))
    assert told["commits"] == whole["commits"] > COMMITS * 0.95
    agents = {agent["id"]: {key: agent[key] for key in whole} for agent in told["agents"]}
    expected = {agent: sums(found) for agent, found in changes.items()}
    assert agents == expected
    # No commit here has two footprints, so the classes are sums of the agents.
    ai = {key: sum(found[key] for found in expected.values()) for key in whole}
    none = {key: whole[key] - ai[key] for key in whole}
    assert by_class(told) == {"ai (claimed)": ai, "no record": none}
    assert told["merge_commits"]["all"] == len(git(history, "log", "--merges", "--format=%H").split())


def test_months_are_those_of_plain_git(history: Path, told: dict) -> None:
    every = Counter(plain_log(history, "--format=%cd", "--date=format:%Y-%m"))
    assert {m["month"]: sum(m[k]["commits"] for k in told["classes"]) for m in told["months"]} == every
    named: Counter[str] = Counter()
    for search in SEARCHES.values():
        named.update(
            line for line in plain_log(history, "--format=%cd", "--date=format:%Y-%m", search) if line
        )
    assert {m["month"]: n for m in told["months"] if (n := m["ai (claimed)"]["commits"])} == named


def test_since_counts_what_plain_git_counts_since(history: Path) -> None:
    middle = int(git(history, "log", "-1", f"--skip={COMMITS * 45 // 100}", "--format=%ct"))
    since = datetime.fromtimestamp(middle, UTC).isoformat()
    told = as_json(scan(Asked(history, since=since)))
    assert told["commits"] == sums(plain_changes(history, f"--since={since}"))["commits"] > COMMITS * 0.4
    assert told["classes"]["ai (claimed)"]["added"] == sum(
        sums(plain_changes(history, f"--since={since}", search))["added"] for search in SEARCHES.values()
    )


def test_the_largest_deletions_are_those_of_plain_git(told: dict, changes: dict) -> None:
    found: Counter[str] = Counter()
    for lines in changes.values():
        found.update(oid for oid, letter in lines if letter == "-")
    sizes = [deletion["lines"] for deletion in told["largest_deletions"]]
    assert sizes == sorted(found.values(), reverse=True)[:50]
    assert all(found[deletion["commit"]] == deletion["lines"] for deletion in told["largest_deletions"])


def test_folders_are_those_of_plain_git(history: Path, told: dict) -> None:
    commits: Counter[str] = Counter()
    for search in SEARCHES.values():
        for block in git(history, "log", "--no-merges", "-E", search, "--name-only", "--format=%x01").split(
            "\1"
        ):
            commits.update({"/".join(name.split("/")[:2]) + "/" for name in block.split()})
    assert {place["folder"]: place["commits"] for place in told["folders"]} == commits


def test_a_real_clone_has_the_figures_of_plain_git(checkout: Path) -> None:
    clone = Path(os.environ.get("FOUREYES_TEST_CLONE", checkout))
    if not (clone / ".git").exists() and not (clone / "objects").is_dir():
        pytest.skip("this is no clone: FOUREYES_TEST_CLONE names one")
    told = as_json(scan(Asked(clone)))
    assert told["commits"] == int(git(clone, "rev-list", "--no-merges", "--count", "HEAD"))
    assert told["merge_commits"]["all"] == int(git(clone, "rev-list", "--merges", "--count", "HEAD"))
    claude = git(
        clone,
        "log",
        "--no-merges",
        "-i",
        "-E",
        "--grep=co-authored-by:.*<noreply@anthropic[.]com>",
        "--format=tformat:x",
    )
    agents = {agent["id"]: agent["known_by"].get("trailer", 0) for agent in told["agents"]}
    assert agents.get("claude-code", 0) >= len(claude.split())

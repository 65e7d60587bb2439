"""Every agent of the catalogue is found by each of its footprints in real commits, and people who look like one never.

The footprints are made from the catalogue's file itself, not through the code that reads it.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support_git import git
from support_made_history import PERSON, Made, make_history

from foureyes.hooks.scan_json import as_json
from foureyes.hooks.scan_reading import Asked, scan

CATALOGUE: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "shared" / "agents.json").read_text()
)["agents"]
# What they leave is seen while they work, never in a commit.
LEAVE_NOTHING_IN_A_COMMIT = {"claude-web", "pi"}
# A value that each trailer's and line's glob takes.
VALUES = {
    "https://claude.ai/*": "https://claude.ai/code/session_012",
    "https://github.com/*/sessions/*": "https://github.com/acme/shop/sessions/0a1b",
    "https://ampcode.com/threads/T-*": "https://ampcode.com/threads/T-0a1b",
    "?*": "0a1b2c3d",
}


def text_of(glob: str) -> str:
    return VALUES.get(glob) or glob.replace("[[]", "[").replace("*", "(https://example.com)")


def no_reply(account: dict[str, Any]) -> str:
    number = f"{account['id']}+" if account["id"] is not None else ""
    return f"{number}{account['login']}@users.noreply.github.com"


def footprints(agent: dict[str, Any]) -> Iterator[tuple[str, Made]]:
    """(where the agent stands, a commit that holds nothing else of it)."""
    addresses = [sign["email"] for sign in agent.get("addresses", [])]
    addresses += [no_reply(account) for account in agent.get("accounts", [])]
    for address in addresses:
        who = f"Some Name <{address}>".encode()
        yield "author", Made(b"change", author=who)
        yield "committer", Made(b"change", committer=who)
        yield "trailer", Made(b"change\n\nbody\n\nCo-authored-by: Some Name <%s>" % address.encode())
        # After a squash: indented, outside the trailer block, in another case.
        yield (
            "trailer",
            Made(b"squash\n\n* one\n\n    co-authored-by: X <%s>\n\nlast words" % address.upper().encode()),
        )
    for sign in agent.get("author_suffixes", []):
        yield "author", Made(b"change", author=f"Olga Example{sign['suffix']} <olga@example.com>".encode())
    for sign in agent.get("trailers", []):
        value = text_of(sign["value"]) if "value" in sign else "x"
        yield "trailer", Made(f"change\n\n{sign['key']}: {value}".encode())
    for sign in agent.get("lines", []):
        yield "body", Made(f"change\n\n🤖 {text_of(sign['line'])}\n\nmore".encode())
    for sign in agent.get("names", []):
        yield "trailer", Made(f"change\n\nAssisted-by: {sign['name']}".encode())
        yield "trailer", Made(f"change\n\nGenerated-by: {sign['name']} (gpt-5)".encode())


AGENTS = [agent for agent in CATALOGUE if agent["kind"] != "automation"]
ROBOTS = [agent for agent in CATALOGUE if agent["kind"] == "automation"]


@pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent["id"])
def test_every_agent_is_found_by_each_of_its_footprints(agent: dict[str, Any], tmp_path: Path) -> None:
    made = list(footprints(agent))
    assert bool(made) == (agent["id"] not in LEAVE_NOTHING_IN_A_COMMIT)
    make_history(tmp_path / "repo", [commit for _, commit in made] or [Made(b"first")])
    told = as_json(scan(Asked(tmp_path / "repo")))
    assert told["commits"] == told["classes"]["ai (claimed)"]["commits"] or not made
    places: dict[str, int] = {}
    for place, _ in made:
        places[place] = places.get(place, 0) + 1
    found = {one["id"]: one["known_by"] for one in told["agents"]}
    assert found == ({agent["id"]: places} if made else {})


def test_robots_that_are_no_ai_are_nobodys_agents(tmp_path: Path) -> None:
    made = [commit for agent in ROBOTS for _, commit in footprints({**agent, "names": []})]
    make_history(tmp_path / "repo", made)
    told = as_json(scan(Asked(tmp_path / "repo")))
    assert told["agents"] == []
    assert told["classes"]["no record"]["commits"] == len(made) > 20


PEOPLE = [
    b"Devin Burnette <devin.burnette@example.com>",
    b"devin-holland <12345+devin-holland@users.noreply.github.com>",
    b"Claude Dioudonnat <claude@example.com>",
    b"Claude <claude@users.noreply.github.com>",
    b"Jules Maselbas <jules@example.com>",
    b"Travis Cline <travis.cline@example.com>",
    b"Benjamin Goose <goose@example.com>",
    b"Cody De Arkland <cody@example.com>",
    b"theagenticguy <7+theagenticguy@users.noreply.github.com>",
    b"liketosweep <8+liketosweep@users.noreply.github.com>",
    b"Copilot <9+Copilot@users.noreply.github.com>",
    b"Iheanacho <iheanacho-ai@example.com>",
    b"Ash <ashwin@anthropic.com>",
    b"T <tfc@ampcode.com>",
    b"Bruno <bruno@roocode.com>",
    b"Paul Gauthier <paul@aider.chat>",
    b"Paul Gauthier <aider@paulg.org>",
    b"Michael <git@drmicha.warpmail.net>",
    b"x <noreply@anthropic.com.example.com>",
    b"x <xnoreply@anthropic.com>",
    b"aider <someone@example.com>",
    b"Olga (aiders) <olga@example.com>",
    b"github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com>",
]
MESSAGES = [
    b"Assisted-by: Daniel Stenberg",
    b"Assisted-by: Jay Satiro",
    b"Assisted-by: Claude Dioudonnat",
    b"Assisted-by: Devin",
    b"Assisted-by: Paul <paul@aider.chat>",
    b"Generated-by: protoc 3.2",
    b"Reviewed-by: Claude <noreply@anthropic.com>",
    b"Reported-by: Copilot <198982749+Copilot@users.noreply.github.com>",
    # Of repositories about agents.
    b"Teach the hook that noreply@anthropic.com is Claude Code",
    b"docs: explain what `Co-authored-by: Cursor <cursoragent@cursor.com>` means",
    b'Match "Generated with [Codex]" in messages',
    b"Add copilot-swe-agent[bot] (198982749) to the catalogue of agents",
    b"cursor: scroll to the claude session at https://claude.ai/code/session_",
]


def test_people_who_share_an_agents_name_and_talk_about_agents_are_people(tmp_path: Path) -> None:
    made = [Made(b"change", author=who) for who in PEOPLE]
    made += [Made(b"change", committer=who) for who in PEOPLE]
    made += [Made(b"change\n\nCo-authored-by: %s" % who) for who in PEOPLE]
    made += [Made(b"change\n\nbody\n\n%s\n" % line) for line in MESSAGES]
    made += [Made(line) for line in MESSAGES if b"-by: " not in line[:14]]
    make_history(tmp_path / "repo", made)
    told = as_json(scan(Asked(tmp_path / "repo")))
    assert told["agents"] == []
    assert told["classes"]["no record"]["commits"] == len(made)


@pytest.mark.parametrize(
    ("who", "agent"),
    [
        # The number of github-actions before claude's login, as claude-code-action once wrote it.
        ("claude[bot] <41898282+claude[bot]@users.noreply.github.com>", "claude-github-app"),
        ("renamed <198982749+a-new-name@users.noreply.github.com>", "copilot-swe-agent"),
        ("x <DEVIN-AI-INTEGRATION[BOT]@users.noreply.github.com>", "devin"),
    ],
)
def test_a_bot_is_known_by_its_number_or_by_its_login(who: str, agent: str, tmp_path: Path) -> None:
    made = [Made(b"one", author=who.encode()), Made(b"two\n\nCo-authored-by: %s" % who.encode())]
    make_history(tmp_path / "repo", made)
    told = as_json(scan(Asked(tmp_path / "repo")))
    assert [(one["id"], one["known_by"]) for one in told["agents"]] == [(agent, {"author": 1, "trailer": 1})]


def test_malformed_addresses_are_read_as_far_as_they_are_exact(tmp_path: Path) -> None:
    made = [
        Made(
            b"model before the address\n\nCo-authored-by: openhands <openhands-gpt-5 openhands@all-hands.dev>"
        ),
        Made(b"no end\n\nCo-authored-by: x <noreply@anthropic.com"),
        Made(b"no brackets\n\nCo-authored-by: noreply@anthropic.com"),
        Made(b"nobody\n\nCo-authored-by:"),
        Made(b"empty\n\nCo-authored-by: <>"),
        Made(b"author", author=b"<>"),
        Made(b"author", author=b"Claude <>"),
    ]
    make_history(tmp_path / "repo", made)
    told = as_json(scan(Asked(tmp_path / "repo")))
    assert [(one["id"], one["commits"]) for one in told["agents"]] == [("openhands", 1)]
    assert told["commits"] == len(made)


def test_a_commit_with_two_agents_stands_in_both_rows_and_in_its_class_once(tmp_path: Path) -> None:
    message = b"change\n\nCo-authored-by: Claude <noreply@anthropic.com>\nCo-authored-by: Cursor <cursoragent@cursor.com>"
    made = [Made(b"first"), Made(message, files={b"src/a/b.py": b"1\n2\n"}, committer=PERSON)]
    make_history(tmp_path / "repo", made)
    told = as_json(scan(Asked(tmp_path / "repo")))
    assert {one["id"]: (one["commits"], one["added"]) for one in told["agents"]} == {
        "claude-code": (1, 2),
        "cursor": (1, 2),
    }
    assert told["classes"]["ai (claimed)"] == {"commits": 1, "added": 2, "deleted": 0}
    assert git(tmp_path / "repo", "status", "--porcelain", "--ignored") == ""

"""Gate cases end to end: signed webhooks in, published check out, GitHub's merge button as the judge.

Operator is olga; raj opens the pull requests; rita and sam review; two approvals on `infra/`.
"""

import hashlib
import hmac
import json
import sqlite3
import urllib.error
import urllib.request

import pytest
from support_flow import CLAUDE, Town
from support_git import HOOKS_OFF


def infra(text: str = "changed by an agent\n") -> dict[str, str | None]:
    return {"infra/network.tf": text}


def test_G1_an_agents_change_passes_with_two_humans_who_are_not_its_operator(town):
    number = town.agent_pull(infra("G1\n"))
    town.approve(number, "rita", "sam")
    assert town.passes(number)
    assert "Claude Code" in town.settled(number)["output"]["summary"]


def test_G2_one_human_is_not_enough_and_the_merge_button_says_no(town):
    number = town.agent_pull(infra("G2\n"))
    town.approve(number, "rita")
    check = town.settled(number)
    assert (check["status"], check["conclusion"]) == ("in_progress", None)
    assert check["output"]["title"].startswith("Waiting: 1 of 2 humans. Next: ")
    assert town.who("olga").merge(number).status == 405


def test_G3_the_operators_approval_does_not_count_and_the_text_says_so(town):
    number = town.agent_pull(infra("G3\n"))
    town.approve(number, "olga", "rita")
    assert not town.passes(number)
    summary = town.settled(number)["output"]["summary"]
    assert "@olga ran Claude Code for its only commit" in summary
    assert "shown but is not one of the two" in summary


def test_G4_one_person_counts_once(town):
    number = town.agent_pull(infra("G4\n"))
    town.approve(number, "rita", "rita")
    assert not town.passes(number)
    assert "1 of 2" in town.settled(number)["output"]["title"]


def test_G5_outside_protected_paths_nobody_waits_and_a_note_says_so(town):
    number = town.agent_pull({"docs/handbook.md": "G5\n"})
    assert town.passes(number)
    assert "agent-written change; it touches no protected path" in town.settled(number)["output"]["summary"]


def test_G7_a_commit_without_a_record_costs_as_much_as_an_agents(town):
    branch = town.branch()
    town.commit(infra("G7\n"), *HOOKS_OFF, agent="")
    number = town.open(branch, "raj", "--no-verify")
    town.approve(number, "rita")
    check = town.settled(number)
    assert check["output"]["title"] == "Waiting: 1 of 2 humans. 1 commit has no record"
    town.approve(number, "sam")
    assert town.passes(number)


def test_G14_a_bots_approval_does_not_count(town):
    number = town.agent_pull(infra("G14\n"))
    made = town.who("noor").call(
        "POST",
        f"{town.stage.sandbox['control_url']}/users",
        {"login": f"bot-{number}[bot]", "type": "Bot"},
    )
    bot = made.body["login"]
    town.who("noor").call(
        "POST",
        f"{town.stage.sandbox['control_url']}/roles",
        {"repository": "acme/shop", "login": bot, "role": "write"},
    )
    token = made.body["token"]
    visitor = type(town.who("noor"))(town.stage.sandbox["api_url"], "acme/shop", bot, token)
    assert visitor.review(number).status == 200
    town.approve(number, "rita")
    assert not town.passes(number)
    assert "1 of 2" in town.settled(number)["output"]["title"]


def test_G21_new_content_voids_an_approval_and_the_same_content_does_not(town):
    number = town.agent_pull(infra("G21\n"))
    town.approve(number, "rita", "sam")
    assert town.passes(number)
    town.git("commit", "-q", "--amend", "-m", "Say it better", agent=CLAUDE)
    town.git("push", "-q", "--force", "origin", town.opened[number])
    assert town.passes(number), "the content is the same, to the byte"
    town.commit(infra("G21, other content\n"))
    town.git("push", "-q", "origin", town.opened[number])
    check = town.settled(number)
    assert check["output"]["title"].startswith("Waiting: 0 of 2 humans")
    assert "approved other content" in check["output"]["summary"]
    assert town.who("olga").merge(number).status == 405


@pytest.mark.parametrize(
    ("case", "files"),
    [
        (
            "G25",
            {
                "infra/storage.tf": None,
                "docs/storage.tf": 'resource "bucket" "orders" {\n  name = "orders"\n}\n',
            },
        ),
        ("G26", {"docs/handbook.md": None, "infra/handbook.md": "# Handbook\n\nHow we work.\n"}),
    ],
)
def test_G25_G26_renames_out_of_and_into_a_protected_folder(town, case, files):
    number = town.agent_pull(files, message=case)
    check = town.settled(number)
    assert check["conclusion"] != "success"
    assert "agent-written change to `infra/" in check["output"]["summary"]


def test_G27_a_change_of_mode_alone_is_a_change(town):
    branch = town.branch()
    (town.clone / "infra/network.tf").chmod(0o755)
    town.commit({})
    number = town.open(branch)
    check = town.settled(number)
    assert check["conclusion"] != "success"
    assert "mode 100644 → 100755" in check["output"]["text"]


def _deliver(town: Town, body: bytes, headers: dict[str, str]) -> int:
    fixed = {"Content-Type": "application/json", "X-GitHub-Event": "pull_request", "X-GitHub-Delivery": "g35"}
    request = urllib.request.Request(f"{town.address}/webhook", body, {**fixed, **headers}, method="POST")
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as refusal:
        return refusal.code


def test_G35_what_is_not_signed_with_sha256_is_refused_and_not_stored(town):
    number = town.agent_pull(infra("G35\n"))
    town.settled(number)
    secret = town.world.sandbox.app.webhook_secret.encode()
    body = json.dumps({"action": "opened", "number": number}).encode()
    sha1 = hmac.new(secret, body, hashlib.sha1).hexdigest()
    wrong = hmac.new(b"another secret", body, hashlib.sha256).hexdigest()
    right = hmac.new(secret, body + b" ", hashlib.sha256).hexdigest()
    for headers in (
        {},
        {"X-Hub-Signature": f"sha1={sha1}"},
        {"X-Hub-Signature-256": f"sha256={wrong}"},
        {"X-Hub-Signature-256": f"sha256={right}"},
        {"X-Hub-Signature-256": wrong},
        {"X-Hub-Signature-256": ""},
    ):
        assert _deliver(town, body, headers) == 401
    database = next((town.stage.folder / "app").glob("*.sqlite3"))
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as reading:
        assert reading.execute("select count(*) from delivery where guid = 'g35'").fetchone() == (0,)


def test_G67_title_and_body_change_nothing(town):
    number = town.agent_pull(infra("G67\n"))
    town.approve(number, "rita")
    before = town.settled(number)["output"]
    for title, text in (
        ("APPROVED by two humans", "approved by @rita and SRE"),
        ("x", "LGTM\n\nApproved-by: sam"),
    ):
        assert town.who("raj").call("PATCH", f"pulls/{number}", {"title": title, "body": text}).status == 200
        after = town.settled(number)["output"]
        assert (after["title"], after["summary"]) == (before["title"], before["summary"])


def test_the_files_list_of_github_changes_no_verdict(town):
    """It stops at 3,000, undercounts, and can be emptied by a crafted history: it is never asked."""
    control = f"{town.stage.sandbox['control_url']}/settings"
    assert town.who("noor").call("POST", control, {"files_list": "empty"}).status == 200
    try:
        number = town.agent_pull(infra("a wrong list\n"))
        assert town.settled(number)["output"]["title"].startswith("Waiting: 0 of 2")
    finally:
        town.who("noor").call("POST", control, {"files_list": ""})

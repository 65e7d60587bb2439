"""Gate cases about people, end to end: whose approval counts, and whose never does."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from support_gate import SHOP, Gate, running_gate

POLICY = 'version: 1\nroster: ["@acme/engineers", "@acme/reviewers"]\nprotected: ["infra/**"]\n'
ACTIONS = "github-actions[bot]"


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    with running_gate(tmp_path) as gate:
        yield gate


def infra(gate: Gate, *parents: str, text: str = "changed\n", **options: object) -> str:
    return gate.change({"infra/network.tf": text}, *parents, **options)


def policy(gate: Gate, text: str) -> None:
    gate.push("noor", "main", gate.change({".github/foureyes.yml": text}))
    gate.settle()


def title(gate: Gate, number: int) -> str:
    return gate.check(number).title or ""


def a_bot(gate: Gate, login: str, number: int) -> None:
    gate.control("POST", "users", login=login, id=number, type="Bot")
    gate.control("POST", "roles", repository=SHOP, login=login, role="write")


def test_G13_a_second_account_that_the_policy_does_not_know_does_not_count(gate: Gate) -> None:
    gate.control("POST", "users", login="olga2")
    number = gate.open("olga", "feat", infra(gate))
    gate.approve(number, "olga2", "rita")
    assert gate.verdict(number) == "in_progress"
    assert "1 of 2" in title(gate, number)


def installation_token(gate: Gate, app: dict[str, Any]) -> str:
    """As the other App gets its own."""
    now = int(time.time())
    claims = {"iat": now - 30, "exp": now + 300, "iss": str(app["id"])}
    path = f"/api/v3/app/installations/{app['installations'][0]}/access_tokens"
    signed = jwt.encode(claims, app["private_key"], algorithm="RS256")
    answer = requests.post(gate.sandbox.url + path, headers={"Authorization": f"Bearer {signed}"}, timeout=20)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


def test_G15_an_app_that_reviews_does_not_count(gate: Gate) -> None:
    app = gate.control("POST", "apps", slug="reviewer", permissions={"pull_requests": "write"})
    bot = gate.sandbox.world.user(app["bot"]["login"])
    assert bot is not None
    gate.control("POST", "roles", repository=SHOP, login=bot.login, role="write")
    gate.sandbox.world.organizations["acme"].teams["reviewers"].members.append(bot)
    number = gate.open("olga", "feat", infra(gate))
    gate.approve(number, "rita")
    answer = requests.post(
        f"{gate.sandbox.url}/api/v3/repos/{SHOP}/pulls/{number}/reviews",
        json={"event": "APPROVE"},
        headers={"Authorization": f"Bearer {installation_token(gate, app)}"},
        timeout=20,
    )
    assert answer.status_code == 200, answer.text
    gate.settle()
    assert gate.verdict(number) == "in_progress"
    assert "1 of 2" in title(gate, number)
    assert "not a person's account" in (gate.check(number).summary or "")


def test_G16_a_machine_user_with_write_access_does_not_count(gate: Gate) -> None:
    gate.control("POST", "users", login="acme-release")
    gate.control("POST", "roles", repository=SHOP, login="acme-release", role="write")
    number = gate.open("olga", "feat", infra(gate))
    gate.approve(number, "rita", "acme-release")
    assert gate.verdict(number) == "in_progress", "not in a reviewer team"
    gate.sandbox.world.organizations["acme"].teams["reviewers"].members.append(
        gate.sandbox.world.user("acme-release")  # type: ignore[arg-type]
    )
    policy(gate, POLICY + "machine_users: [acme-release]\n")
    assert gate.verdict(number) == "in_progress", "in one, and named as a machine"


def test_G18_who_left_the_organisation_does_not_count(gate: Gate) -> None:
    number = gate.open("olga", "feat", infra(gate))
    gate.approve(number, "rita", "sam")
    assert gate.verdict(number) == "success"
    acme = gate.sandbox.world.organizations["acme"]
    sam = gate.sandbox.world.user("sam")
    assert sam is not None
    acme.members.pop(sam.id)
    for team in acme.teams.values():
        team.members = [member for member in team.members if member is not sam]
    gate.wake(number)
    gate.settle()
    assert gate.verdict(number) == "in_progress"


def test_G47_too_few_people_is_said_and_not_waited_for(gate: Gate) -> None:
    policy(gate, 'version: 1\nroster: ["@olga", "@rita"]\nprotected: ["infra/**"]\n')
    number = gate.open("olga", "feat", infra(gate))
    gate.approve(number, "rita")
    assert gate.verdict(number) == "failure"
    assert "not enough eligible reviewers" in title(gate, number)


def test_G51_a_bot_that_nobody_is_known_to_have_steered_hides_a_person(gate: Gate) -> None:
    a_bot(gate, ACTIONS, 41898282)
    address = f"41898282+{ACTIONS}@users.noreply.github.com"
    number = gate.open(ACTIONS, "feat", infra(gate, author=(ACTIONS, address)))
    gate.approve(number, "olga", "rita")
    assert gate.verdict(number) == "in_progress"
    assert "2 of 3" in title(gate, number)
    assert "which person set it to work is not known" in (gate.check(number).summary or "")
    gate.approve(number, "sam")
    assert gate.verdict(number) == "success"


def test_G61_two_accounts_of_one_person_are_one(gate: Gate) -> None:
    gate.control("POST", "users", login="olga-work")
    gate.control("POST", "roles", repository=SHOP, login="olga-work", role="write")
    policy(gate, POLICY.replace("[", '["@olga-work", ', 1) + "aliases: {olga: [olga-work]}\n")
    number = gate.open("ben", "feat", infra(gate, author=("Ben", "ben@acme.example")))
    gate.approve(number, "olga", "olga-work")
    assert gate.verdict(number) == "in_progress"
    assert "1 of 2" in title(gate, number)
    assert "one person counts once" in (gate.check(number).summary or "")
    gate.approve(number, "sam")
    assert gate.verdict(number) == "success"

"""Gate cases about the two exceptions, what has landed, and who steered a bot, end to end."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from support_gate import SHOP, Gate, running_gate

from foureyes.github_app import alerts, storage, tables
from foureyes.github_app.alerts import Alert, Kind
from foureyes.shared.others_notes import GIT_AI

POLICY = 'version: 1\nroster: ["@acme/engineers", "@acme/reviewers"]\nprotected: ["infra/**"]\n'
OTHERS = {"kim": ("Kim", "kim@acme.example"), "rita": ("Rita", "rita@acme.example")}


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    with running_gate(tmp_path) as gate:
        yield gate


def infra(gate: Gate, *parents: str, text: str = "changed\n", **options: object) -> str:
    return gate.change({"infra/network.tf": text}, *parents, **options)


def policy(gate: Gate, more: str) -> None:
    gate.push("noor", "main", gate.change({".github/foureyes.yml": POLICY + more}))
    gate.settle()


def merge(gate: Gate, login: str, number: int) -> None:
    gate.as_person(login, "PUT", f"/repos/{SHOP}/pulls/{number}/merge", {"merge_method": "merge"})
    gate.settle()


def raised(gate: Gate, kind: Kind) -> list[Alert]:
    with storage.reading(gate.engine) as conn:
        return [alert for alert in alerts.listed(conn) if alert.kind == kind]


# a pure revert


def landed_change(gate: Gate) -> str:
    """What infra/network.tf was before two people let a change of it in."""
    before = str(gate.files(gate.tip())["infra/network.tf"][1])
    number = gate.open("ben", "first", infra(gate, text="a mistake\n", author=("Ben", "ben@acme.example")))
    gate.approve(number, "rita", "sam")
    merge(gate, "rita", number)
    return before


def test_G66_a_pure_revert_of_what_just_landed_needs_one_and_opens_a_retrospective(gate: Gate) -> None:
    before = landed_change(gate)
    number = gate.open("olga", "back", gate.change({"infra/network.tf": ("100644", before)}))
    gate.settle()
    assert gate.verdict(number) == "in_progress"
    assert "0 of 1" in (gate.check(number).title or "")
    gate.approve(number, "sam")
    assert gate.verdict(number) == "success"
    assert "takes back #" in (gate.check(number).summary or "")
    assert raised(gate, Kind.RETROSPECTIVE) == []
    merge(gate, "sam", number)
    (opened,) = raised(gate, Kind.RETROSPECTIVE)
    assert opened.pull == number
    assert "@sam alone" in opened.text
    assert raised(gate, Kind.BYPASS) == raised(gate, Kind.MISMATCH) == []


@pytest.mark.parametrize("what", ["another line", "another file", "on the way"])
def test_G66_a_revert_that_brings_anything_else_is_an_ordinary_change(gate: Gate, what: str) -> None:
    before = landed_change(gate)
    base = gate.tip()
    if what == "another line":
        head = infra(gate, text="nearly as it was\n")
    elif what == "another file":
        head = gate.change({"infra/network.tf": ("100644", before), "docs/new.md": "x\n"})
    else:
        head = gate.change({"infra/network.tf": ("100644", before)}, infra(gate, base, text="deployable\n"))
    number = gate.open("olga", "back", head)
    gate.approve(number, "sam")
    assert gate.verdict(number) == "in_progress"
    assert "1 of 2" in (gate.check(number).title or "")


def test_G43_a_revert_of_what_landed_weeks_ago_gets_no_discount(gate: Gate) -> None:
    before = landed_change(gate)
    weeks = 21 * 24 * 3600 * 1000
    with storage.writing(gate.engine) as conn:
        conn.execute(tables.landing.update().values(landed_at=tables.landing.c.landed_at - weeks))
    number = gate.open("olga", "back", gate.change({"infra/network.tf": ("100644", before)}))
    gate.approve(number, "sam")
    assert gate.verdict(number) == "in_progress"
    assert "1 of 2" in (gate.check(number).title or "")


def test_a_revert_of_what_came_by_a_bypass_gets_no_discount(gate: Gate) -> None:
    before = str(gate.files(gate.tip())["infra/network.tf"][1])
    gate.push("noor", "main", infra(gate, text="pushed past the gate\n"))
    gate.settle()
    number = gate.open("olga", "back", gate.change({"infra/network.tf": ("100644", before)}))
    gate.approve(number, "sam")
    assert gate.verdict(number) == "in_progress"


# what has landed on a gated branch


def on_develop(gate: Gate) -> None:
    """Rita's change is on develop, by a Pass of olga and sam, and sam pressed the button."""
    policy(gate, "branches: [develop]\n")
    gate.push("noor", "develop", gate.tip())
    gate.settle()
    number = gate.open("rita", "feat", infra(gate, author=OTHERS["rita"]), base="develop")
    gate.approve(number, "olga", "sam")
    assert gate.verdict(number) == "success"
    merge(gate, "sam", number)


def test_G64_what_landed_by_a_pass_excludes_nobody_when_it_goes_on(gate: Gate) -> None:
    on_develop(gate)
    body = {"title": "release", "head": "develop", "base": "main", "body": ""}
    number = int(gate.as_person("ben", "POST", f"/repos/{SHOP}/pulls", body)["number"])
    gate.approve(number, "rita")
    assert gate.verdict(number) == "in_progress"
    assert "1 of 2" in (gate.check(number).title or ""), "rita wrote it, and that has landed"
    gate.approve(number, "sam")
    assert gate.verdict(number) == "success"


def test_G64_who_pushed_past_the_gate_is_excluded(gate: Gate) -> None:
    on_develop(gate)
    tip = gate.tip("develop")
    gate.push("kim", "develop", gate.change({"docs/kim.md": "x\n"}, tip, author=OTHERS["kim"]))
    gate.settle()
    body = {"title": "release", "head": "develop", "base": "main", "body": ""}
    number = int(gate.as_person("ben", "POST", f"/repos/{SHOP}/pulls", body)["number"])
    gate.approve(number, "rita", "kim")
    assert gate.verdict(number) == "in_progress"
    assert "1 of 2" in (gate.check(number).title or "")
    gate.approve(number, "sam")
    assert gate.verdict(number) == "success"


# automation


def token_of(gate: Gate, app: dict[str, Any]) -> str:
    now = int(time.time())
    claims = {"iat": now - 30, "exp": now + 300, "iss": str(app["id"])}
    signed = jwt.encode(claims, app["private_key"], algorithm="RS256")
    path = f"/api/v3/app/installations/{app['installations'][0]}/access_tokens"
    answer = requests.post(gate.sandbox.url + path, headers={"Authorization": f"Bearer {signed}"}, timeout=20)
    return str(answer.json()["token"])


def renovates(gate: Gate, *, exempt: int = 0) -> tuple[int, str]:
    """The App's pull request, and the token it has. `exempt`: the App's number in the policy, its own by default."""
    rights = {"contents": "write", "pull_requests": "write", "metadata": "read"}
    app = gate.control("POST", "apps", slug="renovate", permissions=rights)
    entry = (
        f'{{app: {exempt or app["id"]}, paths: ["**/package-lock.json"], owner: "@lee", until: 2999-12-31}}'
    )
    policy(gate, f"automation: {{renovate: {entry}}}\n")
    token, bot = token_of(gate, app), app["bot"]
    address = f"{bot['id']}+{bot['login']}@users.noreply.github.com"
    head = gate.change(
        {"infra/package-lock.json": "{}\n"},
        author=(bot["login"], address),
        committer=("GitHub", "noreply@github.com"),
    )
    shop = gate.sandbox.world.repositories[SHOP]
    shop.made_by_github.add(head)
    remote = f"{gate.sandbox.url}/{SHOP}.git".replace("://", f"://x-access-token:{token}@")
    gate.clone.git("push", "-q", remote, f"{head}:refs/heads/renovate")
    answer = requests.post(
        f"{gate.sandbox.url}/api/v3/repos/{SHOP}/pulls",
        json={"title": "Lock", "head": "renovate", "base": "main", "body": ""},
        headers={"Authorization": f"Bearer {token}"},
        timeout=20,
    )
    assert answer.status_code == 201, answer.text
    gate.settle()
    return int(answer.json()["number"]), token


def test_G65_an_exempted_apps_pull_request_passes_with_one_until_a_person_pushes(gate: Gate) -> None:
    number, _token = renovates(gate)
    assert gate.verdict(number) == "in_progress"
    assert "0 of 1" in (gate.check(number).title or ""), gate.check(number).summary
    gate.approve(number, "rita")
    assert gate.verdict(number) == "success"
    assert "@lee answers for the exemption `renovate`" in (gate.check(number).summary or "")
    later = gate.change({"infra/package-lock.json": "{1}\n"}, gate.pull(number).head)
    gate.push("olga", "renovate", later)
    gate.approve(number, "rita", "sam")
    assert gate.verdict(number) == "in_progress"
    assert "2 of 3" in (gate.check(number).title or ""), "and a bot hides a person"


def test_G65_another_app_is_not_exempt(gate: Gate) -> None:
    number, _token = renovates(gate, exempt=4)
    gate.approve(number, "rita")
    assert gate.verdict(number) == "in_progress"
    assert "1 of 3" in (gate.check(number).title or "")


@pytest.mark.parametrize("what", ["a person's commit that is pushed away", "an update by a person", "a note"])
def test_near_G65_what_is_not_the_apps_own_alone(gate: Gate, what: str) -> None:
    """A note that cannot be read may name an agent: its account is an App too, and somebody prompts it."""
    number, _token = renovates(gate)
    gate.approve(number, "rita")
    assert gate.verdict(number) == "success"
    own = gate.pull(number).head
    if what == "a note":
        gate.push("olga", GIT_AI, gate.clone.commit({own: "{"}))
        gate.wake(number)
    elif what == "an update by a person":
        gate.push("noor", "main", gate.change({"docs/z.md": "z\n"}))
        gate.settle()
        gate.as_person("olga", "PUT", f"/repos/{SHOP}/pulls/{number}/update-branch", {})
    else:
        for login, head in (("olga", infra(gate, own)), ("noor", own)):
            gate.push(login, "renovate", head)
            gate.settle()
    gate.approve(number, "rita")
    assert gate.verdict(number) == "in_progress"


# who steered a bot

COPILOT = {"login": "Copilot", "id": 198982749, "type": "Bot", "graphql_login": "copilot-swe-agent"}


def copilots(gate: Gate) -> int:
    gate.control("POST", "users", **COPILOT)
    gate.control("POST", "roles", repository=SHOP, login="Copilot", role="write")
    address = "198982749+Copilot@users.noreply.github.com"
    return gate.open("Copilot", "copilot/x", infra(gate, author=("Copilot", address)))


def say(gate: Gate, login: str, number: int, text: str) -> None:
    gate.as_person(login, "POST", f"/repos/{SHOP}/issues/{number}/comments", {"body": text})


def test_G52_who_mentioned_the_bot_set_it_to_work(gate: Gate) -> None:
    number = copilots(gate)
    say(gate, "rita", number, "Hey @copilot, also change the network.")
    say(
        gate, "ben", number, "I mailed olga@copilot.example and x@copilot; see acme/@copilot, not @copilotte."
    )
    gate.approve(number, "rita", "sam")
    assert gate.verdict(number) == "in_progress"
    assert "1 of 3" in (gate.check(number).title or ""), (
        "a comment settles nothing about who set it to work first"
    )
    assert "@rita spoke to the bot" in (gate.check(number).summary or "")
    gate.pull(number).comments.clear()
    gate.approve(number, "ben", "olga")
    assert gate.verdict(number) == "success"
    assert "@rita" in (gate.check(number).summary or ""), "what was seen once is kept"


@pytest.mark.parametrize("where", ["its text", "beside a line"])
def test_G52_who_steered_the_bot_in_a_review(gate: Gate, where: str) -> None:
    """Olga assigned it, so that it is known who set it to work first; rita steers it all the same."""
    number = copilots(gate)
    gate.as_person("olga", "POST", f"/repos/{SHOP}/issues/{number}/assignees", {"assignees": ["Copilot"]})
    text = "@copilot the network must be wider"
    beside = [{"path": "infra/network.tf", "position": 1, "body": text}]
    body = {"event": "COMMENT", "body": text} if where == "its text" else {
        "event": "COMMENT", "body": "see there", "comments": beside,
    }  # fmt: skip
    gate.as_person("rita", "POST", f"/repos/{SHOP}/pulls/{number}/reviews", body)
    gate.approve(number, "rita", "sam")
    assert gate.verdict(number) == "in_progress"
    assert "1 of 2" in (gate.check(number).title or "")
    assert "@rita spoke to the bot" in (gate.check(number).summary or "")
    gate.approve(number, "ben")
    assert gate.verdict(number) == "success"


def test_G52_mentions_where_no_bot_took_part_are_not_asked_for(gate: Gate) -> None:
    number = gate.open("olga", "feat", infra(gate))
    say(gate, "rita", number, "@copilot is not here")
    gate.approve(number, "rita", "sam")
    assert gate.verdict(number) == "success"


def test_comments_that_cannot_be_read_in_full_are_not_a_pass(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = copilots(gate)
    say(gate, "olga", number, "@copilot please")
    from foureyes.github_app import comments

    whole = comments._page_of
    monkeypatch.setattr(comments, "_page_of", lambda data, what: {**whole(data, what), "nodes": []})
    gate.approve(number, "rita", "sam")
    assert gate.verdict(number) == "failure"

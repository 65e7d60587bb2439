"""The sandbox's webhooks: signed over the bytes sent, to who is installed and listens, as GitHub's contract has them."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support_sandbox import Receiver, World, head, running_sandbox


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with running_sandbox(tmp_path) as world:
        yield world


def test_the_signature_is_over_the_raw_bytes(world: World) -> None:
    with Receiver() as receiver:
        world.sandbox.set_webhook_url(receiver.url)
        world.open_pull()
        assert world.sandbox.wait_delivered()
        secret = world.sandbox.app.webhook_secret.encode()
        for headers, body in receiver.heard:
            digest = hmac.new(secret, body, hashlib.sha256).hexdigest()
            assert headers["x-hub-signature-256"] == f"sha256={digest}"
            assert headers["content-type"] == "application/json"
            assert headers["user-agent"].startswith("GitHub-Hookshot/")
            assert json.loads(body)["installation"]["id"] == world.installation
        guids = {headers["x-github-delivery"] for headers, _ in receiver.heard}
        assert len(guids) == len(receiver.heard) == 3


def test_clicks_on_a_check_go_to_its_own_app_alone(world: World) -> None:
    world.open_pull()
    body = {"slug": "other", "permissions": {"checks": "write"}, "events": ["check_run", "pull_request"]}
    world.control("POST", "apps", body)
    run = world.publish(head(world.folder / "olga-acme-shop"), None).body["id"]
    click = {"repository": "acme/shop", "check_run": run, "login": "olga"}
    world.control("POST", "click", click)
    world.control("POST", "click", click | {"action": "explain"})
    log = [d for d in world.control("GET", "deliveries") if d["event"] == "check_run"]
    assert {d["app"] for d in log if d["action"] == "created"} == {"foureyes", "other"}
    assert [(d["app"], d["action"]) for d in log if d["action"] != "created"] == [
        ("foureyes", "rerequested"),
        ("foureyes", "requested_action"),
    ]
    clicked = world.sent("check_run", "requested_action")[0]
    assert (clicked["requested_action"], clicked["sender"]["login"]) == ({"identifier": "explain"}, "olga")


def test_an_app_hears_only_what_it_listens_to(world: World) -> None:
    world.control("POST", "apps", {"slug": "narrow", "permissions": {}, "events": ["pull_request_review"]})
    world.review("rita", world.open_pull())
    log = [d["event"] for d in world.control("GET", "deliveries") if d["app"] == "narrow"]
    assert log == ["installation", "pull_request_review"]


def test_another_default_branch_is_told(world: World) -> None:
    world.open_pull()
    world.control("POST", "default-branch", {"repository": "acme/shop", "branch": "feature", "login": "olga"})
    (told,) = world.sent("repository", "edited")
    assert told["changes"] == {"default_branch": {"from": "main"}}
    assert (told["repository"]["default_branch"], told["sender"]["login"]) == ("feature", "olga")


LISTENER = {"slug": "listener", "permissions": {"members": "read"}, "events": ["membership", "team"]}


def test_membership_of_a_team_is_told(world: World) -> None:
    world.control("POST", "apps", LISTENER)
    path = "/orgs/acme/teams/reviewers/memberships/ben"
    assert world.by("olga", "PUT", path).status == 403
    assert world.by("noor", "PUT", path, {"role": "member"}).status == 200
    assert world.by("noor", "DELETE", path).status == 204
    told = world.sent("membership")
    assert [(m["action"], m["member"]["login"], m["team"]["slug"]) for m in told] == [
        ("added", "ben", "reviewers"),
        ("removed", "ben", "reviewers"),
    ]


def test_team_and_ping_have_githubs_form(world: World) -> None:
    world.control("POST", "apps", LISTENER)
    world.control("POST", "teams", {"slug": "newcomers", "members": ["olga"]})
    world.control("POST", "ping")
    assert world.sent("team", "created")[0]["team"]["slug"] == "newcomers"
    assert world.sent("ping")[0]["zen"]


def test_a_suspended_installation_hears_nothing_and_reads_nothing(world: World) -> None:
    token = world.installation_token()
    world.control("POST", "suspend")
    world.open_pull()
    assert [(d["event"], d["action"]) for d in world.control("GET", "deliveries")] == [
        ("installation", "suspend")
    ]
    assert world.request("GET", "/api/v3/repos/acme/shop", token=token).status == 403
    world.control("POST", "suspend", {"suspended": False})
    assert world.request("GET", "/api/v3/repos/acme/shop", token=token).status == 200
    world.review("rita", 1)
    told = [(d["event"], d["action"]) for d in world.control("GET", "deliveries")]
    assert told[1:] == [("installation", "unsuspend"), ("pull_request_review", "submitted")]


def test_every_webhook_of_a_long_story_was_judged(world: World) -> None:
    """The guard of the fixture judges each; this makes sure that it heard them."""
    number = world.open_pull()
    review = world.review("rita", number).body["id"]
    world.shop("ben", "PUT", f"/pulls/{number}/reviews/{review}/dismissals", {"message": "x"})
    world.shop("olga", "PATCH", f"/pulls/{number}", {"title": "Other", "body": "Text"})
    world.publish(head(world.folder / "olga-acme-shop"), "success")
    world.merge("olga", number)
    seen = {name for name in world.guard.seen if name.startswith("webhook:")}
    assert seen == {
        "webhook:push",
        "webhook:check_suite",
        "webhook:pull_request",
        "webhook:pull_request_review",
        "webhook:check_run",
    }

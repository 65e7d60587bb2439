"""What the sandbox's own commands do, and that what they set up is what GitHub's interfaces then show."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from support_sandbox import SHOP, World, commit, git, head, running_sandbox

from foureyes.github_app.sandbox import seed

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1pZ0aXwz1m0mVnQx1n8gY6m0Yd3H9pZl3o8Xq7V1aB"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with running_sandbox(tmp_path) as world:
        yield world


def test_the_seeded_app_is_the_one_of_the_manifest(checkout: Path) -> None:
    manifest = yaml.safe_load((checkout / "app.yml").read_text())
    assert manifest["default_permissions"] == seed.APP_PERMISSIONS
    assert set(manifest["default_events"]) == set(seed.APP_EVENTS)


def test_the_seeded_people_are_who_the_cases_speak_of(world: World) -> None:
    for login, number in seed.PEOPLE.items():
        assert world.by("olga", "GET", f"/users/{login}").body["id"] == number
    for slug, logins in seed.TEAMS.items():
        members = world.by("olga", "GET", f"/orgs/acme/teams/{slug}/members").body
        assert [member["login"] for member in members] == list(logins)
    policy = world.shop("olga", "GET", "/contents/.github/foureyes.yml").body
    assert policy["size"] == len(seed.POLICY)
    assert seed.POLICY.count("\n") == 3
    (rule,) = world.shop("olga", "GET", "/rules/branches/main").body
    (check,) = rule["parameters"]["required_status_checks"]
    assert check == {"context": "foureyes", "integration_id": world.sandbox.app.id}


def test_keys_with_a_past(world: World) -> None:
    old = {"login": "olga", "key": f"{KEY} olga@laptop", "created_at": "2020-05-05T00:00:00Z"}
    signing = world.control("POST", "keys", old)["id"]
    world.control("POST", "keys", old | {"kind": "authentication"})
    (key,) = world.by("ben", "GET", "/users/olga/ssh_signing_keys").body
    assert (key["id"], key["key"], key["created_at"]) == (signing, KEY, "2020-05-05T00:00:00Z")
    (login,) = world.by("ben", "GET", "/users/olga/keys").body
    assert login["key"] == KEY
    world.control("DELETE", "keys", {"login": "olga", "id": signing})
    assert world.by("ben", "GET", "/users/olga/ssh_signing_keys").body == []


def test_a_deleted_account_leaves_what_it_did(world: World) -> None:
    number = world.open_pull("kim")
    world.review("sam", number)
    world.control("DELETE", "users", {"login": "kim"})
    world.control("DELETE", "users", {"login": "sam"})
    pull = world.pull_field("author { login } reviews(first: 1) { nodes { state author { login } } }")
    assert pull == {"author": None, "reviews": {"nodes": [{"state": "APPROVED", "author": None}]}}
    assert world.shop("olga", "GET", f"/pulls/{number}").body["user"]["login"] == "ghost"
    assert world.shop("olga", "GET", f"/pulls/{number}/reviews").body[0]["user"] is None
    assert world.by("olga", "GET", "/users/kim").status == 404


def test_another_default_branch(world: World) -> None:
    world.open_pull()
    world.control("POST", "default-branch", {"repository": SHOP, "branch": "feature"})
    answer = world.query(
        '{ repository(owner: "acme", name: "shop") { defaultBranchRef { name } object(expression: "HEAD") { oid } } }'
    )
    found = answer["data"]["repository"]
    assert found["defaultBranchRef"] == {"name": "feature"}
    assert found["object"]["oid"] == head(world.folder / "olga-acme-shop")


def test_the_commit_of_a_review_can_change_and_vanish(world: World) -> None:
    number = world.open_pull()
    review = world.review("rita", number).body["id"]
    clone = world.folder / "olga-acme-shop"
    other = commit(clone, {"infra/x.tf": "x\n"}, "More")
    git(clone, "push", "-q", "origin", "feature")
    body = {"repository": SHOP, "number": number, "review": review}
    selection = "reviews(first: 1) { nodes { commit { oid } } }"
    world.control("POST", "review-commit", body | {"commit": other})
    assert world.pull_field(selection)["reviews"]["nodes"] == [{"commit": {"oid": other}}]
    world.control("POST", "review-commit", body | {"commit": None})
    assert world.pull_field(selection)["reviews"]["nodes"] == [{"commit": None}]
    assert world.shop("olga", "GET", f"/pulls/{number}/reviews/{review}").body["commit_id"] is None


def test_a_restored_branch_is_in_the_timeline(world: World) -> None:
    world.open_pull()
    clone = world.folder / "olga-acme-shop"
    git(clone, "push", "-q", "origin", ":feature")
    git(clone, "push", "-q", "origin", "feature")
    kinds = world.pull_field(
        "timelineItems(first: 9, itemTypes: [HEAD_REF_DELETED_EVENT, HEAD_REF_RESTORED_EVENT])"
        " { nodes { __typename } }"
    )["timelineItems"]["nodes"]
    assert [kind["__typename"] for kind in kinds] == ["HeadRefDeletedEvent", "HeadRefRestoredEvent"]
    assert world.shop("olga", "PATCH", "/pulls/1", {"state": "open"}).body["state"] == "open"


def test_permissions_of_an_installation_can_be_taken(world: World) -> None:
    world.open_pull()
    world.control("POST", "permissions", {"permissions": {"metadata": "read"}})
    refused = world.app("POST", "/check-runs", {"name": "n", "head_sha": "0" * 40})
    assert (refused.status, refused.body["message"]) == (403, "Resource not accessible by integration")


def test_another_app_is_installed_and_told_so(world: World) -> None:
    world.control("POST", "apps", {"slug": "reviewer", "permissions": {"pull_requests": "write"}})
    assert world.sent("installation", "created")[0]["installation"]["app_slug"] == "reviewer"
    listed = world.control("GET", "apps")
    assert [app["slug"] for app in listed] == ["foureyes", "reviewer"]
    assert listed[1]["bot"]["login"] == "reviewer[bot]"


def test_an_apps_bot_approves_by_its_own_installation(world: World) -> None:
    """G15 and G14 need such a review to exist."""
    number = world.open_pull()
    made = world.control("POST", "apps", {"slug": "reviewer", "permissions": {"pull_requests": "write"}})
    path = f"/api/v3/app/installations/{made['installations'][0]}/access_tokens"
    jwt = world.app_jwt(key=made["private_key"], issuer=str(made["id"]))
    token = world.request("POST", path, token=jwt).body["token"]
    body = {"event": "APPROVE", "body": "fine"}
    done = world.request("POST", f"/api/v3/repos/{SHOP}/pulls/{number}/reviews", body, token=token)
    assert (done.body["state"], done.body["user"]["type"]) == ("APPROVED", "Bot")
    author = world.pull_field(
        "reviews(first: 1) { nodes { author { __typename login } authorCanPushToRepository } }"
    )
    assert author["reviews"]["nodes"] == [
        {"author": {"__typename": "Bot", "login": "reviewer"}, "authorCanPushToRepository": False}
    ]


@pytest.mark.parametrize(
    ("method", "name", "body", "told"),
    [
        ("GET", "nonsense", None, "no such command"),
        ("POST", "users", {}, "login is missing"),
        ("POST", "users", {"login": "olga"}, "taken"),
        ("POST", "roles", {"repository": SHOP, "login": "olga", "role": "king"}, "role is one of"),
        ("POST", "roles", {"repository": "acme/none", "login": "olga", "role": "read"}, "no repository"),
        ("POST", "keys", {"login": "nobody", "key": KEY}, "nobody is called"),
        ("POST", "keys", {"login": "olga", "key": KEY, "kind": "x"}, "kind is"),
        ("POST", "draft", {"repository": SHOP, "number": 9, "login": "olga", "draft": True}, "no pull request 9"),
        ("POST", "settings", {"files_list": "x"}, "files_list is"),
        ("POST", "webhook", {"slug": "x", "url": "http://127.0.0.1"}, "no App"),
        ("POST", "default-branch", {"repository": SHOP, "branch": "x"}, "no branch"),
        ("POST", "repositories", {"repository": SHOP}, "is there already"),
    ],
)  # fmt: skip
def test_a_wrong_command_says_what_is_wrong(
    world: World, method: str, name: str, body: object, told: str
) -> None:
    answer = world.request(method, f"/_sandbox/{name}", body)
    assert answer.status == 422
    assert told in answer.body["message"]

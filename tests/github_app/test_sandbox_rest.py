"""The sandbox's REST: every operation it answers is valid, what it does not answer says so, tokens hold."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support_sandbox import SHOP, World, commit, git, head, running_sandbox, send_manifest

from foureyes.github_app.sandbox import contract
from foureyes.github_app.sandbox.rest import supported

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1pZ0aXwz1m0mVnQx1n8gY6m0Yd3H9pZl3o8Xq7V1aB"
REPO = f"/repos/{SHOP}"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with running_sandbox(tmp_path) as world:
        yield world


def test_every_supported_operation_is_valid_by_githubs_contract(world: World) -> None:
    """One story through all of them; the fixture's guard judges each request and answer."""
    number = world.open_pull()
    clone = world.folder / "olga-acme-shop"
    sha = head(clone)
    review = world.review("rita", number).body["id"]
    run = world.publish(sha, None).body["id"]
    suite = world.sandbox.world.repositories[SHOP].check_suites[-1].id
    blob, tree = git(clone, "rev-parse", "HEAD:README.md"), git(clone, "rev-parse", "HEAD^{tree}")
    ruleset = {"name": "n", "enforcement": "active", "rules": [{"type": "deletion"}]}
    app_token, jwt_token = world.installation_token(), world.app_jwt()

    def read(*paths: str) -> None:
        for path in paths:
            assert world.by("olga", "GET", path).status in (200, 204), path

    def app(method: str, path: str, body: Any = None, token: str = jwt_token) -> Any:
        answer = world.request(method, f"/api/v3{path}", body, token=token)
        assert answer.status < 300, (path, answer.body)
        return answer.body

    def does(login: str, method: str, path: str, body: Any = None) -> Any:
        answer = world.by(login, method, path, body)
        assert answer.status < 300, (path, answer.body)
        return answer.body

    pull = f"{REPO}/pulls/{number}"
    read(
        "/user",
        "/user/1",
        "/users/rita",
        "/users/rita/keys",
        "/users/rita/gpg_keys",
        "/rate_limit",
        "/meta",
        "/apps/foureyes",
    )
    read(
        REPO,
        f"{REPO}/activity",
        f"{REPO}/branches",
        f"{REPO}/branches/main",
        f"{REPO}/commits",
        f"{pull}/files",
    )
    read(
        f"{REPO}/commits/main",
        f"{REPO}/compare/main...feature",
        f"{REPO}/contents/README.md",
        f"{REPO}/contents/docs",
    )
    read(f"{REPO}/git/ref/heads/main", f"{REPO}/git/matching-refs/heads/", f"{REPO}/git/commits/{sha}")
    read(f"{REPO}/git/trees/{tree}?recursive=1", f"{REPO}/git/blobs/{blob}", f"{REPO}/commits/{sha}/pulls")
    read(f"{REPO}/pulls", pull, f"{pull}/commits", f"{pull}/reviews", f"{pull}/reviews/{review}")
    read(f"{pull}/requested_reviewers", f"{REPO}/issues/{number}", f"{REPO}/issues/{number}/timeline")
    read(f"{REPO}/collaborators", f"{REPO}/collaborators/ben", f"{REPO}/collaborators/ben/permission")
    read(
        f"{REPO}/rules/branches/main",
        f"{REPO}/rulesets",
        f"{REPO}/check-runs/{run}",
        f"{REPO}/check-suites/{suite}",
    )
    read(
        f"{REPO}/commits/{sha}/check-runs",
        f"{REPO}/commits/{sha}/check-suites",
        f"{REPO}/check-runs/{run}/annotations",
    )
    read("/orgs/acme", "/orgs/acme/teams/reviewers", "/orgs/acme/teams/reviewers/members")
    read("/orgs/acme/teams/reviewers/memberships/rita", "/orgs/acme/memberships/rita")

    made = does("noor", "POST", f"{REPO}/rulesets", ruleset)["id"]
    read(f"{REPO}/rulesets/{made}")
    does("noor", "PUT", f"{REPO}/rulesets/{made}", {"name": "other"})
    does("noor", "DELETE", f"{REPO}/rulesets/{made}")
    world.sandbox.world.repositories[SHOP].protection["main"] = {"allow_deletions": {"enabled": False}}
    does("noor", "GET", f"{REPO}/branches/main/protection")
    workflows = f"{REPO}/actions/permissions/workflow"
    does("noor", "PUT", workflows, {"can_approve_pull_request_reviews": True})
    assert does("noor", "GET", workflows)["can_approve_pull_request_reviews"]
    does("noor", "PUT", f"{REPO}/collaborators/sam", {"permission": "maintain"})
    does("noor", "DELETE", f"{REPO}/collaborators/sam")
    does("noor", "PUT", "/orgs/acme/teams/reviewers/memberships/ben", {"role": "member"})
    does("noor", "DELETE", "/orgs/acme/teams/reviewers/memberships/ben")
    does("noor", "PUT", "/orgs/acme/memberships/ben", {"role": "member"})
    does("noor", "DELETE", "/orgs/acme/memberships/kim")

    signing = does("olga", "POST", "/user/ssh_signing_keys", {"key": KEY, "title": "laptop"})["id"]
    read("/user/ssh_signing_keys", "/users/olga/ssh_signing_keys")
    does("olga", "DELETE", f"/user/ssh_signing_keys/{signing}")
    does("olga", "POST", f"{REPO}/git/refs", {"ref": "refs/heads/extra", "sha": sha})
    does("olga", "DELETE", f"{REPO}/git/refs/heads/extra")
    does("olga", "POST", f"{REPO}/issues/{number}/assignees", {"assignees": ["ben"]})
    does("olga", "DELETE", f"{REPO}/issues/{number}/assignees", {"assignees": ["ben"]})
    does("olga", "POST", f"{REPO}/issues/{number}/comments", {"body": "hello"})
    read(f"{REPO}/issues/{number}/comments")
    told = does("ben", "POST", f"{REPO}/issues", {"title": "t", "body": "b", "labels": ["seen"]})["number"]
    read(f"{REPO}/issues?labels=seen", f"{REPO}/issues/{told}")
    does("olga", "POST", f"{REPO}/statuses/{sha}", {"state": "pending", "context": "ci"})
    read(f"{REPO}/commits/{sha}/status", f"{REPO}/commits/{sha}/statuses")
    does("olga", "POST", f"{pull}/requested_reviewers", {"reviewers": ["sam"]})
    does("olga", "DELETE", f"{pull}/requested_reviewers", {"reviewers": ["sam"]})
    does("olga", "PATCH", pull, {"title": "Other"})
    does("ben", "PUT", f"{pull}/reviews/{review}/dismissals", {"message": "old"})

    app("GET", "/app")
    app("GET", "/app/installations")
    app("GET", f"/app/installations/{world.installation}")
    app("GET", f"{REPO}/installation")
    app("GET", "/orgs/acme/installation")
    world.sandbox.wait_delivered()
    delivery = app("GET", "/app/hook/deliveries")[0]["id"]
    app("GET", f"/app/hook/deliveries/{delivery}")
    app("POST", f"/app/hook/deliveries/{delivery}/attempts")
    app("GET", "/installation/repositories", token=app_token)
    app("PATCH", f"{REPO}/check-runs/{run}", {"conclusion": "success"}, token=app_token)
    app("POST", f"{REPO}/check-runs/{run}/rerequest", token=app_token)
    app("POST", f"{REPO}/check-suites/{suite}/rerequest", token=app_token)

    noor = world.clone("noor")
    commit(noor, {"docs/x.md": "x\n"}, "Base")
    git(noor, "push", "-q", "origin", "main")
    does("olga", "PUT", f"{pull}/update-branch")
    world.publish(str(world.pull_field("headRefOid")["headRefOid"]), "success")
    does("olga", "PUT", f"{pull}/merge", {"merge_method": "merge"})
    read(f"{pull}/merge")

    code, _ = send_manifest(
        world, {"name": "n", "url": "https://n.example", "redirect_url": "https://n.example/r"}
    )
    assert world.request("POST", f"/api/v3/app-manifests/{code}/conversions").status == 201

    missed = supported() - set(world.guard.seen)
    assert missed == set(), "these operations are answered and no test looks at them"


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("GET", "/repos/acme/shop/codeowners/errors", "repos/codeowners-errors"),
        ("GET", "/gists", None),
        ("DELETE", "/repos/acme/shop", None),
    ],
)
def test_what_is_not_supported_says_so_by_name(
    world: World, method: str, path: str, operation: str | None
) -> None:
    with world.guard.expecting("501" if operation else "is not in the contract"):
        answer = world.by("olga", method, path)
    assert (answer.status, answer.body["operation"]) == (501, operation)
    assert answer.body["message"] == f"sandbox: {method} {path} is not supported"


def test_every_supported_operation_is_in_the_contract() -> None:
    assert supported() <= {operation for _, _, operation in contract.operations()}


def test_lists_are_paged_and_linked(world: World) -> None:
    number = world.open_pull()
    for _ in range(5):
        world.shop("olga", "POST", f"/issues/{number}/comments", {"body": "x"})
    path = f"{REPO}/issues/{number}/comments"
    first = world.by("olga", "GET", f"{path}?per_page=2")
    assert len(first.body) == 2
    assert first.headers["link"] == (
        f'<{world.url}/api/v3{path}?per_page=2&page=2>; rel="next", '
        f'<{world.url}/api/v3{path}?per_page=2&page=3>; rel="last"'
    )
    last = world.by("olga", "GET", f"{path}?per_page=2&page=3")
    assert len(last.body) == 1
    assert 'rel="first"' in last.headers["link"]
    assert 'rel="next"' not in last.headers["link"]
    assert "link" not in world.by("olga", "GET", path).headers


def test_a_page_holds_a_hundred_at_most(world: World) -> None:
    clone = world.clone("olga")
    for _ in range(101):
        git(clone, "commit", "-q", "--allow-empty", "-m", "x")
    git(clone, "push", "-q", "origin", "HEAD:refs/heads/long")
    assert len(world.by("olga", "GET", f"{REPO}/commits?sha=long&per_page=500").body) == 100
    assert len(world.by("olga", "GET", f"{REPO}/commits?sha=long").body) == 30


def test_what_has_not_changed_is_304_and_free(world: World) -> None:
    first = world.by("olga", "GET", REPO)
    again = world.by("olga", "GET", REPO, If_None_Match=first.headers["etag"])
    assert (again.status, again.raw) == (304, b"")
    assert again.headers["x-ratelimit-remaining"] == first.headers["x-ratelimit-remaining"]
    world.open_pull()
    assert world.by("olga", "GET", REPO, If_None_Match=first.headers["etag"]).status == 200


def test_requests_are_counted_by_who_makes_them(world: World) -> None:
    left = [int(world.by("olga", "GET", REPO).headers["x-ratelimit-remaining"]) for _ in range(3)]
    assert left == [4999, 4998, 4997]
    other = world.by("ben", "GET", REPO).headers
    assert (other["x-ratelimit-remaining"], other["x-ratelimit-limit"]) == ("4999", "5000")
    assert other["x-ratelimit-resource"] == "core"


def test_an_installation_token_looks_like_githubs_and_does_only_what_it_may(world: World) -> None:
    token = world.installation_token()
    assert token.startswith(f"ghs_{world.sandbox.app.id}_")
    assert len(token) > 400
    assert token.count(".") == 2
    body = {"title": "t", "head": "x", "base": "main"}
    refused = world.request("POST", f"/api/v3{REPO}/pulls", body, token=token)
    assert (refused.status, refused.body["message"]) == (403, "Resource not accessible by integration")
    refused = world.request("GET", f"/api/v3{REPO}/issues/1/comments", token=token)
    assert refused.status == 403


def test_a_narrowed_token_is_narrow(world: World) -> None:
    world.control("POST", "repositories", {"repository": "acme/other", "files": {"a": "a"}})
    token = world.installation_token(repositories=["shop"], permissions={"contents": "read"})
    assert world.request("GET", f"/api/v3{REPO}/contents/README.md", token=token).status == 200
    assert world.request("GET", f"/api/v3{REPO}/pulls", token=token).status == 403
    assert world.request("GET", "/api/v3/repos/acme/other", token=token).status == 404
    listed = world.request("GET", "/api/v3/installation/repositories", token=token).body
    assert [r["full_name"] for r in listed["repositories"]] == [SHOP]
    path = f"/api/v3/app/installations/{world.installation}/access_tokens"
    more = world.request("POST", path, {"permissions": {"contents": "write"}}, token=world.app_jwt())
    assert more.status == 422


def test_a_token_ends_after_an_hour(world: World) -> None:
    token = world.installation_token()
    assert world.request("GET", f"/api/v3{REPO}", token=token).status == 200
    world.control("POST", "settings", {"clock": 3601})
    assert world.request("GET", f"/api/v3{REPO}", token=token).status == 401


@pytest.mark.parametrize("wrong", ["key", "issuer", "lifetime", "garbage"])
def test_a_wrong_jwt_is_refused(world: World, wrong: str) -> None:
    other = world.control("POST", "apps", {"slug": "other"})["private_key"]
    token = {
        "key": lambda: world.app_jwt(key=other),
        "issuer": lambda: world.app_jwt(issuer="999999"),
        "lifetime": lambda: world.app_jwt(lifetime=3600),
        "garbage": lambda: "a.b.c",
    }[wrong]()
    assert world.request("GET", "/api/v3/app", token=token).status in (401, 404)
    assert world.request("GET", "/api/v3/app", token=world.app_jwt()).status == 200


def test_nobody_writes_without_a_token_and_a_wrong_one_is_refused(world: World) -> None:
    assert world.request("GET", f"/api/v3{REPO}").status == 200
    body = {"title": "t", "head": "x", "base": "main"}
    assert world.request("POST", f"/api/v3{REPO}/pulls", body).status == 401
    assert world.request("GET", f"/api/v3{REPO}", token="ghp_nobodys").status == 401
    basic = base64.b64encode(f"olga:{world.sandbox.token('olga')}".encode()).decode()
    assert world.request("GET", "/api/v3/user", Authorization=f"Basic {basic}").body["login"] == "olga"


def test_people_make_no_check_runs(world: World) -> None:
    world.open_pull()
    sha = head(world.folder / "olga-acme-shop")
    refused = world.shop("olga", "POST", "/check-runs", {"name": "foureyes", "head_sha": sha})
    assert (refused.status, refused.body["message"]) == (403, "You must authenticate via a GitHub App.")


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"name": "n"}, "head_sha"),
        ({"name": "n", "head_sha": 7}, "head_sha"),
        ({"name": "n", "head_sha": "SHA", "conclusion": "approved"}, "conclusion"),
        ({"name": "n", "head_sha": "SHA", "output": {"title": "t"}}, "output.summary"),
        ({"name": "n", "head_sha": "SHA", "output": {"title": "t", "summary": "x" * 65536}}, "65535"),
        ({"name": "n", "head_sha": "SHA", "actions": [{"label": "x" * 21, "description": "d", "identifier": "i"}]}, "20"),
    ],
)  # fmt: skip
def test_a_check_run_that_the_contract_refuses_is_refused_by_field(
    world: World, body: dict[str, Any], named: str
) -> None:
    world.open_pull()
    sha = head(world.folder / "olga-acme-shop")
    sent = {name: sha if value == "SHA" else value for name, value in body.items()}
    with world.guard.expecting("request POST"):
        refused = world.app("POST", "/check-runs", sent)
    assert refused.status == 422
    assert named in refused.body["message"]


WRONG = (["a list"], {"unlisted": 1}, {name: [{}] for name in ("name", "title", "sha", "role", "rules", "permissions",
         "body", "state", "event", "reviewers", "key", "message", "merge_method", "permission")})  # fmt: skip


def test_misuse_is_answered_as_the_contract_says(world: World) -> None:
    """Every operation with wrong bodies, wrong pages and names that no git takes; the guard judges the answers."""
    number = world.open_pull()
    refused = [
        {"head": "feature", "base": "main", "title": "again"},
        {"head": "main", "base": "main", "title": "empty"},
    ]
    assert [world.shop("olga", "POST", "/pulls", body).status for body in refused] == [422, 422]
    for body in ({"event": "LIKE"}, {"commit_id": "0" * 40}):
        assert world.shop("rita", "POST", f"/pulls/{number}/reviews", body).status == 422
    values = {"owner": "acme", "repo": "shop", "org": "acme", "username": "olga", "pull_number": str(number),
              "issue_number": str(number), "installation_id": str(world.installation)}  # fmt: skip
    listed = contract.rest()["paths"].items()
    for template, method in ((path, method) for path, item in listed for method in item):
        if method not in ("get", "post", "put", "patch", "delete"):
            continue
        path = re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], "a%00b"), template)
        token = world.app_jwt() if template.startswith("/app") else world.sandbox.token("noor")
        for body in (None,) if method == "get" else WRONG:
            asked = f"/api/v3{path}?per_page=0&page=x" if method == "get" else f"/api/v3{path}"
            world.request(method.upper(), asked, body, token=token)
    told, world.guard.violations = world.guard.violations, []
    assert [one for one in told if not one.startswith("request ") and "is not supported" not in one] == []


def test_a_check_run_needs_a_commit_that_is_there_and_a_conclusion_to_end(world: World) -> None:
    world.open_pull()
    sha = head(world.folder / "olga-acme-shop")
    assert world.app("POST", "/check-runs", {"name": "n", "head_sha": "0" * 40}).status == 422
    ended = world.app("POST", "/check-runs", {"name": "n", "head_sha": sha, "status": "completed"})
    assert ended.status == 422


def test_a_new_status_takes_the_conclusion_away(world: World) -> None:
    world.open_pull()
    run = world.publish(head(world.folder / "olga-acme-shop"), "success").body
    assert (run["status"], run["conclusion"]) == ("completed", "success")
    again = world.app("PATCH", f"/check-runs/{run['id']}", {"status": "in_progress"}).body
    assert (again["status"], again["conclusion"], again["completed_at"]) == ("in_progress", None, None)


def test_the_newest_run_of_a_name_is_listed_and_the_older_on_request(world: World) -> None:
    world.open_pull()
    sha = head(world.folder / "olga-acme-shop")
    old, new = world.publish(sha, "failure").body["id"], world.publish(sha, "success").body["id"]
    path = f"/commits/{sha}/check-runs"
    latest = world.app("GET", path).body
    assert (latest["total_count"], [r["id"] for r in latest["check_runs"]]) == (1, [new])
    assert [r["id"] for r in world.app("GET", f"{path}?filter=all").body["check_runs"]] == [new, old]
    assert world.app("GET", f"{path}?app_id=1").body["total_count"] == 0
    assert world.app("GET", f"{path}?check_name=other").body["total_count"] == 0


def test_renames_are_listed_with_their_old_name(world: World) -> None:
    text = "".join(f"line {n}\n" for n in range(30))
    noor = world.clone("noor")
    commit(noor, {"infra/long.tf": text}, "Long")
    git(noor, "push", "-q", "origin", "main")
    number = world.open_pull(files={"infra/long.tf": None, "docs/long.tf": text})
    (file,) = world.shop("olga", "GET", f"/pulls/{number}/files").body
    assert (file["status"], file["filename"], file["previous_filename"]) == (
        "renamed",
        "docs/long.tf",
        "infra/long.tf",
    )


def test_a_bot_that_is_spelled_in_two_ways(world: World) -> None:
    bot = {"login": "Copilot", "id": 198982749, "type": "Bot", "graphql_login": "copilot-swe-agent"}
    world.control("POST", "users", bot)
    world.control("POST", "roles", {"repository": SHOP, "login": "Copilot", "role": "write"})
    assert world.by("olga", "GET", "/users/Copilot").status == 404
    number = world.open_pull("Copilot")
    user = world.shop("olga", "GET", f"/pulls/{number}").body["user"]
    assert (user["login"], user["type"], user["id"]) == ("Copilot", "Bot", 198982749)
    author = world.pull_field("author { __typename login ... on Bot { databaseId } }", number)["author"]
    assert author == {"__typename": "Bot", "login": "copilot-swe-agent", "databaseId": 198982749}


def test_who_may_bypass_is_shown_to_those_who_may_change_it(world: World) -> None:
    (listed,) = world.shop("noor", "GET", "/rulesets").body
    actors = [{"actor_id": 10, "actor_type": "User", "bypass_mode": "always"}]
    assert world.shop("noor", "GET", f"/rulesets/{listed['id']}").body["bypass_actors"] == actors
    assert "bypass_actors" not in world.shop("olga", "GET", f"/rulesets/{listed['id']}").body


def test_a_branch_without_the_older_protection_says_so(world: World) -> None:
    answer = world.shop("noor", "GET", "/branches/main/protection")
    assert (answer.status, answer.body["message"]) == (404, "Branch not protected")
    assert world.shop("noor", "GET", "/branches/none/protection").body["message"] == "Branch not found"
    assert world.shop("olga", "GET", "/branches/main/protection").status == 403

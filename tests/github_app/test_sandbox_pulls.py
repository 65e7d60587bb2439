"""Pull requests on the sandbox: opened, reviewed, held by the check, merged, as on GitHub."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support_sandbox import World, commit, git, head, running_sandbox


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with running_sandbox(tmp_path) as world:
        yield world


def test_the_merge_waits_for_a_success_of_our_app(world: World) -> None:
    number = world.open_pull()
    sha = head(world.folder / "olga-acme-shop")
    refused = world.merge("olga", number)
    assert (refused.status, "is expected" in refused.body["message"]) == (405, True)
    assert world.publish(sha, None).status == 201
    assert "is in progress" in world.merge("olga", number).body["message"]
    for conclusion in ("failure", "action_required"):
        world.publish(sha, conclusion)
        assert "is failing" in world.merge("olga", number).body["message"]
    world.publish(sha, "success")
    merged = world.merge("olga", number)
    assert (merged.status, merged.body["merged"]) == (200, True)
    clone = world.folder / "olga-acme-shop"
    git(clone, "fetch", "-q", "origin")
    assert git(clone, "rev-parse", "origin/main") == merged.body["sha"]
    assert git(clone, "show", "origin/main:infra/feature.tf") == "one"
    assert git(clone, "rev-parse", "origin/main^2") == sha


def test_a_success_by_another_app_or_under_another_name_does_not_open_the_merge(world: World) -> None:
    number = world.open_pull()
    sha = head(world.folder / "olga-acme-shop")
    world.publish(sha, "success", "something else")
    other = world.control("POST", "apps", {"slug": "imitator", "permissions": {"checks": "write"}})
    token = world.request(
        "POST",
        f"/api/v3/app/installations/{other['installations'][0]}/access_tokens",
        token=world.app_jwt(key=other["private_key"], issuer=str(other["id"])),
    ).body["token"]
    body = {"name": "foureyes", "head_sha": sha, "status": "completed", "conclusion": "success"}
    made = world.request("POST", "/api/v3/repos/acme/shop/check-runs", body, token=token)
    assert made.status == 201
    assert world.merge("olga", number).status == 405


def test_the_newest_run_of_the_name_decides(world: World) -> None:
    number = world.open_pull()
    sha = head(world.folder / "olga-acme-shop")
    world.publish(sha, "success")
    world.publish(sha, None)
    assert world.merge("olga", number).status == 405


def test_without_the_merge_check_anything_merges(tmp_path: Path) -> None:
    with running_sandbox(tmp_path, merge_check=False) as world:
        assert world.merge("olga", world.open_pull()).status == 200


def test_who_may_bypass_merges_past_the_check(world: World) -> None:
    assert world.merge("noor", world.open_pull()).status == 200


def test_a_merge_names_the_head_it_means(world: World) -> None:
    number = world.open_pull()
    world.publish(head(world.folder / "olga-acme-shop"), "success")
    assert world.merge("olga", number, sha="0" * 40).status == 409


def test_squash_leaves_one_commit(world: World) -> None:
    number = world.open_pull()
    clone = world.folder / "olga-acme-shop"
    sha = commit(clone, {"infra/feature.tf": "two\n"}, "More")
    git(clone, "push", "-q", "origin", "feature")
    world.publish(sha, "success")
    before = git(clone, "rev-parse", "origin/main")
    merged = world.merge("olga", number, merge_method="squash").body["sha"]
    git(clone, "fetch", "-q", "origin")
    assert git(clone, "rev-list", "--parents", "-1", merged).split()[1:] == [before]


def test_nobody_approves_what_they_opened(world: World) -> None:
    number = world.open_pull()
    refused = world.review("olga", number)
    assert (refused.status, refused.body["errors"]) == (422, ["Can not approve your own pull request"])
    assert world.review("olga", number, "COMMENT").status == 200
    assert world.review("rita", number).body["state"] == "APPROVED"
    assert [r["state"] for r in world.shop("ben", "GET", f"/pulls/{number}/reviews").body] == [
        "COMMENTED",
        "APPROVED",
    ]


def test_webhooks_write_the_state_small_and_rest_writes_it_large(world: World) -> None:
    review = world.review("rita", world.open_pull(), "REQUEST_CHANGES").body
    assert review["state"] == "CHANGES_REQUESTED"
    assert world.sent("pull_request_review")[0]["review"]["state"] == "changes_requested"


def test_a_dismissal_replaces_the_state_and_keeps_the_old_one_in_the_timeline(world: World) -> None:
    number = world.open_pull()
    review = world.review("rita", number).body
    path = f"/pulls/{number}/reviews/{review['id']}/dismissals"
    outsider = world.control("POST", "users", {"login": "visitor"})
    assert outsider["id"] > 10
    assert world.shop("visitor", "PUT", path, {"message": "no"}).status == 403
    dismissed = world.shop("ben", "PUT", path, {"message": "old"})
    assert dismissed.body["state"] == "DISMISSED"
    event = world.pull_field(
        "timelineItems(first: 10, itemTypes: [REVIEW_DISMISSED_EVENT]) { nodes { ... on ReviewDismissedEvent"
        " { previousReviewState actor { login } review { fullDatabaseId } } } }"
    )["timelineItems"]["nodes"]
    assert event == [
        {
            "previousReviewState": "APPROVED",
            "actor": {"login": "ben"},
            "review": {"fullDatabaseId": str(review["id"])},
        }
    ]


def test_a_review_by_who_may_not_write_says_so(world: World) -> None:
    number = world.open_pull()
    world.control("POST", "users", {"login": "visitor"})
    world.review("visitor", number)
    world.review("rita", number)
    nodes = world.pull_field("reviews(first: 5) { nodes { authorCanPushToRepository } }")["reviews"]["nodes"]
    assert [node["authorCanPushToRepository"] for node in nodes] == [False, True]
    world.control("POST", "roles", {"repository": "acme/shop", "login": "visitor", "role": "write"})
    nodes = world.pull_field("reviews(first: 5) { nodes { authorCanPushToRepository } }")["reviews"]["nodes"]
    assert [node["authorCanPushToRepository"] for node in nodes] == [True, True]


def test_update_branch_merges_the_base_in_the_name_of_who_clicks(world: World) -> None:
    number = world.open_pull()
    clone = world.folder / "olga-acme-shop"
    old = head(clone)
    noor = world.clone("noor")
    base = commit(noor, {"docs/new.md": "new\n"}, "Document")
    git(noor, "push", "-q", "origin", "main")
    answer = world.shop("rita", "PUT", f"/pulls/{number}/update-branch", {"expected_head_sha": old})
    assert answer.status == 202
    git(clone, "fetch", "-q", "origin")
    assert git(clone, "log", "-1", "--format=%P %an %cn", "origin/feature") == f"{old} {base} Rita GitHub"
    signature = world.pull_field(
        "commits(last: 1) { nodes { commit { committedViaWeb signature { isValid wasSignedByGitHub } } } }"
    )["commits"]["nodes"][0]["commit"]
    assert signature == {"committedViaWeb": True, "signature": {"isValid": True, "wasSignedByGitHub": True}}
    synchronized = world.sent("pull_request", "synchronize")[0]
    assert (synchronized["sender"]["login"], synchronized["before"]) == ("rita", old)
    assert world.shop("rita", "PUT", f"/pulls/{number}/update-branch").status == 422


def test_a_retarget_is_told_and_makes_the_test_merge_anew(world: World) -> None:
    number = world.open_pull()
    clone = world.folder / "olga-acme-shop"
    git(clone, "push", "-q", "origin", "origin/main:refs/heads/release/1")
    answer = world.shop("olga", "PATCH", f"/pulls/{number}", {"base": "release/1"})
    assert answer.body["base"]["ref"] == "release/1"
    edited = world.sent("pull_request", "edited")[0]
    assert edited["changes"]["base"]["ref"]["from"] == "main"
    events = world.pull_field(
        "timelineItems(first: 9, itemTypes: [BASE_REF_CHANGED_EVENT]) { nodes { ... on BaseRefChangedEvent"
        " { previousRefName currentRefName } } }"
    )["timelineItems"]["nodes"]
    assert events == [{"previousRefName": "main", "currentRefName": "release/1"}]


def test_the_base_that_a_pull_request_names_grows_old_and_the_branch_does_not(world: World) -> None:
    number = world.open_pull()
    noor = world.clone("noor")
    old = head(noor)
    new = commit(noor, {"docs/new.md": "new\n"}, "Document")
    git(noor, "push", "-q", "origin", "main")
    pull = world.pull_field("baseRefOid baseRef { target { oid } }", number)
    assert pull == {"baseRefOid": old, "baseRef": {"target": {"oid": new}}}


def test_close_and_reopen(world: World) -> None:
    number = world.open_pull()
    assert world.shop("olga", "PATCH", f"/pulls/{number}", {"state": "closed"}).body["state"] == "closed"
    assert world.pull_field("state")["state"] == "CLOSED"
    assert world.shop("olga", "PATCH", f"/pulls/{number}", {"state": "open"}).body["state"] == "open"
    assert [p["action"] for p in world.sent("pull_request")] == ["opened", "closed", "reopened"]


def test_a_deleted_branch_closes_its_pull_request(world: World) -> None:
    world.open_pull()
    git(world.folder / "olga-acme-shop", "push", "-q", "origin", ":feature")
    assert world.pull_field("state headRef { name }") == {"state": "CLOSED", "headRef": None}


def test_commits_that_land_by_a_push_mark_the_pull_request_merged(world: World) -> None:
    world.open_pull()
    noor = world.clone("noor")
    git(noor, "merge", "-q", "--no-ff", "-m", "Land", "origin/feature")
    git(noor, "push", "-q", "origin", "main")
    assert world.pull_field("state mergedBy { login }") == {"state": "MERGED", "mergedBy": {"login": "noor"}}


def test_a_draft_does_not_merge(world: World) -> None:
    number = world.open_pull(draft=True)
    world.publish(head(world.folder / "olga-acme-shop"), "success")
    assert world.merge("olga", number).status == 405
    world.control(
        "POST", "draft", {"repository": "acme/shop", "number": number, "draft": False, "login": "olga"}
    )
    assert world.sent("pull_request", "ready_for_review")
    assert world.merge("olga", number).status == 200


def test_assignment_and_requested_reviews_are_in_state_timeline_and_webhooks(world: World) -> None:
    number = world.open_pull()
    assert world.shop("olga", "POST", f"/issues/{number}/assignees", {"assignees": ["ben"]}).status == 201
    asked = {"reviewers": ["rita"], "team_reviewers": ["payments-oncall"]}
    assert world.shop("olga", "POST", f"/pulls/{number}/requested_reviewers", asked).status == 201
    pull = world.pull_field(
        "assignees(first: 5) { nodes { login } } reviewRequests(first: 5) { nodes { requestedReviewer"
        " { __typename ... on User { login } ... on Team { slug } } } }"
    )
    assert pull["assignees"]["nodes"] == [{"login": "ben"}]
    assert [node["requestedReviewer"] for node in pull["reviewRequests"]["nodes"]] == [
        {"__typename": "User", "login": "rita"},
        {"__typename": "Team", "slug": "payments-oncall"},
    ]
    timeline = world.shop("olga", "GET", f"/issues/{number}/timeline").body
    assert [event["event"] for event in timeline] == ["assigned", "review_requested", "review_requested"]
    assert len(world.sent("pull_request", "review_requested")) == 2
    world.review("rita", number)
    left = world.shop("olga", "GET", f"/pulls/{number}/requested_reviewers").body
    assert (left["users"], [team["slug"] for team in left["teams"]]) == ([], ["payments-oncall"])

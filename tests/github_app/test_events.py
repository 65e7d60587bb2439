"""What follows from an event. Payloads are cut down to the fields that are read; the sandbox sends whole ones."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foureyes.github_app.events import HANDLED, SUBSCRIBED, UNASKED, Effects, effects
from foureyes.github_app.lanes import EVERY_BRANCH, Lane
from foureyes.github_app.seen import PushSeen, ReviewSeen, SeenReview
from foureyes.shared.people import Account, Kind

HEAD, BEFORE, BASE, ZERO = "a" * 40, "b" * 40, "c" * 40, "0" * 40
OLGA = {"id": 1, "login": "olga", "type": "User"}
ENVELOPE: dict[str, Any] = {
    "repository": {"id": 9, "full_name": "acme/shop", "default_branch": "main"},
    "installation": {"id": 7},
    "sender": OLGA,
}
PULL: dict[str, Any] = {
    "number": 412,
    "head": {"sha": HEAD, "ref": "fix", "repo": {"id": 9}},
    "base": {"sha": BASE, "ref": "main"},
}
REVIEW = {
    "id": 77,
    "state": "approved",
    "commit_id": HEAD,
    "user": {"id": 2, "login": "rita", "type": "User"},
}


def lane(head: str = HEAD, pull: int | None = 412) -> Lane:
    return Lane(7, 9, "acme/shop", head=head, pull=pull)


def pull_request(action: str, **over: Any) -> Effects:
    return effects("pull_request", {**ENVELOPE, "action": action, "pull_request": PULL, **over})


@pytest.mark.parametrize(
    "action",
    [
        "opened",
        "reopened",
        "edited",
        "closed",
        "converted_to_draft",
        "ready_for_review",
        "assigned",
        "new one",
    ],
)
def test_whatever_happens_to_a_pull_request_its_head_is_looked_at(action: str) -> None:
    assert pull_request(action) == Effects((lane(),))


def test_a_push_to_a_pull_request_names_who_pushed_and_wakes_the_head_that_was_left() -> None:
    found = pull_request("synchronize", before=BEFORE, after=HEAD)
    assert found.lanes == (lane(), lane(BEFORE))
    assert found.pushes == (PushSeen(9, "refs/heads/fix", BEFORE, HEAD, Account(1, "olga"), 9, 412),)


def test_a_late_synchronize_wakes_the_head_of_then_and_of_now() -> None:
    found = pull_request("synchronize", before=BEFORE, after="d" * 40)
    assert [each.head for each in found.lanes] == [HEAD, "d" * 40, BEFORE]
    assert found.pushes[0].after == "d" * 40


def test_a_pull_request_of_a_deleted_fork_still_names_its_pusher() -> None:
    pull = {**PULL, "head": {"sha": HEAD, "ref": "fix", "repo": None}}
    (push,) = pull_request("synchronize", before=BEFORE, after=HEAD, pull_request=pull).pushes
    assert (push.pull_repository_id, push.pull, push.account) == (9, 412, Account(1, "olga"))


def test_who_opens_a_pull_request_is_not_taken_for_who_pushed() -> None:
    assert pull_request("opened").pushes == ()


def test_a_bot_is_kept_as_a_bot_and_an_unknown_kind_as_nobody() -> None:
    bot = {"id": 5, "login": "app[bot]", "type": "Bot"}
    (push,) = pull_request("synchronize", before=BEFORE, after=HEAD, sender=bot).pushes
    assert push.account == Account(5, "app[bot]", Kind.BOT)
    for odd in (None, {"id": 5, "login": "x", "type": "Robot"}):
        (push,) = pull_request("synchronize", before=BEFORE, after=HEAD, sender=odd).pushes
        assert push.account is None


def review(action: str, **over: Any) -> Effects:
    payload = {**ENVELOPE, "action": action, "pull_request": PULL, "review": {**REVIEW, **over}}
    return effects("pull_request_review", payload)


def test_a_submitted_review_is_kept_with_what_it_was_given_on() -> None:
    given_on = SeenReview(commit="d" * 40, head=HEAD, base=BASE, base_ref="main", state="APPROVED")
    assert review("submitted", commit_id="d" * 40) == Effects(
        (lane(),), reviews=(ReviewSeen(77, 9, 412, Account(2, "rita"), given_on),)
    )


@pytest.mark.parametrize("action", ["edited", "dismissed"])
def test_a_later_event_about_a_review_does_not_tell_what_it_was_given_on(action: str) -> None:
    assert review(action) == Effects((lane(),))


def test_a_review_without_a_commit_is_looked_at_and_not_witnessed() -> None:
    assert review("submitted", commit_id=None) == Effects((lane(),))


def push(ref: str = "refs/heads/fix", after: str = HEAD, **over: Any) -> Effects:
    return effects("push", {**ENVELOPE, "ref": ref, "before": BEFORE, "after": after, **over})


def test_a_push_names_who_pushed() -> None:
    found = push()
    assert found.pushes == (PushSeen(9, "refs/heads/fix", BEFORE, HEAD, Account(1, "olga")),)
    assert [each.ref for each in found.lanes] == ["refs/heads/fix", "landed:refs/heads/fix"]


def test_a_push_to_the_default_branch_may_change_the_policy_for_every_branch() -> None:
    every, landed = push("refs/heads/main").lanes
    assert every == Lane(7, 9, "acme/shop", ref=EVERY_BRANCH)
    assert landed == Lane(7, 9, "acme/shop", ref="landed:refs/heads/main")


def switched(action: str = "edited", **changes: Any) -> Effects:
    home = {**ENVELOPE["repository"], "default_branch": "trunk"}
    return effects("repository", {**ENVELOPE, "repository": home, "action": action, "changes": changes})


def test_another_default_branch_may_bring_another_policy_for_every_branch() -> None:
    every, landed = switched(default_branch={"from": "main"}).lanes
    assert every == Lane(7, 9, "acme/shop", ref=EVERY_BRANCH)
    assert landed == Lane(7, 9, "acme/shop", ref="landed:refs/heads/trunk")


def test_whatever_else_happens_to_a_repository_changes_no_policy() -> None:
    others = [
        switched(description={"from": "a shop"}),
        effects("repository", {**ENVELOPE, "action": "edited"}),
    ]
    assert others == [Effects(note="the default branch is the same")] * 2


@pytest.mark.parametrize(("ref", "after"), [("refs/tags/v1", HEAD), ("refs/heads/fix", ZERO)])
def test_tags_and_deleted_branches_have_no_effect(ref: str, after: str) -> None:
    found = push(ref, after)
    assert (found.lanes, found.pushes) == ((), ())
    assert found.note


def test_running_again_is_one_more_look() -> None:
    run = {**ENVELOPE, "action": "rerequested", "check_run": {"head_sha": HEAD}}
    assert effects("check_run", run) == Effects((lane(pull=None),))
    suite = {**ENVELOPE, "action": "rerequested", "check_suite": {"head_sha": HEAD}}
    assert effects("check_suite", suite) == Effects((lane(pull=None),))


def test_other_programs_check_runs_cost_nothing() -> None:
    assert (
        effects("check_run", {**ENVELOPE, "action": "completed", "check_run": {"head_sha": HEAD}}).lanes == ()
    )


def test_installations_and_unknown_events_are_noted() -> None:
    assert effects("installation", {**ENVELOPE, "action": "created"}).note == "installation created by @olga"
    assert effects("star", ENVELOPE) == Effects(note="event star is not used")


@pytest.mark.parametrize("action", ["created", "deleted", "suspend", "unsuspend", "new_permissions_accepted"])
def test_where_the_app_is_installed_is_asked_at_once(action: str) -> None:
    assert effects("installation", {**ENVELOPE, "action": action}).errands == (("installations", 0),)


@pytest.mark.parametrize(
    ("event", "action"),
    [("installation_repositories", action) for action in ("added", "removed")]
    + [("repository", action) for action in ("archived", "deleted", "renamed", "transferred", "unarchived")],
)
def test_which_repositories_there_are_is_asked_at_once(event: str, action: str) -> None:
    found = effects(event, {**ENVELOPE, "action": action})
    assert found.errands == (("pulls:7", 7),)
    assert action in found.note


@pytest.mark.parametrize("action", ["created", "publicized", "privatized"])
def test_of_a_repository_nothing_else_matters(action: str) -> None:
    assert effects("repository", {**ENVELOPE, "action": action}).errands == ()


def test_every_handled_event_has_a_handler_and_no_other() -> None:
    assert HANDLED == SUBSCRIBED | UNASKED
    for event in HANDLED:
        assert "is not used" not in effects(event, {}).note


WHOLE = {
    "pull_request": {
        **ENVELOPE,
        "action": "synchronize",
        "before": BEFORE,
        "after": HEAD,
        "pull_request": PULL,
    },
    "pull_request_review": {**ENVELOPE, "action": "submitted", "pull_request": PULL, "review": REVIEW},
    "push": {**ENVELOPE, "ref": "refs/heads/main", "before": BEFORE, "after": HEAD},
    "check_run": {**ENVELOPE, "action": "rerequested", "check_run": {"head_sha": HEAD}},
    "repository": {**ENVELOPE, "action": "edited", "changes": {"default_branch": {"from": "trunk"}}},
}


def paths(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    below = (
        [p for name, part in value.items() for p in paths(part, (*path, name))]
        if isinstance(value, dict)
        else []
    )
    return [path, *below] if path else below


ODD = st.sampled_from(
    [
        None,
        0,
        -1,
        2**63,
        1.5,
        True,
        "",
        "x\0y",
        "\ud800",
        "x" * 2000,
        "A" * 40,
        [],
        {},
        {"id": "1"},
        ["a"],
        "0" * 39,
    ]
)


@given(st.data())
def test_no_payload_makes_an_event_fail_or_lets_odd_values_through(data: st.DataObject) -> None:
    event = data.draw(st.sampled_from(sorted(WHOLE)))
    payload = copy.deepcopy(WHOLE[event])
    path = data.draw(st.sampled_from(paths(payload)))
    parent: Any = payload
    for name in path[:-1]:
        parent = parent[name]
    parent[path[-1]] = data.draw(ODD)
    found = effects(event, payload)
    for each in found.lanes:
        each.key.encode()
        assert "\0" not in each.key + each.slug
        assert 0 < each.repository_id < 2**63
        assert 0 < each.installation_id < 2**63
        assert not each.head or len(each.head) in (40, 64)


@pytest.mark.parametrize("action", ["checks_requested", "destroyed"])
def test_a_merge_group_is_looked_at_when_it_comes_and_when_it_goes(action: str) -> None:
    group = {
        "head_sha": HEAD,
        "head_ref": "refs/heads/gh-readonly-queue/main/pr-1-x",
        "base_ref": "refs/heads/main",
    }
    found = effects("merge_group", {**ENVELOPE, "action": action, "merge_group": group})
    assert found.lanes == (Lane(7, 9, "acme/shop", head=HEAD, ref="group:refs/heads/main"),)


def test_the_branches_of_a_merge_queue_are_its_own() -> None:
    found = push("refs/heads/gh-readonly-queue/main/pr-1-x")
    assert (found.lanes, found.pushes) == ((), ())
    assert found.note

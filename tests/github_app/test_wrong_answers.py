"""GitHub's answers with one value of them wrong: another type than the schema's, null where it has none, gone. Each is
refused or Unknown. What Python would take for false, for 1 or for a text decides nothing.
"""

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest
from support_answer import HEAD, OLGA, RITA, answer, page, review

from foureyes.github_app import pull_query
from foureyes.github_app.answer import Answer
from foureyes.github_app.client import GitHubError
from foureyes.github_app.comments import ask_comments
from foureyes.github_app.last_look import look
from foureyes.github_app.pull_query import PullAnswer
from foureyes.github_app.queue_query import ask_queue
from foureyes.shared.facts import Known, Unknown

Path = tuple[str | int, ...]
GONE = object()

MAY_BE_NULL = re.compile(
    r"policy|policy\.(text|isBinary)|head|.*\b(author|committer|user|signer|actor|signature|review|authors\.nodes)|"
    r".*\.(name|email|conclusion|externalId|startedAt)|pullRequest\.(baseRef|headRef|headRepository|potentialMergeCommit)|"
    r"pullRequest\.reviews\.nodes\.commit|.*\b(author|user|signer|actor)\.databaseId"
)
"""Where null means something: nobody, none, gone."""
UNREAD = re.compile(
    r".*\b(byteSize|baseRefOid|endCursor|authors\.totalCount)|head\.oid|.*associatedPullRequests.*baseRefName|"
    r".*\bapp\b.*|cost|remaining|resetAt"
)
"""For people who look at an answer, or for a case that the recorded one is not."""


def whole() -> dict[str, Any]:
    """With a review that asks for changes, and one that was dismissed."""
    data = copy.deepcopy(answer())
    event = {
        "__typename": "ReviewDismissedEvent", "id": "E1", "createdAt": "2026-01-01T00:00:00Z", "actor": RITA,
        "previousReviewState": "CHANGES_REQUESTED", "review": {"fullDatabaseId": "9"},
    }  # fmt: skip
    pull = data["repository"]["pullRequest"]
    pull["reviews"] = page(review(state="DISMISSED"), review(10, "CHANGES_REQUESTED", OLGA))
    pull["timelineItems"] = page(event, count="filteredCount")
    return data


def leaves(data: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    if path and not UNREAD.fullmatch(named(path)):
        yield path, data
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield from leaves(value, (*path, key))


def named(path: Path) -> str:
    return ".".join(key for key in path[1:] if isinstance(key, str))


def wrong(path: Path, value: Any) -> list[Any]:
    """Of another type, null where that may not be, and none at all."""
    others: list[Any] = [] if MAY_BE_NULL.fullmatch(named(path)) else [None]
    if isinstance(path[-1], str) and not named(path).endswith("databaseId"):
        others.append(GONE)
    if isinstance(value, bool):
        return [*others, "false", 0]
    if isinstance(value, int):
        return [*others, "many", True]
    if isinstance(value, str):
        return [*others, True, {}]
    return [*others, True, "text"] if value is not None else [*others, {}]


def put(data: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(data)
    at: Any = changed
    for key in path[:-1]:
        at = at[key]
    if value is GONE:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return changed


class Client:
    class github:
        app_id = 42

    def __init__(self, data: Any) -> None:
        self.data = data

    def graphql(self, _query: str, _variables: object) -> Any:
        return self.data

    def graphql_answer(self, _query: str, _variables: object) -> Answer:
        return Answer(200, {}, self.data)


def unknown(found: PullAnswer) -> bool:
    parts = (found.commits, found.reviews, found.timeline, found.assignees, found.requested)
    return any(isinstance(part, Unknown) for part in parts)


def refused(data: Any) -> bool:
    try:
        found = ask(data)
    except GitHubError as error:
        return "not understood" in error.why
    return found is not None and unknown(found)


def ask(data: Any) -> PullAnswer | None:
    return pull_query.ask(Client(data), "acme/shop", 7, HEAD)  # type: ignore[arg-type]


PLACES = {".".join(map(str, path[1:])): path for path, _ in leaves(whole()) if path[1:]}


def test_the_answer_as_it_is_is_known() -> None:
    found = ask(whole())
    assert found is not None
    assert not unknown(found)


@pytest.mark.parametrize("place", PLACES)
def test_a_value_of_another_type_is_refused_or_unknown(place: str) -> None:
    value = dict(leaves(whole()))[PLACES[place]]
    for other in wrong(PLACES[place], value):
        assert refused(put(whole(), PLACES[place], other)), f"{place} = {other!r} was taken for an answer"


@pytest.mark.parametrize("state", ["CHANGES_REQUESTED", "DISMISSED", "APPROVED"])
def test_who_asks_for_changes_and_has_no_number_could_be_anybody(state: str) -> None:
    """An approval of such a one only does not count."""
    data = whole()
    nobody = {"__typename": "User", "login": "rita", "databaseId": None}
    data["repository"]["pullRequest"]["reviews"] = page(review(9, state, nobody))
    found = ask(data)
    assert found is not None
    assert isinstance(found.reviews, Known if state == "APPROVED" else Unknown)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("head",), None),
        (("head", "__typename"), "Tree"),
        (("head", "associatedPullRequests"), None),
        (("head", "associatedPullRequests", "totalCount"), 2),
        (("head", "checkSuites"), None),
    ],
    ids=["no head", "no commit", "no list of pull requests", "one of two pull requests", "no checks"],
)
def test_a_head_of_which_github_does_not_show_all_is_not_judged(path: Path, value: object) -> None:
    """Another pull request may have it, or a success stand on it."""
    with pytest.raises(GitHubError):
        ask(put(whole(), ("repository", *path), value))


def test_a_pull_request_that_is_listed_twice_hides_another_with_this_head() -> None:
    data = whole()
    others = data["repository"]["head"]["associatedPullRequests"]
    others.update(totalCount=2, nodes=[*others["nodes"], {**others["nodes"][0], "number": 9}])
    found = ask(data)
    assert found is not None
    assert found.shown.pulls == (7, 8, 9)
    others["nodes"] = others["nodes"][:1] * 2
    with pytest.raises(GitHubError):
        ask(data)


def test_an_event_that_is_listed_twice_hides_another() -> None:
    data = whole()
    (event,) = data["repository"]["pullRequest"]["timelineItems"]["nodes"]
    for second, kind in (("E1", Unknown), ("E2", Known)):
        twice = page(event, {**event, "id": second}, count="filteredCount")
        data["repository"]["pullRequest"]["timelineItems"] = twice
        found = ask(data)
        assert found is not None
        assert isinstance(found.timeline, kind)


def comments(*nodes: Any, **info: Any) -> Any:
    return {"repository": {"pullRequest": {"comments": page(*nodes, **info)}}}


def comment(number: int, **over: Any) -> dict[str, Any]:
    return {"id": f"C{number}", "body": "@copilot do it", "author": RITA, **over}


@pytest.mark.parametrize(
    "said",
    [
        comments(comment(1), comment(1)),
        comments(comment(1), total=2),
        comments(comment(1, body=None)),
        comments(comment(1), hasNextPage="false"),
        comments(None),
        {"repository": {"pullRequest": {"comments": "none"}}},
        {"repository": {"pullRequest": {"comments": {**page(), "nodes": None}}}},
    ],
    ids=["repeated", "cut", "no text", "hasNextPage is a text", "null", "no list", "no nodes"],
)
def test_comments_that_may_not_be_all_are_refused(said: Any) -> None:
    with pytest.raises(GitHubError):
        ask_comments(Client(said), "acme/shop", 7)  # type: ignore[arg-type]


LAST_LOOK = {
    "defaultBranchRef": {"name": "main"}, "policy": {"oid": "c" * 40},
    "pullRequest": {
        "state": "OPEN", "isDraft": False, "baseRefName": "main", "baseRef": {"target": {"oid": HEAD}},
        "headRefOid": HEAD, "reviews": {"totalCount": 0, "nodes": []},
    },
}  # fmt: skip


@pytest.mark.parametrize("field", ["isDraft", "headRefOid", "reviews"])
def test_a_last_look_that_is_not_understood_is_no_look(field: str) -> None:
    assert look(Client({"repository": LAST_LOOK}), "acme/shop", 7)  # type: ignore[arg-type]
    broken = put(LAST_LOOK, ("pullRequest", field), None)
    with pytest.raises(GitHubError):
        look(Client({"repository": broken}), "acme/shop", 7)  # type: ignore[arg-type]


@pytest.mark.parametrize("head", [5, "", "A" * 40, None])
def test_a_queue_that_is_not_understood_is_not_read_in_part(head: object) -> None:
    pull = {"number": 7, "headRefOid": head, "baseRefName": "main"}
    entry = {"baseCommit": None, "headCommit": None, "pullRequest": pull}
    queue = {"repository": {"mergeQueue": {"entries": {"totalCount": 1, "nodes": [entry]}}}}
    with pytest.raises(GitHubError):
        ask_queue(Client(queue), "acme/shop", "main")  # type: ignore[arg-type]

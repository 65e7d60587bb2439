"""The query holds to GitHub's schema, and its answer is complete or Unknown."""

import copy
import re
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest
from graphql import parse, validate
from support_answer import BASE, BOT, HEAD, OLGA, RITA, answer, commit, page, review

from foureyes.github_app import pull_query
from foureyes.github_app.answer import Answer
from foureyes.github_app.client import GitHubError
from foureyes.github_app.last_look import expected_look, look
from foureyes.github_app.open_pulls import OpenPull, ask_open_pulls
from foureyes.github_app.pull_query import PullAnswer, operation
from foureyes.github_app.sandbox import contract
from foureyes.shared.facts import Known, MoveKind, ReviewState, Unknown
from foureyes.shared.people import Account, Identity, Kind

NAMES = re.findall(r"^query (\w+)", (files("foureyes.github_app") / "pull_query.graphql").read_text(), re.M)


class Client:
    """Answers queries from a list."""

    class github:
        app_id = 42

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, Any]] = []

    def graphql(self, query: str, variables: dict[str, Any]) -> Any:
        return self.graphql_answer(query, variables).data

    def graphql_answer(self, _query: str, variables: dict[str, Any]) -> Answer:
        self.asked.append(variables)
        return Answer(200, {}, self.answers.pop(0))


def asked(*answers: Any) -> PullAnswer:
    found = pull_query.ask(Client(*answers), "acme/shop", 7, HEAD)  # type: ignore[arg-type]
    assert found is not None
    return found


def changed(change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    data = copy.deepcopy(answer())
    change(data["repository"])
    return data


@pytest.mark.parametrize("name", NAMES)
def test_each_operation_holds_to_githubs_schema(name: str) -> None:
    assert validate(contract.graphql_schema(), parse(operation(name))) == []


def test_blanks_around_an_address_make_no_other_person() -> None:
    def blank(repository: dict[str, Any]) -> None:
        sam = {"name": " Sam ", "email": " sam@acme.example ", "user": None}
        repository["pullRequest"]["commits"]["nodes"][0]["commit"]["authors"]["nodes"].append(sam)

    commits = asked(changed(blank)).commits
    assert isinstance(commits, Known)
    assert commits.value[HEAD].authors[-1].identity == Identity("Sam", "sam@acme.example")


def test_title_body_and_comments_are_not_even_asked_for() -> None:
    """Comments are, where a bot took part: for whom they mention, which can only exclude their author (G52)."""
    text = (files("foureyes.github_app") / "pull_query.graphql").read_text()
    text = re.sub(r"^query (?:Comments|Remarks)\b[\s\S]*?^}", "", text, flags=re.M)
    assert not re.search(r"\b(title\w*|body\w*|comments|labels|reactions)\b", re.sub(r"#.*", "", text))


def test_a_whole_answer_is_known() -> None:
    found = asked(answer())
    assert found.pull.base == BASE
    assert found.pull.author == Account(1, "olga")
    assert isinstance(found.commits, Known)
    assert found.commits.value[HEAD].signer == Account(1, "olga")
    assert isinstance(found.reviews, Known)
    assert found.reviews.value[0].state is ReviewState.APPROVED
    assert found.shown.pulls == (7, 8)
    assert (found.shown.checks[0].status, found.shown.checks[0].conclusion) == ("completed", "success")


@pytest.mark.parametrize(
    ("part", "nodes", "empty"),
    [
        ("commits", [commit()], "totalCount"),
        ("reviews", [review()], "totalCount"),
        ("timelineItems", [], "filteredCount"),
    ],
)
def test_G31_a_list_that_is_shorter_than_its_count_is_unknown(
    part: str, nodes: list[Any], empty: str
) -> None:
    found = asked(
        changed(lambda r: r["pullRequest"].update({part: page(*nodes, total=len(nodes) + 1, count=empty)}))
    )
    name = {"timelineItems": "timeline"}.get(part, part)
    assert isinstance(getattr(found, name), Unknown)


def further(*nodes: Any, head: str = HEAD, total: int, **info: Any) -> dict[str, Any]:
    return {"repository": {"pullRequest": {"headRefOid": head, "page": page(*nodes, total=total, **info)}}}


def with_pages(total: int) -> dict[str, Any]:
    first = page(commit(), total=total, hasNextPage=True, endCursor="one")
    return changed(lambda r: r["pullRequest"].update(commits=first))


def test_further_pages_are_read() -> None:
    found = asked(with_pages(2), further(commit("d" * 40), total=2))
    assert isinstance(found.commits, Known)
    assert set(found.commits.value) == {HEAD, "d" * 40}


@pytest.mark.parametrize(
    "second",
    [
        further(commit("d" * 40), total=3),
        further(commit("d" * 40), total=2, head="e" * 40),
        further(commit("d" * 40), total=2, hasNextPage=True, endCursor="one"),
        further(total=2),
    ],
)
def test_pages_that_do_not_fit_together_are_unknown(second: dict[str, Any]) -> None:
    assert isinstance(asked(with_pages(2), second).commits, Unknown)


def test_a_review_that_is_listed_twice_hides_another() -> None:
    first = page(review(), total=2, hasNextPage=True, endCursor="one")
    twice = changed(lambda r: r["pullRequest"].update(reviews=first))
    assert isinstance(asked(twice, further(review(), total=2)).reviews, Unknown)


def test_an_unknown_enum_is_never_guessed() -> None:
    odd = changed(lambda r: r["pullRequest"].update(reviews=page(review(state="HALF_APPROVED"))))
    assert isinstance(asked(odd).reviews, Unknown)
    event = {"__typename": "SomethingNew"}
    odd = changed(lambda r: r["pullRequest"].update(timelineItems=page(event, count="filteredCount")))
    assert isinstance(asked(odd).timeline, Unknown)
    with pytest.raises(GitHubError):
        asked(changed(lambda r: r["pullRequest"].update(state="LIMBO")))
    with pytest.raises(GitHubError):
        asked(changed(lambda r: r["pullRequest"].update(author={**OLGA, "__typename": "Robot"})))


@pytest.mark.parametrize("part", ["databaseId", "defaultBranchRef", "pullRequest", "head", "policy"])
def test_a_missing_part_is_an_error(part: str) -> None:
    with pytest.raises(GitHubError):
        asked(changed(lambda r: r.pop(part)))


def test_more_pull_requests_or_checks_than_listed_is_an_error() -> None:
    with pytest.raises(GitHubError):
        asked(changed(lambda r: r["head"]["associatedPullRequests"].update(totalCount=51)))
    with pytest.raises(GitHubError):
        asked(changed(lambda r: r["head"]["checkSuites"].update(totalCount=11)))


def test_nobody_is_nobody_and_a_bot_is_a_bot() -> None:
    found = asked(changed(lambda r: r["pullRequest"].update(author=None, reviews=page(review(author=BOT)))))
    assert found.pull.author is None
    assert isinstance(found.reviews, Known)
    assert found.reviews.value[0].account == Account(198982749, "copilot", Kind.BOT)


def test_a_signature_that_is_not_valid_or_githubs_own_names_no_signer() -> None:
    for signature in (
        {"isValid": False, "wasSignedByGitHub": False, "signer": OLGA},
        {"isValid": True, "wasSignedByGitHub": True, "signer": OLGA},
        None,
    ):
        node = commit()
        node["commit"]["signature"] = signature
        found = asked(changed(lambda r, node=node: r["pullRequest"].update(commits=page(node))))  # type: ignore[misc]
        assert isinstance(found.commits, Known)
        assert found.commits.value[HEAD].signer is None


@pytest.mark.parametrize(
    "policy",
    [
        {"__typename": "Tree", "oid": "c" * 40},
        {
            "__typename": "Blob",
            "oid": "c" * 40,
            "byteSize": 9,
            "isBinary": True,
            "isTruncated": False,
            "text": None,
        },
        {
            "__typename": "Blob",
            "oid": "c" * 40,
            "byteSize": 9,
            "isBinary": False,
            "isTruncated": True,
            "text": "vers",
        },
    ],
)
def test_a_policy_that_cannot_be_read_has_no_text(policy: dict[str, Any]) -> None:
    found = asked(changed(lambda r: r.update(policy=policy))).ground.policy
    assert found is not None
    assert found.text is None
    assert found.problem
    assert asked(changed(lambda r: r.update(policy=None))).ground.policy is None


def test_moves_and_dismissals_are_told() -> None:
    events = [
        {"__typename": "HeadRefForcePushedEvent", "id": "1", "createdAt": "2026-01-01T00:00:00Z", "actor": OLGA},
        {"__typename": "ReviewDismissedEvent", "id": "2", "createdAt": "2026-01-01T00:00:00Z", "actor": RITA,
         "previousReviewState": "APPROVED", "review": {"fullDatabaseId": "9"}},
        {"__typename": "AssignedEvent", "id": "3", "createdAt": "2026-01-01T00:00:00Z", "actor": OLGA,
         "assignee": {"__typename": "Bot"}},
    ]  # fmt: skip
    found = asked(
        changed(lambda r: r["pullRequest"].update(timelineItems=page(*events, count="filteredCount")))
    )
    assert isinstance(found.timeline, Known)
    moved, dismissed, assigned = found.timeline.value
    assert pull_query.MOVES[moved.kind] is MoveKind.FORCE_PUSHED
    assert (dismissed.review, dismissed.previous, dismissed.actor) == (
        9,
        ReviewState.APPROVED,
        Account(2, "rita"),
    )
    assert assigned.whose == "Bot"


def last_look() -> dict[str, Any]:
    return {
        "repository": {
            "defaultBranchRef": {"name": "main"}, "policy": {"__typename": "Blob", "oid": "c" * 40},
            "pullRequest": {
                "state": "OPEN", "isDraft": False, "baseRefName": "main", "baseRef": {"target": {"oid": BASE}},
                "headRefOid": HEAD,
                "reviews": {"totalCount": 1, "nodes": [{"fullDatabaseId": "9", "state": "APPROVED",
                            "authorCanPushToRepository": True, "commit": {"oid": HEAD}}]},
            },
        }
    }  # fmt: skip


def test_G22_the_last_look_is_equal_only_if_nothing_moved() -> None:
    expected = expected_look(asked(answer()))
    assert look(Client(last_look()), "acme/shop", 7) == expected  # type: ignore[arg-type]
    moves: list[Callable[[dict[str, Any]], object]] = [
        lambda r: r["pullRequest"].update(headRefOid="e" * 40),
        lambda r: r["pullRequest"].update(isDraft=True),
        lambda r: r["pullRequest"].update(state="CLOSED"),
        lambda r: r["pullRequest"].update(baseRefName="release/1"),
        lambda r: r["pullRequest"]["baseRef"]["target"].update(oid="e" * 40),
        lambda r: r["pullRequest"]["reviews"].update(totalCount=2),
        lambda r: r["pullRequest"]["reviews"]["nodes"][0].update(state="DISMISSED"),
        lambda r: r["pullRequest"]["reviews"]["nodes"][0].update(authorCanPushToRepository=False),
        lambda r: r["policy"].update(oid="e" * 40),
        lambda r: r.update(policy=None),
        lambda r: r["defaultBranchRef"].update(name="trunk"),
    ]
    for move in moves:
        data = last_look()
        move(data["repository"])
        assert look(Client(data), "acme/shop", 7) != expected  # type: ignore[arg-type]


def test_open_pull_requests_are_listed_to_the_end() -> None:
    def listed(*heads: tuple[int, str], more: str | None) -> dict[str, Any]:
        nodes = [{"number": number, "headRefOid": head, "baseRefName": "main"} for number, head in heads]
        info = {"hasNextPage": more is not None, "endCursor": more}
        found = {"pageInfo": info, "nodes": nodes, "totalCount": 2}
        return {"repository": {"databaseId": 5, "pullRequests": found}}

    client = Client(listed((1, HEAD), more="x"), listed((2, BASE), more=None))
    found = ask_open_pulls(client, "acme/shop", "main")  # type: ignore[arg-type]
    assert found == (OpenPull(1, HEAD, "main"), OpenPull(2, BASE, "main"))
    assert [variables["after"] for variables in client.asked] == [None, "x"]
    for second in ((1, HEAD), (2, "")):
        client = Client(listed((1, HEAD), more="x"), listed(second, more=None))
        with pytest.raises(GitHubError):
            ask_open_pulls(client, "acme/shop", "main")  # type: ignore[arg-type]


def test_ten_thousand_open_pull_requests_are_listed_too() -> None:
    node = {"headRefOid": HEAD, "baseRefName": "main"}
    pages = [
        {
            "pageInfo": {"hasNextPage": page < 101, "endCursor": str(page)},
            "nodes": [{"number": page, **node}],
            "totalCount": 102,
        }
        for page in range(102)
    ]
    client = Client(*({"repository": {"pullRequests": page}} for page in pages))
    assert len(ask_open_pulls(client, "acme/shop", None)) == 102  # type: ignore[arg-type]

"""The judge of GraphQL answers: right ones pass, each kind of wrong one is noticed."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from graphql import parse
from support_graphql import answer_errors

from foureyes.github_app.sandbox import contract

QUERY = """
query ($n: Int!) {
  repository(owner: "acme", name: "shop") {
    policy: object(expression: "HEAD:x") { ... on Blob { oid text isTruncated } ... on Tree { entries { name } } }
    pullRequest(number: $n) {
      number state mergedAt
      author { __typename login ... on User { databaseId } ...bot }
      reviews(first: 2) { totalCount nodes { state body @include(if: false) commit { oid } } }
    }
  }
}
fragment bot on Bot { databaseId id }
"""
RIGHT: dict[str, Any] = {
    "data": {
        "repository": {
            "policy": {"oid": "a" * 40, "text": "version: 1", "isTruncated": False},
            "pullRequest": {
                "number": 7,
                "state": "OPEN",
                "mergedAt": None,
                "author": {"__typename": "Bot", "login": "renovate", "databaseId": 3, "id": "B_3"},
                "reviews": {"totalCount": 2, "nodes": [{"state": "APPROVED", "commit": None}, None]},
            },
        }
    }
}


def problems(answer: dict[str, Any]) -> list[str]:
    return answer_errors(contract.graphql_schema(), parse(QUERY), answer)


def changed(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    answer = copy.deepcopy(RIGHT)
    change(answer["data"]["repository"])
    return answer


def test_a_right_answer_has_no_problems() -> None:
    assert problems(RIGHT) == []
    assert problems({"data": {"repository": None}}) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda r: r["pullRequest"].update(state="open"), "state is 'open', which PullRequestState does not have"),
        (lambda r: r["pullRequest"].update(number=None), "number is null"),
        (lambda r: r["pullRequest"].update(number="7"), "number is '7', which is no Int"),
        (lambda r: r["pullRequest"].update(number=True), "number is True, which is no Int"),
        (lambda r: r["pullRequest"].pop("mergedAt"), "mergedAt is missing"),
        (lambda r: r["pullRequest"].update(title="x"), "title was not asked for"),
        (lambda r: r["pullRequest"]["author"].update(__typename="Team"), "a Team, which is no Actor"),
        (lambda r: r["pullRequest"]["author"].update(__typename="Nobody"), "a Nobody, which is no Actor"),
        (lambda r: r["pullRequest"]["author"].pop("id"), "author.id is missing"),
        (lambda r: r["pullRequest"]["author"].update(__typename="Mannequin"), "author.databaseId was not asked for"),
        (lambda r: r["pullRequest"]["reviews"].update(nodes={}), "nodes is not a list"),
        (lambda r: r["pullRequest"]["reviews"]["nodes"].append(3), "nodes.2 is not an object"),
        (lambda r: r["pullRequest"]["reviews"]["nodes"][0].update(state="approved"), "nodes.0.state"),
        (lambda r: r["policy"].update(oid=5), "policy.oid is 5"),
        (lambda r: r["policy"].update(size=5), "policy.size was not asked for"),
    ],
)  # fmt: skip
def test_a_wrong_answer_is_told(change: Callable[[dict[str, Any]], Any], told: str) -> None:
    found = problems(changed(change))
    assert any(told in text for text in found), found


def test_with_errors_null_may_stand_anywhere_but_nothing_else_is_excused() -> None:
    assert problems({"data": None, "errors": [{"message": "x"}]}) == []
    failed = changed(lambda r: r["pullRequest"].update(number=None))
    assert problems({**failed, "errors": [{"message": "x"}]}) == []
    wrong = changed(lambda r: r["pullRequest"].update(number=[]))
    assert problems({**wrong, "errors": [{"message": "x"}]})


def test_no_data_and_no_errors_is_a_problem() -> None:
    assert problems({"data": None}) == ["data is null and must not be"]

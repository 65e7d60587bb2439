"""The guard that stands between the tests and the sandbox: it must notice, and must not change what passes."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask, Response, request
from support_contract import ContractGuard, Violation
from werkzeug.test import Client

from foureyes.github_app.sandbox import contract

OID = "b" * 40
REF = {
    "ref": "refs/heads/main",
    "node_id": "MDM6UmVm",
    "url": "https://github.invalid/api/v3/ref",
    "object": {"type": "commit", "sha": OID, "url": "https://github.invalid/api/v3/commit"},
}
REF_URL = "/api/v3/repos/acme/shop/git/ref/heads/main"
CHECK_URL = "/api/v3/repos/acme/shop/check-runs"

Answer = Callable[[], Response]


def _json(value: Any, status: int = 200, **headers: str) -> Response:
    return Response(json.dumps(value), status, headers, content_type="application/json; charset=utf-8")


def _guarded(answer: Answer) -> tuple[ContractGuard, Client]:
    app = Flask(__name__)

    @app.route("/", defaults={"path": ""}, methods=["GET", "POST", "PUT"])
    @app.route("/<path:path>", methods=["GET", "POST", "PUT"])
    def anything(path: str) -> Response:
        return answer()

    guard = ContractGuard(app.wsgi_app)
    return guard, Client(guard)


def test_what_is_right_passes_unchanged_and_is_counted() -> None:
    guard, client = _guarded(lambda: _json(REF, ETag='"x"'))
    answer = client.get(REF_URL)
    assert (answer.status_code, answer.json, answer.headers["ETag"]) == (200, REF, '"x"')
    guard.check()
    assert guard.seen == {"git/get-ref": 1}


def test_the_request_body_reaches_the_application() -> None:
    guard, client = _guarded(lambda: _json({"message": request.get_data(as_text=True)}, 422))
    body = {"name": "foureyes", "head_sha": OID}
    assert json.loads(client.post(CHECK_URL, json=body).json["message"]) == body  # type: ignore[index]
    guard.check()


@pytest.mark.parametrize(
    ("answer", "part"),
    [
        (lambda: _json({**REF, "ref": None}), "ref"),
        (lambda: _json({key: REF[key] for key in ("ref", "url")}), "node_id"),
        (lambda: _json({"oops": 1}, 418), "form of an error"),
        (lambda: _json({"message": "boom"}, 500), "without X-Sandbox-Fault"),
        (lambda: _json({"message": "later"}, 501), "without X-Sandbox-Fault"),
        (lambda: Response("not JSON", 200, content_type="application/json"), "answer 200"),
        (lambda: Response("", 302), "no such answer"),
    ],
)
def test_a_wrong_answer_is_noticed(answer: Answer, part: str) -> None:
    guard, client = _guarded(answer)
    client.get(REF_URL)
    with pytest.raises(Violation, match=part):
        guard.check()
    guard.check()


def test_an_answer_that_is_wrong_on_purpose_is_left_alone_but_its_request_is_not() -> None:
    guard, client = _guarded(lambda: _json("garbage", 502, **{contract.FAULT_HEADER: "bad gateway"}))
    client.get(REF_URL)
    guard.check()
    client.post(CHECK_URL, json={"name": "foureyes"})
    with pytest.raises(Violation, match="head_sha"):
        guard.check()


def test_an_operation_outside_the_contract_is_a_violation() -> None:
    guard, client = _guarded(lambda: _json({"message": "not supported"}, 501))
    client.get("/api/v3/gists")
    with pytest.raises(Violation, match="GET /gists is not in the contract"):
        guard.check()


def test_a_mistake_on_purpose_is_expected_by_name_and_must_happen() -> None:
    guard, client = _guarded(lambda: _json({"message": "Invalid request."}, 422))
    with guard.expecting("head_sha"):
        client.post(CHECK_URL, json={"name": "foureyes"})
    guard.check()
    with pytest.raises(Violation, match="expected"), guard.expecting("head_sha"):
        client.get(REF_URL)

    def another_as_well() -> None:
        with guard.expecting("head_sha"):
            client.post(CHECK_URL, json={"name": "foureyes"})
            client.get("/api/v3/gists")

    with pytest.raises(Violation, match="expected"):
        another_as_well()


@pytest.mark.parametrize(
    ("query", "variables", "part"),
    [
        ("{ viewer { login", {}, "Syntax Error"),
        ("{ viewer { shoeSize } }", {}, "shoeSize"),
        ("query ($n: Int!) { repository(owner: \"a\", name: \"b\") { pullRequest(number: $n) { id } } }", {}, "n"),
    ],
)  # fmt: skip
def test_a_wrong_graphql_request_is_noticed(query: str, variables: dict[str, Any], part: str) -> None:
    guard, client = _guarded(lambda: _json({"data": {}}))
    client.post("/api/graphql", json={"query": query, "variables": variables})
    with pytest.raises(Violation, match=part):
        guard.check()


def test_a_graphql_answer_has_data_or_errors() -> None:
    answers: Iterator[Any] = iter([{"data": None, "errors": [{"message": "x"}]}, {"message": "x"}])
    guard, client = _guarded(lambda: _json(next(answers)))
    client.post("/api/graphql", json={"query": "{ viewer { login } }"})
    guard.check()
    client.post("/api/graphql", json={"query": "{ viewer { login } }"})
    with pytest.raises(Violation, match="neither data nor errors"):
        guard.check()


def test_a_request_that_is_no_graphql_at_all_is_noticed_not_raised() -> None:
    guard, client = _guarded(lambda: _json({"message": "Problems parsing JSON"}, 400))
    assert client.post("/api/graphql", data=b"\xff").status_code == 400
    with pytest.raises(Violation, match="graphql"):
        guard.check()


def test_what_is_not_the_api_is_none_of_its_business() -> None:
    guard, client = _guarded(lambda: Response("pack", 299))
    assert client.post("/acme/shop.git/git-upload-pack", data=b"0000").data == b"pack"
    guard.check()
    assert guard.seen == {}


def test_webhooks_are_judged_as_sent() -> None:
    guard, _ = _guarded(lambda: _json({}))
    guard.webhook("merge_group", {"action": "checks_requested"})
    with pytest.raises(Violation, match="merge_group"):
        guard.check()
    guard.webhook("gollum", {"pages": []})
    with pytest.raises(Violation, match=r"gollum\. is not in the contract"):
        guard.check()

"""GitHub's contracts as vendored: complete, matched rightly, and each known deviation still needed."""

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import build_ast_schema, parse
from graphql.type import validate_schema
from openapi_spec_validator import OpenAPIV30SpecValidator
from support_contract import (
    Violation,
    validate_graphql,
    validate_request,
    validate_response,
    validate_webhook,
    value_errors,
)

from foureyes.github_app.sandbox import contract

SELECTION = contract.as_published("selection.json")
REPO = "/repos/acme/shop"
OID = "a" * 40


def _nullable_enums(node: Any, at: str = "") -> Iterator[str]:
    if isinstance(node, dict):
        if node.get("nullable") is True and "enum" in node and None not in node["enum"]:
            yield at
        for key, value in node.items():
            yield from _nullable_enums(value, f"{at}/{str(key).replace('~', '~0').replace('/', '~1')}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _nullable_enums(value, f"{at}/{index}")


def test_the_rest_contract_is_a_valid_openapi_document() -> None:
    assert list(OpenAPIV30SpecValidator(contract.rest()).iter_errors()) == []


def test_the_rest_contract_holds_exactly_what_is_selected() -> None:
    assert sorted(f"{method} {path}" for method, path, _ in contract.operations()) == sorted(
        SELECTION["operations"]
    )


@pytest.mark.parametrize(("method", "template", "name"), contract.operations())
def test_every_operation_is_found_by_its_own_path(method: str, template: str, name: str) -> None:
    values = {key: f"v-{key}" for key in re.findall(r"\{(\w+)\}", template)}
    found = contract.operation(method, template.format(**values))
    assert found is not None
    assert (found.id, found.template, dict(found.parameters)) == (name, template, values)


@pytest.mark.parametrize(
    ("method", "path", "name", "parameter"),
    [
        ("GET", f"{REPO}/contents/.github/foureyes.yml", "repos/get-content", ("path", ".github/foureyes.yml")),
        ("GET", f"{REPO}/branches/release/1", "repos/get-branch", ("branch", "release/1")),
        ("GET", f"{REPO}/branches/release/1/protection", "repos/get-branch-protection", ("branch", "release/1")),
        ("GET", f"{REPO}/commits/heads/x/check-runs", "checks/list-for-ref", ("ref", "heads/x")),
        ("GET", f"{REPO}/git/ref/heads%2Fx", "git/get-ref", ("ref", "heads/x")),
        ("GET", f"{REPO}/compare/main...feature/x", "repos/compare-commits-with-basehead", ("basehead", "main...feature/x")),
        ("get", "/user/17", "users/get-by-id", ("account_id", "17")),
    ],
)  # fmt: skip
def test_references_and_file_paths_may_hold_slashes(
    method: str, path: str, name: str, parameter: tuple[str, str]
) -> None:
    found = contract.operation(method, path)
    assert found is not None
    assert found.id == name
    assert parameter in found.parameters.items()


@pytest.mark.parametrize(
    "path", ["/", "/repos/acme", f"{REPO}/pulls/1/nonsense", "/gists", "/users/a/b/keys"]
)
def test_what_is_not_in_the_contract_is_not_found(path: str) -> None:
    assert contract.operation("GET", path) is None
    assert contract.allowed_methods(path) == ()


def test_methods_of_a_path() -> None:
    assert contract.allowed_methods(f"{REPO}/pulls/7/merge") == ("GET", "PUT")


def test_the_graphql_subset_is_a_valid_schema_of_the_selected_types() -> None:
    schema = build_ast_schema(parse(contract.text("schema.graphql")))
    assert validate_schema(schema) == []
    assert set(SELECTION["types"]) <= set(schema.type_map)


def test_each_graphql_extension_is_still_missing_upstream_and_names_its_source() -> None:
    published = build_ast_schema(parse(contract.text("schema.graphql")))
    extended = contract.graphql_schema()
    lines = contract.text("extensions.graphql").splitlines()
    fields = [line for line in lines if re.match(r"\s+\w+: ", line)]
    assert fields
    assert all("# " in line for line in fields)
    owner = ""
    for line in lines:
        if match := re.match(r"(extend )?type (\w+)", line):
            owner = match[2]
            assert (owner in published.type_map) == bool(match[1]), owner
        elif match := re.match(r"\s+(\w+): ", line):
            known = published.type_map.get(owner)
            assert known is None or match[1] not in known.fields, f"{owner}.{match[1]} is published now"  # type: ignore[attr-defined]
            assert match[1] in extended.type_map[owner].fields  # type: ignore[attr-defined]


ONE_QUERY = """
query ($owner: String!, $name: String!, $number: Int!, $expression: String!) {
  repository(owner: $owner, name: $name) {
    policy: object(expression: $expression) { ... on Blob { oid byteSize isBinary isTruncated text } }
    defaultBranchRef { name target { oid } }
    codeowners { errors { kind line path message } }
    pullRequest(number: $number) {
      id number state isDraft isCrossRepository maintainerCanModify title body createdAt
      author { __typename login ... on User { databaseId } ... on Bot { databaseId } ... on Mannequin { databaseId } }
      baseRefName baseRefOid headRefName headRefOid headRepository { nameWithOwner } baseRef { target { oid } }
      stack { number size baseRefName } stackEntry { position }
      potentialMergeCommit { oid } changedFiles isInMergeQueue reviewDecision
      autoMergeRequest { enabledAt enabledBy { login } }
      assignees(first: 20) { totalCount nodes { login databaseId } }
      reviewRequests(first: 20) { nodes { requestedReviewer { __typename ... on User { login } ... on Team { slug } } } }
      files(first: 100) { totalCount pageInfo { hasNextPage endCursor } nodes { path changeType additions deletions } }
      commits(first: 100) { totalCount pageInfo { hasNextPage endCursor } nodes { commit {
        oid message authoredDate committedDate committedViaWeb parents(first: 3) { nodes { oid } }
        author { name email user { login databaseId } } committer { name email user { login databaseId } }
        authors(first: 10) { totalCount nodes { name email user { login databaseId } } }
        signature { isValid state wasSignedByGitHub signature payload signer { login databaseId } } } } }
      reviews(first: 100, states: [APPROVED, CHANGES_REQUESTED, DISMISSED]) { totalCount nodes {
        id fullDatabaseId state submittedAt authorAssociation authorCanPushToRepository commit { oid } author { login } } }
      timelineItems(first: 100, itemTypes: [HEAD_REF_FORCE_PUSHED_EVENT, HEAD_REF_RESTORED_EVENT,
          BASE_REF_CHANGED_EVENT, BASE_REF_FORCE_PUSHED_EVENT, REVIEW_DISMISSED_EVENT, REVIEW_REQUESTED_EVENT,
          ASSIGNED_EVENT, UNASSIGNED_EVENT, READY_FOR_REVIEW_EVENT, ADDED_TO_MERGE_QUEUE_EVENT]) {
        totalCount nodes { __typename
          ... on HeadRefForcePushedEvent { createdAt actor { login } beforeCommit { oid } afterCommit { oid } }
          ... on BaseRefChangedEvent { createdAt previousRefName currentRefName }
          ... on ReviewDismissedEvent { createdAt actor { login } previousReviewState review { fullDatabaseId } }
          ... on AssignedEvent { createdAt actor { login } assignee { ... on Bot { login } ... on User { login } } } } }
      head: commits(last: 1) { nodes { commit {
        associatedPullRequests(first: 20) { totalCount nodes { number state baseRefName headRefOid } }
        checkSuites(first: 10) { nodes { app { databaseId }
          checkRuns(first: 5, filterBy: {checkName: "foureyes", checkType: LATEST}) {
            nodes { databaseId status conclusion externalId } } } } } } }
    }
    mergeQueue(branch: "main") { entries(first: 50) { nodes { headCommit { oid } baseCommit { oid } pullRequest { number } } } }
  }
  rateLimit { cost remaining resetAt }
  organization(login: $owner) { team(slug: "engineers") { members(first: 100) { nodes { login databaseId } } } }
}
"""


def test_one_query_for_everything_an_evaluation_reads_is_within_the_schema() -> None:
    variables = {"owner": "acme", "name": "shop", "number": 7, "expression": "HEAD:.github/foureyes.yml"}
    validate_graphql(ONE_QUERY, variables)
    with pytest.raises(Violation, match="number"):
        validate_graphql(ONE_QUERY, {**variables, "number": "seven"})
    with pytest.raises(Violation, match="previousFilename"):
        validate_graphql(ONE_QUERY.replace("changeType", "previousFilename"), variables)


def test_every_nullable_enum_of_the_contract_is_a_listed_deviation() -> None:
    found = {
        (name, at)
        for name in ("rest.json", "webhooks.json")
        for at in _nullable_enums(contract.as_published(name))
    }
    listed = {(item.file, item.at) for item in contract.deviations() if item.change == {"+enum": [None]}}
    assert found == listed


def _nullable_choices(node: Any, at: str = "") -> Iterator[str]:
    if isinstance(node, dict):
        if node.get("nullable") is True and "type" not in node and {"oneOf", "anyOf", "allOf"} & set(node):
            yield at
        for key, value in node.items():
            yield from _nullable_choices(value, f"{at}/{str(key).replace('~', '~0').replace('/', '~1')}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _nullable_choices(value, f"{at}/{index}")


def test_every_choice_that_should_be_nullable_is_a_listed_deviation() -> None:
    """`pushed_at` aside: it is null for a repository that nobody has pushed to, of which no event of ours tells."""
    found = {
        (name, at)
        for name in ("rest.json", "webhooks.json")
        for at in _nullable_choices(contract.as_published(name))
        if not at.endswith("/pushed_at")
    }
    assert found <= {(item.file, item.at) for item in contract.deviations()}


@pytest.mark.parametrize(
    "deviation", contract.deviations(), ids=lambda item: item.at.rsplit("/components/", 1)[-1]
)
def test_each_deviation_is_still_needed_and_enough(deviation: contract.Deviation) -> None:
    published = contract.as_published(deviation.file)
    assert value_errors(published, deviation.at, deviation.sends), (
        "upstream has mended it: take the deviation out"
    )
    mended = copy.deepcopy(published)
    contract.deviate(mended, deviation)
    assert value_errors(mended, deviation.at, deviation.sends) == []
    wrong = ({"not": "this"}, ["this"], 3.5)
    assert any(value_errors(mended, deviation.at, value) for value in wrong), "it lets everything through"
    applied = {"rest.json": contract.rest, "webhooks.json": contract.webhooks}[deviation.file]()
    assert value_errors(applied, deviation.at, deviation.sends) == []


def test_deviations_are_named_once_and_have_reasons() -> None:
    places = [(item.file, item.at) for item in contract.deviations()]
    assert len(places) == len(set(places))
    assert all(len(item.reason) > 30 for item in contract.deviations())


def test_selected_webhooks_are_there_with_the_actions_that_are_published() -> None:
    found = contract.webhooks()["events"]
    assert set(found) == set(SELECTION["webhooks"])
    for event, actions in SELECTION["webhooks"].items():
        published = contract.events()[event]["actions"] or [""]
        assert set(found[event]) == set(actions or published), event


def test_a_webhook_schema_says_the_action_it_is_filed_under() -> None:
    for event, actions in contract.webhooks()["events"].items():
        for action, name in actions.items():
            schema = contract.webhooks()["components"]["schemas"][name]
            said = schema.get("properties", {}).get("action", {}).get("enum", [action])
            assert said == [action], (event, action)


def test_an_unknown_event_or_action_has_no_schema() -> None:
    assert contract.webhook_schema("pull_request", "opened") is not None
    assert contract.webhook_schema("pull_request", "approved") is None
    assert contract.webhook_schema("nonsense", None) is None
    with pytest.raises(Violation, match="not in the contract"):
        validate_webhook("pull_request", "approved", {})


def test_a_webhook_payload_is_judged_by_its_schema() -> None:
    with pytest.raises(Violation, match="'merge_group' is a required property"):
        validate_webhook("merge_group", "checks_requested", {"action": "checks_requested"})
    with pytest.raises(Violation, match="says action 'opened'"):
        validate_webhook("pull_request", "closed", {"action": "opened"})


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"name": "foureyes"}, "head_sha"),
        ({"name": "foureyes", "head_sha": OID, "status": "completed", "conclusion": "approved"}, "approved"),
        ({"name": "foureyes", "head_sha": OID, "output": {"title": "t"}}, "summary"),
        ({"name": "foureyes", "head_sha": OID, "actions": [{"label": "x" * 21, "identifier": "i", "description": "d"}]}, "too long"),
    ],
)  # fmt: skip
def test_a_wrong_check_run_is_refused(body: dict[str, Any], problem: str) -> None:
    with pytest.raises(Violation, match=problem):
        validate_request("POST", f"{REPO}/check-runs", body)


def test_a_right_check_run_is_accepted() -> None:
    body = {
        "name": "foureyes",
        "head_sha": OID,
        "status": "in_progress",
        "output": {"title": "t", "summary": "s"},
    }
    found = validate_request("POST", f"http://127.0.0.1:1/api/v3{REPO}/check-runs", body)
    assert found.id == "checks/create"
    assert found.for_apps


@pytest.mark.parametrize("query", ["per_page=many", "per_page=30&page=two"])
def test_query_parameters_are_judged(query: str) -> None:
    validate_request("GET", f"{REPO}/pulls?state=open&per_page=100")
    with pytest.raises(Violation):
        validate_request("GET", f"{REPO}/pulls?{query}")


def test_an_answer_is_judged() -> None:
    validate_response(
        "GET", "/rate_limit", 404, {"message": "Not Found", "documentation_url": "https://x", "status": "404"}
    )
    with pytest.raises(Violation, match="form of an error"):
        validate_response("GET", "/user", 429, {"error": "slow down"})
    with pytest.raises(Violation, match="no such answer"):
        validate_response("GET", "/user", 203, {})
    with pytest.raises(Violation, match="required"):
        validate_response("GET", f"{REPO}/git/ref/heads/x", 200, {"ref": "refs/heads/x"})
    ref = {
        "ref": "refs/heads/x",
        "node_id": "n",
        "url": "https://x/",
        "object": {"type": "commit", "sha": OID, "url": "https://x/"},
    }
    validate_response("GET", f"{REPO}/git/ref/heads/x", 200, ref)
    with pytest.raises(Violation, match="no body"):
        validate_response("PUT", f"{REPO}/collaborators/ana", 204, b"{}")


def test_the_notice_names_every_package_the_data_comes_from() -> None:
    notice = contract.text("NOTICE")
    assert all(package["name"] in notice for package in SELECTION["packages"].values())
    assert notice.count("Permission is hereby granted") == len(SELECTION["packages"])


def test_no_prose_is_left_but_properties_keep_their_names() -> None:
    assert "summary" in json.dumps(
        contract.rest()["paths"]["/repos/{owner}/{repo}/check-runs"]["post"]["requestBody"]
    )
    repository = contract.rest()["components"]["schemas"]["repository"]["properties"]
    assert repository["description"] == {"type": "string", "nullable": True}

"""The sandbox's GraphQL: executed by GitHub's schema on state and git, never canned."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, get_named_type, is_leaf_type
from support_sandbox import SHOP, World, commit, git, head, running_sandbox
from support_ssh import make_key

from foureyes.github_app.sandbox import contract
from foureyes.github_app.sandbox.fields import FIELDS
from foureyes.github_app.sandbox.queries import cost

SHOP_QUERY = '{ repository(owner: "acme", name: "shop") { %s } }'


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with running_sandbox(tmp_path) as world:
        yield world


def shop(world: World, selection: str) -> Any:
    answer = world.query(SHOP_QUERY % selection)
    assert "errors" not in answer, answer["errors"]
    return answer["data"]["repository"]


def error(world: World, selection: str) -> dict[str, Any]:
    answer = world.query(SHOP_QUERY % selection)
    assert len(answer["errors"]) == 1
    found: dict[str, Any] = answer["errors"][0]
    return found


def published(name: str) -> GraphQLObjectType | GraphQLInterfaceType:
    found = contract.graphql_schema().type_map[name]
    assert isinstance(found, GraphQLObjectType | GraphQLInterfaceType)
    return found


def test_the_table_has_no_field_that_github_does_not_have() -> None:
    unknown = [
        f"{name}.{field}" for name in FIELDS for field in FIELDS[name] if field not in published(name).fields
    ]
    assert unknown == []


def leaves(name: str) -> str:
    """Every supported field of a type that has no sub-selection and needs no argument."""
    fields = published(name).fields
    chosen = [f for f in FIELDS[name] if is_leaf_type(get_named_type(fields[f].type)) and not fields[f].args]
    return " ".join(chosen)


def test_every_plain_field_of_the_table_answers_validly(world: World) -> None:
    """The guard holds what comes back to the schema's types."""
    number = world.open_pull()
    world.review("rita", number)
    world.shop("olga", "POST", f"/issues/{number}/comments", {"body": "hello"})
    world.shop("olga", "POST", f"/pulls/{number}/requested_reviewers", {"reviewers": ["sam"]})
    world.publish(head(world.folder / "olga-acme-shop"), "success")
    noor = world.clone("noor")
    commit(noor, {"docs/base.md": "x\n"}, "Base")
    git(noor, "push", "-q", "origin", "main")
    world.shop("rita", "PUT", f"/pulls/{number}/update-branch")
    selection = f"""
      {leaves("Repository")} owner {{ ... on Organization {{ {leaves("Organization")} }} }}
      defaultBranchRef {{ {leaves("Ref")} target {{ ... on Commit {{ {leaves("Commit")} author {{ {leaves("GitActor")} }}
        tree {{ {leaves("Tree")} entries {{ {leaves("TreeEntry")} object {{ oid }} }} }} }} }} }}
      object(expression: "HEAD:README.md") {{ ... on Blob {{ {leaves("Blob")} }} }}
      pullRequest(number: {number}) {{ {leaves("PullRequest")} author {{ ... on User {{ {leaves("User")} }} }}
        reviews(first: 5) {{ nodes {{ {leaves("PullRequestReview")} }} }}
        comments(first: 5) {{ nodes {{ {leaves("IssueComment")} }} }}
        files(first: 5) {{ nodes {{ {leaves("PullRequestChangedFile")} }} }}
        reviewRequests(first: 5) {{ nodes {{ {leaves("ReviewRequest")} requestedReviewer {{ __typename }} }} }}
        commits(last: 1) {{ nodes {{ id commit {{ signature {{ ... on GpgSignature {{ {leaves("GpgSignature")} }} }}
          parents(first: 2) {{ nodes {{ checkSuites(first: 5) {{ nodes {{ {leaves("CheckSuite")}
            app {{ {leaves("App")} }} checkRuns(first: 5) {{ nodes {{ {leaves("CheckRun")} }} }} }} }} }} }} }} }} }}
      }}"""
    found = shop(world, selection)
    assert found["pullRequest"]["commits"]["nodes"][0]["commit"]["signature"]["wasSignedByGitHub"] is True
    suites = found["pullRequest"]["commits"]["nodes"][0]["commit"]["parents"]["nodes"]
    runs = [r for p in suites for s in p["checkSuites"]["nodes"] for r in s["checkRuns"]["nodes"]]
    assert [r["conclusion"] for r in runs] == ["SUCCESS"]


def mutate(world: World, name: str, change: Callable[[Any], None]) -> None:
    world_state = world.sandbox.world
    shop_state = world_state.repositories[SHOP]
    subject = {
        "pull": shop_state.pulls.get(1),
        "repository": shop_state,
        "review": shop_state.pulls[1].reviews[0],
        "run": shop_state.check_runs[0],
        "rita": world_state.user("rita"),
        "team": world_state.organizations["acme"].teams["reviewers"],
        "app": world.sandbox.app,
        "world": world_state,
    }[name]
    with world_state.lock:
        change(subject)


RUN = 'object(expression: "feature") { ... on Commit { checkSuites(first: 1) { nodes { checkRuns(first: 1) { nodes { %s } } } } } }'
PULL = "pullRequest(number: 1) { %s }"
MUTATIONS: dict[str, tuple[str, str, Callable[[Any], None]]] = {
    "draft": (PULL % "isDraft", "pull", lambda p: setattr(p, "draft", True)),
    "title": (PULL % "title", "pull", lambda p: setattr(p, "title", "Other")),
    "body": (PULL % "body", "pull", lambda p: setattr(p, "body", "Other")),
    "state": (PULL % "state", "pull", lambda p: setattr(p, "state", "closed")),
    "merged": (PULL % "state", "pull", lambda p: setattr(p, "merged_at", "2026-01-01T00:00:00Z")),
    "author": (PULL % "author { login }", "pull", lambda p: setattr(p, "author", None)),
    "head": (PULL % "headRefOid", "pull", lambda p: setattr(p, "head", p.base)),
    "head ref": (PULL % "headRefName", "pull", lambda p: setattr(p, "head_ref", "other")),
    "base": (PULL % "baseRefOid", "pull", lambda p: setattr(p, "base", p.head)),
    "base ref": (PULL % "baseRefName", "pull", lambda p: setattr(p, "base_ref", "other")),
    "head repository": (PULL % "headRepository { id }", "pull", lambda p: setattr(p, "head_repository", None)),
    "assignees": (PULL % "assignees(first: 1) { totalCount }", "pull", lambda p: p.assignees.append(p.author)),
    "updated": (PULL % "updatedAt", "pull", lambda p: setattr(p, "updated_at", "2020-01-01T00:00:00Z")),
    "maintainers": (PULL % "maintainerCanModify", "pull", lambda p: setattr(p, "maintainer_can_modify", True)),
    "mergeable": (PULL % "mergeable", "pull", lambda p: setattr(p, "mergeable", None)),
    "test merge": (PULL % "potentialMergeCommit { oid }", "pull", lambda p: setattr(p, "merge_commit", None)),
    "review state": (PULL % "reviews(first: 1) { nodes { state } }", "review", lambda r: setattr(r, "state", "DISMISSED")),
    "review commit": (PULL % "reviews(first: 1) { nodes { commit { oid } } }", "review", lambda r: setattr(r, "commit_id", None)),
    "reviewer": (PULL % "reviews(first: 1) { nodes { author { login } } }", "review", lambda r: setattr(r, "user", None)),
    "submitted": (PULL % "reviews(first: 1) { nodes { submittedAt } }", "review", lambda r: setattr(r, "submitted_at", None)),
    "reviews": (PULL % "reviews(first: 1) { totalCount }", "pull", lambda p: p.reviews.clear()),
    "login": (PULL % "reviews(first: 1) { nodes { author { login } } }", "rita", lambda u: setattr(u, "login", "margarita")),
    "kind": (PULL % "reviews(first: 1) { nodes { author { __typename } } }", "rita", lambda u: setattr(u, "type", "Bot")),
    "write access": (
        PULL % "reviews(first: 1) { nodes { authorCanPushToRepository } }",
        "team", lambda t: t.members.clear(),
    ),
    "address": (
        "object(expression: \"feature\") { ... on Commit { author { user { login } } } }",
        "world", lambda w: setattr(w.user("olga"), "emails", ()),
    ),
    "default branch": ("defaultBranchRef { name }", "repository", lambda r: setattr(r, "default_branch", "feature")),
    "made by GitHub": (
        "object(expression: \"feature\") { ... on Commit { signature { isValid } } }",
        "repository", lambda r: r.made_by_github.add(r.pulls[1].head),
    ),
    "check status": (RUN % "status", "run", lambda r: setattr(r, "status", "queued")),
    "check conclusion": (RUN % "conclusion", "run", lambda r: setattr(r, "conclusion", "failure")),
    "check name": (RUN % "name", "run", lambda r: setattr(r, "name", "other")),
    "external id": (RUN % "externalId", "run", lambda r: setattr(r, "external_id", "abc")),
    "check title": (RUN % "title", "run", lambda r: setattr(r, "title", "abc")),
    "checks": (RUN % "name", "repository", lambda r: r.check_runs.clear()),
    "a ref in git": (
        "ref(qualifiedName: \"refs/heads/main\") { target { oid } }",
        "repository", lambda r: r.git.update_ref("refs/heads/main", r.pulls[1].head),
    ),
    "a file in git": (
        "object(expression: \"main:.github/foureyes.yml\") { ... on Blob { text } }",
        "repository", lambda r: r.git.delete_ref("refs/heads/main"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MUTATIONS)
def test_a_piece_of_state_changes_its_field(world: World, case: str) -> None:
    selection, subject, change = MUTATIONS[case]
    world.review("rita", world.open_pull())
    world.publish(head(world.folder / "olga-acme-shop"), "success")
    before = shop(world, selection)
    assert shop(world, selection) == before
    mutate(world, subject, change)
    assert shop(world, selection) != before


def test_members_of_a_team_by_query(world: World) -> None:
    text = '{ organization(login: "acme") { team(slug: "reviewers") { members(first: 5) { nodes { login databaseId } } } } }'
    members = world.query(text)["data"]["organization"]["team"]["members"]["nodes"]
    assert members == [{"login": "rita", "databaseId": 2}, {"login": "sam", "databaseId": 3}]
    world.by("noor", "DELETE", "/orgs/acme/teams/reviewers/memberships/sam")
    assert len(world.query(text)["data"]["organization"]["team"]["members"]["nodes"]) == 1


def test_an_unsupported_field_is_an_error_by_name_and_not_a_silent_null(world: World) -> None:
    assert error(world, "codeowners { errors { line } }")["message"] == (
        "sandbox: Repository.codeowners is not supported"
    )
    unanswered = [
        f"{name}.{field}" for name in ("PullRequest", "Repository") for field in published(name).fields
        if field not in FIELDS[name]
    ]  # fmt: skip
    assert unanswered, "this test shows nothing any more"


@pytest.mark.parametrize(
    ("selection", "kind"),
    [
        ("pullRequest(number: 99) { id }", "NOT_FOUND"),
        ("pullRequests(first: 101) { totalCount }", "EXCESSIVE_PAGINATION"),
        ("pullRequests { totalCount }", "MISSING_PAGINATION_BOUNDARIES"),
        ('pullRequests(first: 1, after: "nonsense") { totalCount }', "INVALID_CURSOR_ARGUMENTS"),
    ],
)
def test_errors_come_with_status_200_and_a_type(world: World, selection: str, kind: str) -> None:
    assert error(world, selection)["type"] == kind


def test_a_repository_that_the_token_does_not_see_is_not_found(world: World) -> None:
    world.control("POST", "repositories", {"repository": "acme/vault", "files": {"a": "a"}, "private": True})
    world.control("POST", "users", {"login": "visitor"})
    text = '{ repository(owner: "acme", name: "vault") { name } }'
    hidden = world.query(text, token=world.sandbox.token("visitor"))
    assert (hidden["data"], hidden["errors"][0]["type"]) == ({"repository": None}, "NOT_FOUND")
    assert world.query(text)["data"]["repository"] == {"name": "vault"}


@pytest.mark.parametrize(
    ("left_out", "selection"),
    [
        ("contents", 'object(expression: "HEAD:README.md") { oid }'),
        ("pull_requests", "pullRequest(number: 1) { id }"),
        ("checks", 'object(expression: "HEAD") { ... on Commit { checkSuites(first: 1) { totalCount } } }'),
    ],
)
def test_a_token_without_the_permission_is_refused_by_type(
    world: World, left_out: str, selection: str
) -> None:
    world.open_pull()
    granted = {n: v for n, v in world.sandbox.app.permissions.items() if n != left_out}
    narrow = world.query(SHOP_QUERY % selection, token=world.installation_token(permissions=granted))
    assert narrow["errors"][0]["type"] == "FORBIDDEN"
    assert "errors" not in world.query(SHOP_QUERY % selection)


def test_syntax_and_unknown_fields_are_told_without_data(world: World) -> None:
    with world.guard.expecting("graphql"):
        assert "data" not in world.query("{ repository(")
        assert "data" not in world.query(SHOP_QUERY % "nonsense")


def test_pages_of_commits_meet_without_gap(world: World) -> None:
    world.open_pull()
    clone = world.folder / "olga-acme-shop"
    for number in range(4):
        commit(clone, {"infra/feature.tf": f"{number}\n"}, f"Step {number}")
    git(clone, "push", "-q", "origin", "feature")
    wanted = git(clone, "rev-list", "--reverse", "origin/main..HEAD").split()
    seen: list[str] = []
    after = "null"
    while True:
        page = world.pull_field(
            f"commits(first: 2, after: {after}) {{ totalCount pageInfo {{ hasNextPage endCursor }}"
            " nodes { commit { oid } } }"
        )["commits"]
        assert page["totalCount"] == 5
        seen += [node["commit"]["oid"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = f'"{page["pageInfo"]["endCursor"]}"'
    assert seen == wanted
    last = world.pull_field("commits(last: 2) { nodes { commit { oid } } pageInfo { hasPreviousPage } }")[
        "commits"
    ]
    assert [n["commit"]["oid"] for n in last["nodes"]] == wanted[-2:]
    assert last["pageInfo"]["hasPreviousPage"] is True


def test_more_commits_than_rest_lists(world: World) -> None:
    """REST stops at 250, GraphQL does not."""
    world.open_pull()
    clone = world.folder / "olga-acme-shop"
    world.control("POST", "settings", {"caps": {"pull_commits": 2}})
    for _ in range(3):
        git(clone, "commit", "-q", "--allow-empty", "-m", "x")
    git(clone, "push", "-q", "origin", "feature")
    assert len(world.shop("olga", "GET", "/pulls/1/commits").body) == 2
    assert world.pull_field("commits(first: 1) { totalCount }")["commits"]["totalCount"] == 4


def test_co_authors_and_addresses_become_accounts(world: World) -> None:
    clone = world.clone("olga")
    git(clone, "checkout", "-q", "-b", "feature")
    message = (
        "Together\n\nCo-authored-by: Ben <BEN@acme.example>\n"
        "Co-authored-by: Sam <3+sam@users.noreply.github.com>\nco-authored-by: Nobody <x@nowhere.example>"
    )
    commit(clone, {"infra/x.tf": "x\n"}, message)
    git(clone, "push", "-q", "origin", "feature")
    world.shop("ben", "POST", "/pulls", {"title": "t", "head": "feature", "base": "main"})
    authors = world.pull_field(
        "commits(first: 1) { nodes { commit { authors(first: 9) { nodes { email user { login } } } } } }"
    )["commits"]["nodes"][0]["commit"]["authors"]["nodes"]
    assert authors == [
        {"email": "olga@acme.example", "user": {"login": "olga"}},
        {"email": "BEN@acme.example", "user": {"login": "ben"}},
        {"email": "3+sam@users.noreply.github.com", "user": {"login": "sam"}},
        {"email": "x@nowhere.example", "user": None},
    ]


def test_a_commit_signed_with_a_published_key_is_verified(world: World, tmp_path: Path) -> None:
    key = make_key(tmp_path)
    clone = world.clone("olga")
    for name, value in {
        "gpg.format": "ssh",
        "user.signingkey": str(key.path),
        "commit.gpgsign": "true",
    }.items():
        git(clone, "config", name, value)
    git(clone, "checkout", "-q", "-b", "feature")
    sha = commit(clone, {"infra/x.tf": "x\n"}, "Signed")
    git(clone, "push", "-q", "origin", "feature")
    selection = f'object(oid: "{sha}") {{ ... on Commit {{ signature {{ isValid state signer {{ login }} wasSignedByGitHub }} }} }}'
    signature = shop(world, selection)["object"]["signature"]
    assert (signature["isValid"], signature["state"]) == (False, "UNKNOWN_KEY")
    world.by("olga", "POST", "/user/ssh_signing_keys", {"key": key.public_line, "title": "laptop"})
    assert shop(world, selection)["object"]["signature"] == {
        "isValid": True, "state": "VALID", "signer": {"login": "olga"}, "wasSignedByGitHub": False,
    }  # fmt: skip
    verified = world.shop("olga", "GET", f"/commits/{sha}").body["commit"]["verification"]
    assert (verified["verified"], verified["reason"]) == (True, "valid")


def test_nobody_sees_anothers_pending_review(world: World) -> None:
    number = world.open_pull()
    world.shop("rita", "POST", f"/pulls/{number}/reviews", {"body": "later"})
    text = SHOP_QUERY % "pullRequest(number: 1) { reviews(first: 5) { totalCount } }"
    counts = [
        world.query(text, token=token)["data"]["repository"]["pullRequest"]["reviews"]["totalCount"]
        for token in (world.sandbox.token("rita"), world.sandbox.token("olga"), "")
    ]
    assert counts == [1, 0, 0]


def test_a_node_is_found_by_its_id_and_paged(world: World) -> None:
    world.open_pull()
    number = world.pull_field("id")["id"]
    answer = world.query("query($id: ID!) { node(id: $id) { ... on PullRequest { number } } }", id=number)
    assert answer["data"]["node"] == {"number": 1}
    missing = world.query("query($id: ID!) { node(id: $id) { id } }", id="PR_999999")
    assert missing["errors"][0]["type"] == "NOT_FOUND"


def test_what_a_query_costs_is_counted_as_github_does() -> None:
    from graphql import parse

    small = parse(SHOP_QUERY % "pullRequest(number: 1) { commits(first: 100) { totalCount } }")
    nested = parse(
        SHOP_QUERY % "pullRequest(number: 1) { commits(first: 100) { nodes { commit { authors(first: 10)"
        " { totalCount } parents(first: 3) { totalCount } } } } }"
    )
    assert (cost(small, {}, None), cost(nested, {}, None)) == (1, 2)


def test_points_are_taken_from_the_installations_bucket(world: World) -> None:
    limits = [world.query("{ rateLimit { cost remaining } }")["data"]["rateLimit"] for _ in range(2)]
    assert limits == [{"cost": 1, "remaining": 4999}, {"cost": 1, "remaining": 4998}]


def test_a_binary_policy_has_no_text(world: World) -> None:
    noor = world.clone("noor")
    commit(noor, {".github/foureyes.yml": b"\0\1"}, "Binary")  # type: ignore[dict-item]
    git(noor, "push", "-q", "origin", "main")
    blob = shop(
        world, 'object(expression: "HEAD:.github/foureyes.yml") { ... on Blob { isBinary text byteSize } }'
    )
    assert blob["object"] == {"isBinary": True, "text": None, "byteSize": 2}
    assert (
        base64.b64decode(world.shop("olga", "GET", "/contents/.github/foureyes.yml").body["content"])
        == b"\0\1"
    )


def test_a_merge_queue_answers_every_plain_field(world: World) -> None:
    rule = {"type": "merge_queue", "parameters": {}}
    world.sandbox.world.repositories[SHOP].rulesets[0].rules.append(rule)
    number = world.open_pull()
    world.publish(head(world.folder / "olga-acme-shop"), "success")
    told = world.control("POST", "queue", {"repository": SHOP, "number": number, "login": "olga"})
    text = f"""mergeQueue(branch: "main") {{ {leaves("MergeQueue")} entries(first: 5) {{ totalCount nodes {{
      {leaves("MergeQueueEntry")} headCommit {{ oid }} baseCommit {{ oid }} pullRequest {{ number isInMergeQueue }} }} }} }}"""
    queue = shop(world, text)["mergeQueue"]
    (entry,) = queue["entries"]["nodes"]
    assert (entry["headCommit"]["oid"], entry["position"]) == (told["head"], 1)
    assert entry["pullRequest"] == {"number": number, "isInMergeQueue": True}
    assert shop(world, 'mergeQueue(branch: "none") { id }')["mergeQueue"] is None

"""The last look before a success: has anything moved that the verdict stands on?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from foureyes.github_app.answer_values import flag, number, oid, text
from foureyes.github_app.client import InstallationClient
from foureyes.github_app.pull_query import PullAnswer, operation, there, understood
from foureyes.shared.facts import Known


@dataclass(frozen=True)
class LastLook:
    """All that a success stands on and that may have moved since; equal looks are equal states."""

    parts: tuple[object, ...]


def look(client: InstallationClient, slug: str, number: int) -> LastLook:
    """One cheap query. Raises GitHubError."""
    owner, _, name = slug.partition("/")
    data = client.graphql(operation("LastLook"), {"owner": owner, "name": name, "number": number})
    return understood(lambda: _last_look(data["repository"]))


def expected_look(answer: PullAnswer) -> LastLook:
    """What `look` gives if nothing has moved since the answer."""
    reviews = answer.reviews.value if isinstance(answer.reviews, Known) else ()
    listed = sorted((r.id, r.state.value, r.can_push, r.commit or "") for r in reviews[-100:])
    policy = answer.ground.policy.oid if answer.ground.policy else ""
    pull = answer.pull
    state = (pull.is_open, pull.draft, pull.base_ref, pull.base, pull.head)
    return LastLook((answer.ground.default_branch, policy, state, len(reviews), tuple(listed)))


def _last_look(repository: Mapping[str, Any]) -> LastLook:
    pull = there(repository["pullRequest"], "pull request")
    reviews = pull["reviews"]
    listed = sorted(
        (
            number(n["fullDatabaseId"]),
            text(n["state"]),
            flag(n["authorCanPushToRepository"]),
            _oid_of(n["commit"]),
        )
        for n in reviews["nodes"]
    )
    base = "" if pull["baseRef"] is None else oid(pull["baseRef"]["target"]["oid"])
    state = (
        pull["state"] == "OPEN",
        flag(pull["isDraft"]),
        pull["baseRefName"],
        base,
        oid(pull["headRefOid"]),
    )
    policy = _oid_of(repository["policy"])
    return LastLook(
        (
            text(repository["defaultBranchRef"]["name"]),
            policy,
            state,
            number(reviews["totalCount"]),
            tuple(listed),
        )
    )


def _oid_of(node: Mapping[str, Any] | None) -> str:
    return "" if node is None else oid(node["oid"])

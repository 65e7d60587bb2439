"""The one query about a pull request, and its answer as typed values.

Every part of the answer is complete or Unknown: a list is taken only if it holds as many items as GitHub says there
are, all different, and it is never guessed what a value that we do not know may mean.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from foureyes.github_app.asking import MOST_PAGES as MOST_PAGES
from foureyes.github_app.asking import Pages
from foureyes.github_app.asking import operation as operation
from foureyes.github_app.asking import there as there
from foureyes.github_app.asking import understood as understood
from foureyes.github_app.client import GitHubError, InstallationClient
from foureyes.shared.facts import Fact, Known, MoveKind, Pull, Repository, ReviewState, Unknown
from foureyes.shared.people import Account, Identity, Kind

T = TypeVar("T")

LAG = 4.0
"""Seconds."""
POLICY_PATH = ".github/foureyes.yml"


@dataclass(frozen=True)
class PolicyBlob:
    """The policy file at the tip of the default branch. `text` None: `problem` says why it cannot be read."""

    oid: str
    text: str | None
    problem: str = ""


@dataclass(frozen=True)
class Ground:
    """The repository in the snapshot of the query. `policy` None: the default branch has no such file."""

    repository: Repository
    default_branch: str
    default_tip: str
    policy: PolicyBlob | None
    owner_id: int = 0
    read_at: int = 0
    """Milliseconds, by GitHub's clock: what happened before is in the answer."""


@dataclass(frozen=True)
class Check:
    """One of our check runs as GitHub shows it; `status` and `conclusion` in lower case, "" for none."""

    id: int
    name: str
    status: str
    conclusion: str
    external_id: str
    started_at: str = ""
    """RFC 3339."""


@dataclass(frozen=True)
class Shown:
    """What is known about the head itself: open pull requests with it, and our check runs on it."""

    pulls: tuple[int, ...]
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class Actor:
    """Someone as git names them, and who GitHub says that is."""

    identity: Identity
    account: Account | None


@dataclass(frozen=True)
class CommitPeople:
    oid: str
    author: Actor
    committer: Actor
    authors: tuple[Actor, ...]
    """The author and the co-authors that GitHub read from the trailers; ten at most."""
    signer: Account | None
    """Owner of the key of a valid signature."""
    by_github: bool
    """Validly signed by GitHub's own key."""


@dataclass(frozen=True)
class GivenReview:
    id: int
    account: Account | None
    state: ReviewState
    commit: str | None
    submitted_at: str
    can_push: bool


@dataclass(frozen=True)
class Happened:
    """A timeline event: a move, a dismissal (of `review`), a request or an assignment."""

    kind: str
    at: str
    actor: Account | None
    review: int | None = None
    previous: ReviewState | None = None
    whose: str = ""
    """`__typename` of who was asked or assigned."""
    whom: Account | None = None
    """The person whose review was asked for, or no longer is."""


@dataclass(frozen=True)
class PullAnswer:
    ground: Ground
    pull: Pull
    from_fork: bool
    head_repository: int | None
    head_slug: str
    """`owner/name` of the head's repository; "" where it is gone or the token does not see it."""
    github_merge: str
    """Commit of GitHub's test merge, "" if there is none now."""
    commits: Fact[dict[str, CommitPeople]]
    reviews: Fact[tuple[GivenReview, ...]]
    timeline: Fact[tuple[Happened, ...]]
    assignees: Fact[tuple[Account, ...]]
    shown: Shown
    requested: Fact[tuple[Account, ...]]
    """People whose review is asked for now."""


MOVES = {
    "HeadRefForcePushedEvent": MoveKind.FORCE_PUSHED,
    "HeadRefRestoredEvent": MoveKind.RESTORED,
    "BaseRefChangedEvent": MoveKind.BASE_CHANGED,
    "BaseRefForcePushedEvent": MoveKind.BASE_FORCE_PUSHED,
}
_OTHERS = {"ReviewDismissedEvent", "ReviewRequestedEvent", "ReviewRequestRemovedEvent", "AssignedEvent"}


def ask(client: InstallationClient, slug: str, number: int, head: str) -> PullAnswer | None:
    """Everything about the pull request in one query, and a query for each further page. None: there is none of
    this number. Raises GitHubError.
    """
    owner, _, name = slug.partition("/")
    variables = {"owner": owner, "name": name, "number": number}
    asked = {**variables, "head": head, "app": client.github.app_id}
    try:
        answer = client.graphql_answer(operation("Pull"), asked)
    except GitHubError as error:
        if error.status == 404:
            return None
        raise
    data = answer.data
    read = understood(lambda: _pull_answer(client, variables, head, there(data["repository"], "repository")))
    return replace(read, ground=replace(read.ground, read_at=seen_until(answer.began)))


def seen_until(began: float) -> int:
    """Of an answer that was asked for at `began`: GitHub may answer from a copy that lags a little behind."""
    return int((began - LAG) * 1000)


def ask_head(client: InstallationClient, slug: str, head: str) -> tuple[Ground, Shown]:
    """Policy, open pull requests with this head and our checks on it. Raises GitHubError."""
    owner, _, name = slug.partition("/")
    variables = {"owner": owner, "name": name, "head": head, "app": client.github.app_id}
    data = client.graphql(operation("Head"), variables)
    return understood(
        lambda: (_ground(there(data["repository"], "repository")), _shown(data["repository"], head))
    )


def ask_commit(client: InstallationClient, slug: str, oid: str) -> CommitPeople:
    """Who stands in one commit, for one that the pull request's list lacks. Raises GitHubError."""
    owner, _, name = slug.partition("/")
    data = client.graphql(operation("OneCommit"), {"owner": owner, "name": name, "oid": oid})
    return understood(lambda: _people(there(data["repository"]["object"], f"commit {oid}")))


def _pull_answer(
    client: InstallationClient, variables: Mapping[str, object], head: str, repository: Mapping[str, Any]
) -> PullAnswer:
    ground = _ground(repository)
    data = there(repository["pullRequest"], "pull request")
    pull = _pull(ground.repository, data)
    page = Pages(client, variables, pull.head)
    return PullAnswer(
        ground=ground,
        pull=pull,
        from_fork=bool(data["isCrossRepository"]),
        head_repository=data["headRepository"]["databaseId"] if data["headRepository"] else None,
        head_slug=data["headRepository"]["nameWithOwner"] if data["headRepository"] else "",
        github_merge=data["potentialMergeCommit"]["oid"] if data["potentialMergeCommit"] else "",
        commits=_mapped(page.all("MoreCommits", data["commits"], "commits"), _commits),
        reviews=_mapped(page.all("MoreReviews", data["reviews"], "reviews"), _reviews),
        timeline=_mapped(
            page.all("MoreTimeline", data["timelineItems"], "timeline"), lambda nodes: tuple(map(_happened, nodes))
        ),
        assignees=_assignees(data["assignees"]),
        shown=_shown(repository, head, data["headRef"]),
        requested=_requested(data["reviewRequests"]),
    )  # fmt: skip


def _ground(repository: Mapping[str, Any]) -> Ground:
    branch = there(repository["defaultBranchRef"], "default branch")
    known = Repository(int(repository["databaseId"]), repository["owner"]["login"], repository["name"])
    owner_id = int(repository["owner"]["databaseId"])
    return Ground(known, branch["name"], branch["target"]["oid"], policy_blob(repository["policy"]), owner_id)


def policy_blob(data: Mapping[str, Any] | None) -> PolicyBlob | None:
    """None: there is no such file."""
    if data is None:
        return None
    if data["__typename"] != "Blob":
        return PolicyBlob(data["oid"], None, "it is not a file")
    if data["isTruncated"] or data["isBinary"] or not isinstance(data["text"], str):
        return PolicyBlob(data["oid"], None, "it is too large or not text")
    return PolicyBlob(data["oid"], data["text"])


def _pull(repository: Repository, data: Mapping[str, Any]) -> Pull:
    if data["state"] not in ("OPEN", "CLOSED", "MERGED"):
        raise ValueError(f"state {data['state']!r}")
    base = data["baseRef"]["target"]["oid"] if data["baseRef"] else data["baseRefOid"]
    return Pull(
        repository=repository, number=int(data["number"]), is_open=data["state"] == "OPEN", draft=bool(data["isDraft"]),
        author=account(data["author"]), head=data["headRefOid"], head_ref=data["headRefName"], base=base,
        base_ref=data["baseRefName"], created_at=data["createdAt"],
    )  # fmt: skip


def _shown(repository: Mapping[str, Any], head: str, head_ref: Mapping[str, Any] | None = None) -> Shown:
    commit = repository["head"]
    lists = [head_ref["associatedPullRequests"]] if head_ref else []
    checks: tuple[Check, ...] = ()
    if commit is not None and commit["__typename"] == "Commit":
        lists += [commit["associatedPullRequests"]] if commit["associatedPullRequests"] else []
        checks = tuple(_checks(commit["checkSuites"])) if commit["checkSuites"] else ()
    pulls = set()
    for listed in lists:
        if listed["totalCount"] > len(listed["nodes"]):
            raise ValueError(f"{listed['totalCount']} pull requests have this commit")
        pulls |= {n["number"] for n in listed["nodes"] if n["state"] == "OPEN" and n["headRefOid"] == head}
    return Shown(tuple(sorted(pulls)), checks)


def _checks(suites: Mapping[str, Any]) -> list[Check]:
    if suites["totalCount"] > len(suites["nodes"]):
        raise ValueError("more check suites than were listed")
    runs = [run for suite in suites["nodes"] for run in suite["checkRuns"]["nodes"]]
    if any(suite["checkRuns"]["totalCount"] > len(suite["checkRuns"]["nodes"]) for suite in suites["nodes"]):
        raise ValueError("more check runs than were listed")
    return [
        Check(int(run["databaseId"]), run["name"], run["status"].lower(), (run["conclusion"] or "").lower(),
              run["externalId"] or "", run["startedAt"] or "")
        for run in runs
    ]  # fmt: skip


def account(data: Mapping[str, Any] | None) -> Account | None:
    """None: GitHub names nobody, or an account without a number, which cannot be compared."""
    if data is None or data.get("databaseId") is None:
        return None
    return Account(int(data["databaseId"]), data["login"], Kind(data["__typename"]))


def _actor(data: Mapping[str, Any] | None) -> Actor:
    if data is None:
        return Actor(Identity("", ""), None)
    # as from the raw object: blanks around an address are no other address
    identity = Identity((data["name"] or "").strip(), (data["email"] or "").strip())
    return Actor(identity, account(data["user"]))


def _commits(nodes: list[Any]) -> dict[str, CommitPeople]:
    return {person.oid: person for person in (_people(node["commit"]) for node in nodes)}


def _people(data: Mapping[str, Any]) -> CommitPeople:
    signature = data["signature"] or {"isValid": False, "wasSignedByGitHub": False, "signer": None}
    valid = bool(signature["isValid"])
    by_github = valid and bool(signature["wasSignedByGitHub"])
    return CommitPeople(
        oid=data["oid"], author=_actor(data["author"]), committer=_actor(data["committer"]),
        authors=tuple(map(_actor, data["authors"]["nodes"])),
        signer=account(signature["signer"]) if valid and not by_github else None, by_github=by_github,
    )  # fmt: skip


def _reviews(nodes: list[Any]) -> tuple[GivenReview, ...]:
    """One that stands on two pages stands in the place of another, which may ask for changes."""
    found = tuple(map(_review, nodes))
    if len({review.id for review in found}) != len(found):
        raise ValueError("a review is listed twice")
    return found


def _review(data: Mapping[str, Any]) -> GivenReview:
    return GivenReview(
        id=int(data["fullDatabaseId"]), account=account(data["author"]), state=ReviewState(data["state"]),
        commit=data["commit"]["oid"] if data["commit"] else None, submitted_at=data["submittedAt"] or "",
        can_push=bool(data["authorCanPushToRepository"]),
    )  # fmt: skip


def _happened(data: Mapping[str, Any]) -> Happened:
    kind = data["__typename"]
    if kind not in MOVES and kind not in _OTHERS:
        raise ValueError(f"timeline event {kind}")
    at, actor = data["createdAt"], account(data["actor"])
    if kind == "ReviewDismissedEvent":
        review = int(data["review"]["fullDatabaseId"]) if data["review"] else None
        return Happened(kind, at, actor, review, _previous(data["previousReviewState"]))
    other = data.get("requestedReviewer") or data.get("assignee") or {}
    return Happened(
        kind, at, actor, whose=other.get("__typename", ""), whom=_user(data.get("requestedReviewer"))
    )


def _previous(state: str) -> ReviewState | None:
    return ReviewState(state) if state in list(ReviewState) else None


def _user(data: Mapping[str, Any] | None) -> Account | None:
    return account(data) if data is not None and data["__typename"] == "User" else None


def _requested(data: Mapping[str, Any]) -> Fact[tuple[Account, ...]]:
    nodes = data["nodes"]
    if len(nodes) != data["totalCount"]:
        return Unknown(f"GitHub lists {len(nodes)} of {data['totalCount']} requests")
    return Known(tuple(found for found in (_user(node["requestedReviewer"]) for node in nodes) if found))


def _assignees(data: Mapping[str, Any]) -> Fact[tuple[Account, ...]]:
    nodes = data["nodes"]
    if len(nodes) != data["totalCount"]:
        return Unknown(f"GitHub lists {len(nodes)} of {data['totalCount']} assignees")
    return Known(tuple(found for found in map(account, nodes) if found))


def _mapped(fact: Fact[list[Any]], make: Callable[[list[Any]], T]) -> Fact[T]:
    if isinstance(fact, Unknown):
        return fact
    try:
        return Known(make(fact.value))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return Unknown(f"GitHub's answer was not understood ({error})")

"""The one query about a pull request, and its answer as typed values.

Every part of the answer is complete or Unknown: a list is taken only if it holds as many items as GitHub says there
are, all different, and it is never guessed what a value that we do not know may mean.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from foureyes.github_app.answer_values import flag, moment, number, oid, text, text_or_empty
from foureyes.github_app.asking import MOST_PAGES as MOST_PAGES
from foureyes.github_app.asking import Pages, is_repeated
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
    if pull.is_open and pull.head == head:
        there(repository["head"], "commit of the head")
    page, home = Pages(client, variables, pull.head), data["headRepository"]
    return PullAnswer(
        ground=ground,
        pull=pull,
        from_fork=flag(data["isCrossRepository"]),
        head_repository=None if home is None else number(home["databaseId"]),
        head_slug="" if home is None else text(home["nameWithOwner"]),
        github_merge=_oid_in(data["potentialMergeCommit"]) or "",
        commits=_mapped(page.all("MoreCommits", data["commits"], "commits"), _commits),
        reviews=_mapped(page.all("MoreReviews", data["reviews"], "reviews"), _reviews),
        timeline=_mapped(page.all("MoreTimeline", data["timelineItems"], "timeline"), _timeline),
        assignees=_assignees(data["assignees"]),
        shown=_shown(repository, head, data["headRef"]),
        requested=_requested(data["reviewRequests"]),
    )  # fmt: skip


def _ground(repository: Mapping[str, Any]) -> Ground:
    branch = there(repository["defaultBranchRef"], "default branch")
    owner = repository["owner"]
    known = Repository(number(repository["databaseId"]), text(owner["login"]), text(repository["name"]))
    tip, policy = oid(branch["target"]["oid"]), policy_blob(repository["policy"])
    return Ground(known, text(branch["name"]), tip, policy, number(owner["databaseId"]))


def policy_blob(data: Mapping[str, Any] | None) -> PolicyBlob | None:
    """None: there is no such file."""
    if data is None:
        return None
    blob = oid(data["oid"])
    if text(data["__typename"]) != "Blob":
        return PolicyBlob(blob, None, "it is not a file")
    unsure = data["isBinary"] is None or flag(data["isBinary"])
    if flag(data["isTruncated"]) or unsure or data["text"] is None:
        return PolicyBlob(blob, None, "it is too large or not text")
    return PolicyBlob(blob, text(data["text"]))


def _pull(repository: Repository, data: Mapping[str, Any]) -> Pull:
    base = data["baseRefOid"] if data["baseRef"] is None else data["baseRef"]["target"]["oid"]
    return Pull(
        repository=repository, number=number(data["number"]), is_open=_state(data) == "OPEN",
        draft=flag(data["isDraft"]), author=account(data["author"]), head=oid(data["headRefOid"]),
        head_ref=text(data["headRefName"]), base=oid(base), base_ref=text(data["baseRefName"]),
        created_at=moment(data["createdAt"]),
    )  # fmt: skip


def _state(data: Mapping[str, Any]) -> str:
    if data["state"] not in ("OPEN", "CLOSED", "MERGED"):
        raise ValueError(f"state {data['state']!r}")
    return text(data["state"])


def _shown(repository: Mapping[str, Any], head: str, head_ref: Mapping[str, Any] | None = None) -> Shown:
    commit = repository["head"]
    lists = [] if head_ref is None else [head_ref["associatedPullRequests"]]
    checks: tuple[Check, ...] = ()
    if commit is not None:
        if commit["__typename"] != "Commit":
            raise ValueError(f"{head} is no commit")
        lists.append(there(commit["associatedPullRequests"], "list of the pull requests with this commit"))
        checks = tuple(_checks(there(commit["checkSuites"], "list of checks")))
    pulls: set[int] = set()
    for listed in lists:
        if number(listed["totalCount"]) > len({node["number"] for node in listed["nodes"]}):
            raise ValueError(f"{listed['totalCount']} pull requests have this commit")
        pulls |= {number(node["number"]) for node in listed["nodes"] if _is_open(node, head)}
    return Shown(tuple(sorted(pulls)), checks)


def _is_open(node: Mapping[str, Any], head: str) -> bool:
    return _state(node) == "OPEN" and oid(node["headRefOid"]) == head


def _checks(suites: Mapping[str, Any]) -> list[Check]:
    if number(suites["totalCount"]) > len(suites["nodes"]):
        raise ValueError("more check suites than were listed")
    runs = [run for suite in suites["nodes"] for run in suite["checkRuns"]["nodes"]]
    if any(
        number(suite["checkRuns"]["totalCount"]) > len(suite["checkRuns"]["nodes"])
        for suite in suites["nodes"]
    ):
        raise ValueError("more check runs than were listed")
    return [
        Check(number(run["databaseId"]), text(run["name"]), text(run["status"]).lower(),
              text_or_empty(run["conclusion"]).lower(), text_or_empty(run["externalId"]),
              text_or_empty(run["startedAt"]))
        for run in runs
    ]  # fmt: skip


def account(data: Mapping[str, Any] | None) -> Account | None:
    """None: GitHub names nobody, or an account without a number, which cannot be compared."""
    if data is None or data.get("databaseId") is None:
        return None
    return Account(number(data["databaseId"]), text(data["login"]), Kind(data["__typename"]))


def _actor(data: Mapping[str, Any] | None) -> Actor:
    if data is None:
        return Actor(Identity("", ""), None)
    # as from the raw object: blanks around an address are no other address
    identity = Identity(text_or_empty(data["name"]).strip(), text_or_empty(data["email"]).strip())
    return Actor(identity, account(data["user"]))


def _commits(nodes: list[Any]) -> dict[str, CommitPeople]:
    return {person.oid: person for person in (_people(node["commit"]) for node in nodes)}


def _people(data: Mapping[str, Any]) -> CommitPeople:
    signature = data["signature"]
    if signature is None:
        signature = {"isValid": False, "wasSignedByGitHub": False, "signer": None}
    valid = flag(signature["isValid"])
    by_github = valid and flag(signature["wasSignedByGitHub"])
    return CommitPeople(
        oid=oid(data["oid"]), author=_actor(data["author"]), committer=_actor(data["committer"]),
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
    """Whoever asks for changes and has no number could be anybody on the roster."""
    who, state = account(data["author"]), ReviewState(data["state"])
    if who is None and data["author"] is not None and state is not ReviewState.APPROVED:
        raise ValueError("the author of a review has no number")
    return GivenReview(
        id=number(data["fullDatabaseId"]), account=who, state=state, commit=_oid_in(data["commit"]),
        submitted_at=moment(data["submittedAt"]), can_push=flag(data["authorCanPushToRepository"]),
    )  # fmt: skip


def _oid_in(data: Mapping[str, Any] | None) -> str | None:
    return None if data is None else oid(data["oid"])


def _timeline(nodes: list[Any]) -> tuple[Happened, ...]:
    if is_repeated(nodes):
        raise ValueError("an event is listed twice")
    return tuple(map(_happened, nodes))


def _happened(data: Mapping[str, Any]) -> Happened:
    kind = text(data["__typename"])
    if kind not in MOVES and kind not in _OTHERS:
        raise ValueError(f"timeline event {kind}")
    at, actor = moment(data["createdAt"]), account(data["actor"])
    if kind == "ReviewDismissedEvent":
        review = None if data["review"] is None else number(data["review"]["fullDatabaseId"])
        return Happened(kind, at, actor, review, _previous(data["previousReviewState"]))
    other = data.get("requestedReviewer") or data.get("assignee") or {}
    return Happened(
        kind, at, actor, whose=other.get("__typename", ""), whom=_user(data.get("requestedReviewer"))
    )


def _previous(state: str) -> ReviewState | None:
    return None if state in ("COMMENTED", "PENDING") else ReviewState(state)


def _user(data: Mapping[str, Any] | None) -> Account | None:
    return account(data) if data is not None and data["__typename"] == "User" else None


def _requested(data: Mapping[str, Any]) -> Fact[tuple[Account, ...]]:
    nodes = data["nodes"]
    if len(nodes) != number(data["totalCount"]):
        return Unknown(f"GitHub lists {len(nodes)} of {data['totalCount']} requests")
    return Known(tuple(found for found in (_user(node["requestedReviewer"]) for node in nodes) if found))


def _assignees(data: Mapping[str, Any]) -> Fact[tuple[Account, ...]]:
    nodes = data["nodes"]
    if len(nodes) != number(data["totalCount"]):
        return Unknown(f"GitHub lists {len(nodes)} of {data['totalCount']} assignees")
    return Known(tuple(found for found in map(account, nodes) if found))


def _mapped(fact: Fact[list[Any]], make: Callable[[list[Any]], T]) -> Fact[T]:
    if isinstance(fact, Unknown):
        return fact
    try:
        return Known(make(fact.value))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return Unknown(f"GitHub's answer was not understood ({error})")

"""What a webhook event means for us: which lanes to wake and which facts to keep. Pure; a payload is only a hint, so
nothing here decides anything.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from foureyes.github_app.errands import INSTALLATIONS, PULLS
from foureyes.github_app.lanes import EVERY_BRANCH, GROUP, LANDED, Lane
from foureyes.github_app.seen import PushSeen, ReviewSeen, SeenReview
from foureyes.shared.people import Account, Kind

SUBSCRIBED = frozenset(
    {"check_run", "merge_group", "pull_request", "pull_request_review", "push", "repository"}
)
"""The events to name in app.yml."""

UNASKED = frozenset({"check_suite", "installation", "installation_repositories", "ping"})
"""Those that GitHub sends every App (check_suite: every App that may write checks)."""

HANDLED = SUBSCRIBED | UNASKED

QUEUE = "refs/heads/gh-readonly-queue/"
"""Where GitHub's merge queues keep what they make."""

_NO_COMMIT = re.compile(r"0+")
_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_LARGEST_ID = 2**63 - 1
_LONGEST_TEXT = 1024
"""Bytes. GitHub's own limit for a branch is 255; what stands in an index of PostgreSQL may have 2,700."""


@dataclass(frozen=True)
class Effects:
    lanes: tuple[Lane, ...] = ()
    pushes: tuple[PushSeen, ...] = ()
    reviews: tuple[ReviewSeen, ...] = ()
    errands: tuple[tuple[str, int], ...] = ()
    """What the sweep has to ask now, as `errands.expect` takes it."""
    note: str = ""
    """Why nothing follows from the event, or what was noticed."""


def effects(event: str, payload: dict[str, Any]) -> Effects:
    """Never raises: an event that is unknown or does not look as GitHub documents it has no effect but a note."""
    handle = _HANDLERS.get(event)
    if handle is None:
        return Effects(note=f"event {event} is not used")
    try:
        return handle(_Part(payload, event))
    except _Odd as odd:
        return Effects(note=f"not understood: {odd}")


class _Odd(Exception):
    """A field is missing or not of its kind."""


class _Part:
    """An object of the payload whose fields are checked as they are read."""

    def __init__(self, value: object, path: str) -> None:
        if not isinstance(value, dict):
            raise _Odd(f"{path} is not an object")
        self._value = value
        self._path = path

    def part(self, name: str) -> "_Part":
        return _Part(self._value.get(name), f"{self._path}.{name}")

    def has(self, name: str) -> bool:
        return self._value.get(name) is not None

    def number(self, name: str) -> int:
        value = self._value.get(name)
        if type(value) is not int or not 0 < value <= _LARGEST_ID:
            raise _Odd(f"{self._path}.{name} is not a positive number")
        return value

    def text(self, name: str) -> str:
        value = self._value.get(name)
        # Half a surrogate pair, a NUL or a name of kilobytes cannot be stored in every database.
        if not isinstance(value, str) or "\0" in value or not 0 <= _bytes_of(value) <= _LONGEST_TEXT:
            raise _Odd(f"{self._path}.{name} is not text")
        return value

    def oid(self, name: str) -> str:
        value = self.text(name)
        if not _OID.fullmatch(value):
            raise _Odd(f"{self._path}.{name} is not an object id")
        return value

    def account(self, name: str) -> Account | None:
        """None where GitHub names nobody, or an account of a kind that we do not know."""
        if not self.has(name):
            return None
        who = self.part(name)
        kind = who.text("type")
        return Account(who.number("id"), who.text("login"), Kind(kind)) if kind in set(Kind) else None


def _bytes_of(value: str) -> int:
    """How many; -1 if it is not Unicode."""
    try:
        return len(value.encode())
    except UnicodeEncodeError:
        return -1


def _lane(payload: _Part, *, head: str = "", ref: str = "", pull: int | None = None) -> Lane:
    repository = payload.part("repository")
    installation = payload.part("installation").number("id")
    return Lane(installation, repository.number("id"), repository.text("full_name"), head, ref, pull)


def _pull_request(payload: _Part) -> Effects:
    pull = payload.part("pull_request")
    number = pull.number("number")
    heads = [pull.part("head").oid("sha")]
    pushes: tuple[PushSeen, ...] = ()
    if payload.text("action") == "synchronize":
        # The head that was left may show a green check that was given for this pull request.
        heads += [payload.oid("after"), payload.oid("before")]
        pushes = (_push_to_pull(payload, pull, number),)
    lanes = tuple(_lane(payload, head=head, pull=number) for head in dict.fromkeys(heads))
    return Effects(lanes, pushes)


def _push_to_pull(payload: _Part, pull: _Part, number: int) -> PushSeen:
    head = pull.part("head")
    # A fork that was deleted has no repository any more; the pull request's own number is what tells it apart.
    where = head.part("repo").number("id") if head.has("repo") else 0
    return PushSeen(
        repository_id=where,
        ref=f"refs/heads/{head.text('ref')}",
        before=payload.oid("before"),
        after=payload.oid("after"),
        account=payload.account("sender"),
        pull_repository_id=payload.part("repository").number("id"),
        pull=number,
    )


def _review(payload: _Part) -> Effects:
    pull, review = payload.part("pull_request"), payload.part("review")
    number, head, base = pull.number("number"), pull.part("head").oid("sha"), pull.part("base")
    reviews: tuple[ReviewSeen, ...] = ()
    # Only a submission tells what was looked at: an edited or dismissed review comes with a later head.
    if payload.text("action") == "submitted" and review.has("commit_id"):
        given = SeenReview(
            commit=review.oid("commit_id"),
            head=head,
            base=base.oid("sha"),
            base_ref=base.text("ref"),
            state=review.text("state").upper(),
        )
        repository = payload.part("repository").number("id")
        reviews = (ReviewSeen(review.number("id"), repository, number, review.account("user"), given),)
    return Effects((_lane(payload, head=head, pull=number),), reviews=reviews)


def _push(payload: _Part) -> Effects:
    ref, after = payload.text("ref"), payload.oid("after")
    if not ref.startswith("refs/heads/"):
        return Effects(note="not a branch")
    if _NO_COMMIT.fullmatch(after):
        return Effects(note="a branch was deleted")
    if ref.startswith(QUEUE):
        return Effects(note="the merge queue's own branch")
    repository = payload.part("repository")
    push = PushSeen(repository.number("id"), ref, payload.oid("before"), after, payload.account("sender"))
    is_default = ref == f"refs/heads/{repository.text('default_branch')}"
    # two lanes: what landed is looked at even while open pull requests cannot be, and the other way round
    lanes = (_lane(payload, ref=EVERY_BRANCH if is_default else ref), _lane(payload, ref=f"{LANDED}{ref}"))
    return Effects(lanes, (push,))


def _merge_group(payload: _Part) -> Effects:
    """Asked for checks, or gone: then what was green is rewritten."""
    group = payload.part("merge_group")
    return Effects((_lane(payload, head=group.oid("head_sha"), ref=f"{GROUP}{group.text('base_ref')}"),))


def _check_run(payload: _Part) -> Effects:
    if payload.text("action") not in ("rerequested", "requested_action"):
        return Effects(note="not a request to run again")
    return Effects((_lane(payload, head=payload.part("check_run").oid("head_sha")),))


def _check_suite(payload: _Part) -> Effects:
    if payload.text("action") != "rerequested":
        return Effects(note="not a request to run again")
    return Effects((_lane(payload, head=payload.part("check_suite").oid("head_sha")),))


def _repository(payload: _Part) -> Effects:
    """Another default branch brings another policy, and is gated in place of the one before. Of one that is there no
    more, or again, or under another name, the sweep has to know what it covers.
    """
    action = payload.text("action")
    if action in _MOVED:
        return Effects(errands=(_pulls(payload),), note=f"repository {action}")
    edited = action == "edited" and payload.has("changes")
    if not edited or not payload.part("changes").has("default_branch"):
        return Effects(note="the default branch is the same")
    ref = f"refs/heads/{payload.part('repository').text('default_branch')}"
    return Effects((_lane(payload, ref=EVERY_BRANCH), _lane(payload, ref=f"{LANDED}{ref}")))


_MOVED = ("archived", "deleted", "renamed", "transferred", "unarchived")


def _installation(payload: _Part) -> Effects:
    """Made, taken away, suspended, resumed, or with other permissions."""
    return Effects(errands=((INSTALLATIONS, 0),), note=_by(payload, "installation"))


def _installation_repositories(payload: _Part) -> Effects:
    return Effects(errands=(_pulls(payload),), note=_by(payload, "repositories of the installation"))


def _pulls(payload: _Part) -> tuple[str, int]:
    number = payload.part("installation").number("id")
    return f"{PULLS}{number}", number


def _by(payload: _Part, what: str) -> str:
    who = payload.account("sender")
    return f"{what} {payload.text('action')} by {who.handle if who else 'nobody known'}"


def _ping(_payload: _Part) -> Effects:
    return Effects(note="ping")


_HANDLERS: dict[str, Callable[[_Part], Effects]] = {
    "check_run": _check_run,
    "check_suite": _check_suite,
    "installation": _installation,
    "installation_repositories": _installation_repositories,
    "merge_group": _merge_group,
    "ping": _ping,
    "pull_request": _pull_request,
    "pull_request_review": _review,
    "push": _push,
    "repository": _repository,
}

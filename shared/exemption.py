"""The two named exceptions in which fewer humans do: an App's own work under `automation`, and a pure revert.

Each is all or nothing: one path, commit, push or minute outside of it, and the ordinary rule holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from foureyes.shared import content
from foureyes.shared.facts import AppAccount, Change, CommitFacts, Landed, Pull, Push, Touch
from foureyes.shared.markup import code
from foureyes.shared.patterns import Patterns
from foureyes.shared.policy import Automation, Policy
from foureyes.shared.protection import Hit

REVERT_WITHIN = timedelta(hours=24)
_PLAIN = {"000000", "100644", "100755"}


@dataclass(frozen=True)
class Exemption:
    """`code` is stable: `automation` or `pure-revert`. `text` is for people."""

    code: str
    approvals: int
    text: str
    subject: str


@dataclass(frozen=True)
class Work:
    """What is exempt, or not."""

    pull: Pull
    at: str
    changes: tuple[Change, ...]
    touched: tuple[Touch, ...]
    commits: tuple[CommitFacts, ...]
    pushes: tuple[Push, ...]
    hits: tuple[Hit, ...]
    app: AppAccount | None
    landed: tuple[Landed, ...]


def exemption(work: Work, policy: Policy) -> Exemption | None:
    """The one that asks for fewer, where both apply."""
    found = [one for one in (_automation(work, policy), _pure_revert(work, policy)) if one is not None]
    return min(found, key=lambda one: (one.approvals, one.code), default=None)


# automation


def _automation(work: Work, policy: Policy) -> Exemption | None:
    app = work.app
    if app is None or not _is_its_own(work, app.account.id) or not _is_plain(work):
        return None
    lists: list[Mapping[str, Automation]] = [policy.automation]
    if policy.floor is not None:
        lists.append(policy.floor.automation)
    chosen = []
    for entries in lists:
        applying = [(one.approvals, name) for name, one in entries.items() if _applies(work, app.id, one)]
        if not applying:
            return None
        chosen.append((min(applying), entries))
    (approvals, name), entries = max(chosen, key=lambda one: one[0][0])
    entry = entries[name]
    text = (
        f"all of it is the work of {app.account.handle}, verified by GitHub; {entry.owner} answers for the exemption "
        f"{code(name)} until {entry.until.isoformat()}"
    )
    return Exemption("automation", approvals, text, app.account.handle)


def _is_its_own(work: Work, bot: int) -> bool:
    pushers = {push.account.id if push.account else 0 for push in work.pushes}
    names_head = any(push.head == work.pull.head for push in work.pushes)
    opened = work.pull.author is not None and work.pull.author.id == bot
    made = bool(work.commits) and all(_made_by(commit, bot) for commit in work.commits)
    return opened and names_head and pushers == {bot} and made


def _made_by(commit: CommitFacts, bot: int) -> bool:
    """GitHub signs what an App commits through its API, and then writes the App as author itself. An agent's account
    is an App too, and somebody prompts it: no exemption is meant for that.
    """
    author = commit.author.account
    own = commit.by_github and author is not None and author.id == bot
    alone = all(person.account is not None and person.account.id == bot for person in commit.co_authors)
    agents = bool(commit.marks or commit.record.agents or commit.author.agent)
    return own and alone and not agents


def _is_plain(work: Work) -> bool:
    """No links or submodules, and nothing that guards the gate or git itself: that is never left to an App."""
    modes = {m for c in work.changes for m in (c.old_mode, c.new_mode)}
    modes |= {m for t in work.touched for m in (t.old_mode, t.new_mode)}
    return modes <= _PLAIN and not any(hit.implicit for hit in work.hits)


def _applies(work: Work, app: int, entry: Automation) -> bool:
    names = [change.path for change in work.changes] + [touch.path for touch in work.touched]
    patterns = Patterns.compile(entry.paths)
    in_time = (today := _day(work.at)) is not None and today <= entry.until
    return entry.app == app and in_time and bool(names) and all(map(patterns.match, names))


# a pure revert


def _pure_revert(work: Work, policy: Policy) -> Exemption | None:
    """Blob for blob the inverse of one change that a Pass let in within 24 hours, in one commit."""
    now = _moment(work.at)
    if now is None or not work.changes or not _is_one_step(work, squash_only=policy.squash_only):
        return None
    undone = content.digest(map(_inverse, work.changes))
    for landed in work.landed:
        at = _moment(landed.at)
        if landed.change == undone and at is not None and timedelta(0) <= now - at <= REVERT_WITHIN:
            text = f"it takes back #{landed.pull} blob for blob, which landed at {landed.at}; a retrospective is opened"
            return Exemption("pure-revert", 1, text, f"#{landed.pull}")
    return None


def _is_one_step(work: Work, *, squash_only: bool) -> bool:
    """No other content was deployable on the way."""
    made = [commit for commit in work.commits if not commit.merges_base]
    names = {change.path for change in work.changes}
    return squash_only or (len(made) == 1 and {touch.path for touch in work.touched} <= names)


def _inverse(change: Change) -> Change:
    return replace(
        change,
        old_mode=change.new_mode,
        new_mode=change.old_mode,
        old_blob=change.new_blob,
        new_blob=change.old_blob,
    )


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _day(text: str) -> date | None:
    moment = _moment(text)
    return moment.astimezone(UTC).date() if moment else None

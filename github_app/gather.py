"""One pull request's facts, each Known or Unknown: GitHub's answer, the mirror, and what was witnessed before."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from sqlalchemy import Connection, Engine

from foureyes.github_app import (
    alert_text,
    alerts,
    commit_facts,
    fork_records,
    git_facts,
    notes,
    prompters,
    records,
    seen,
)
from foureyes.github_app.client import GitHubError, InstallationClient, RetryLater
from foureyes.github_app.commit_facts import Behind, Names
from foureyes.github_app.git_facts import GitFacts, Kept
from foureyes.github_app.keys import Keys
from foureyes.github_app.landed_facts import Late, landed_commits, landed_heads, not_let_in
from foureyes.github_app.mirror import GitError, Mirror
from foureyes.github_app.pins import Pins
from foureyes.github_app.policy_in_force import InForce, gated_prefixes
from foureyes.github_app.pull_query import MOVES, CommitPeople, GivenReview, PullAnswer, ask_commit
from foureyes.github_app.pushes import Activity, read_elsewhere, read_pushes
from foureyes.github_app.range import RawCommit
from foureyes.github_app.records import Checked
from foureyes.github_app.roster import People
from foureyes.github_app.storage import now, reading, writing
from foureyes.github_app.witnessed import Contents, Reader, with_tip
from foureyes.shared.agents import Catalogue
from foureyes.shared.branches import is_gated
from foureyes.shared.facts import (
    AppAccount,
    CommitFacts,
    Content,
    Fact,
    Involved,
    Known,
    Landed,
    Move,
    PullFacts,
    Push,
    RecordFact,
    RecordState,
    Review,
    ReviewState,
    Roster,
    Unknown,
    Witness,
)
from foureyes.shared.people import Account, Kind
from foureyes.shared.sshsig import PublishedKey

T = TypeVar("T")
U = TypeVar("U")

MOST_UNLISTED = 20
"""Commits that GitHub's list of the pull request lacks and that are asked for one by one."""
MOST_SIGNERS = 30
"""Accounts whose published keys are read."""


@dataclass(frozen=True)
class Sources:
    """Where facts come from, for one repository in one installation."""

    engine: Engine
    client: InstallationClient
    mirror: Mirror
    catalogue: Catalogue
    fork: fork_records.MirrorOf
    """A mirror of the repository that a pull request comes from."""
    people: People = field(default_factory=People)
    keys: Keys = field(default_factory=Keys)
    contents: Contents = field(default_factory=Contents)
    activity: Activity = field(default_factory=Activity)
    git: Kept = field(default_factory=Kept)
    late: Late = field(default_factory=Late)


@dataclass(frozen=True)
class _Commits:
    facts: tuple[CommitFacts, ...]
    earlier: tuple[Involved, ...]


def gather(sources: Sources, answer: PullAnswer, in_force: InForce, at_ms: int) -> PullFacts:
    """What could not be read is Unknown. RetryLater passes through: GitHub asks us to wait."""
    git = read_git(sources, answer, in_force)
    oids = git.value.range.oids if isinstance(git, Known) else frozenset()
    pushes = _attempt(lambda: read_pushes(sources.engine, sources.client, answer, oids, sources.activity))
    commits = _after(git, lambda read: _attempt(lambda: _commits(sources, answer, read, pushes)))
    return PullFacts(
        pull=answer.pull,
        at=_rfc3339(at_ms),
        merge=_after(git, lambda read: Known(read.merged.merge)),
        changes=_after(git, lambda read: Known(read.merged.changes)),
        touched=_after(git, lambda read: Known(read.range.touched)),
        hidden=_after(git, lambda read: Known(read.merged.hidden)),
        commits=_after(commits, lambda read: Known(read.facts)),
        pushes=pushes,
        elsewhere=_after(git, lambda _: _elsewhere(sources, answer, oids, pushes)),
        reviews=_reviews(sources, answer, in_force, oids),
        moves=_moves(answer),
        involved=_after(commits, lambda read: _involved(sources, answer, pushes, read.earlier)),
        roster=_attempt(lambda: _roster(sources, answer, in_force)),
        floor=in_force.floor.text,
        app=_attempt(lambda: _app(sources, answer, in_force)),
        landed=_after(git, lambda _: _attempt(lambda: _landed(sources, answer, at_ms))),
        held=git.value.merged.held if isinstance(git, Known) else None,
    )


def read_git(sources: Sources, answer: PullAnswer, in_force: InForce) -> Fact[GitFacts]:
    pull, ground = answer.pull, answer.ground
    wanted = git_facts.Wanted(
        number=pull.number,
        base=pull.base,
        head=pull.head,
        base_ref=pull.base_ref,
        default_tip=ground.default_tip,
        github_merge=answer.github_merge,
        # a fork's records are in the fork
        record_branch="" if answer.from_fork else pull.head_ref,
        gated=gated_prefixes(in_force.ruling),
    )

    def known_records(commits: Iterable[str]) -> bool:
        return sources.git.settled(pull.repository.id, commits)

    def gated(branch: str) -> bool:
        return is_gated(branch, in_force.ruling, ground.default_branch)

    key = (sources.mirror.folder, wanted, in_force.key)
    kept = sources.git.get(key)
    if kept is None:
        read = _attempt(lambda: git_facts.read(sources.mirror, wanted, gated, known_records))
    elif known_records(kept.range.needing_records):
        return Known(kept)
    else:
        read = _attempt(lambda: git_facts.renewed(sources.mirror, wanted, kept, gated, known_records))
    if isinstance(read, Known):
        sources.git.put(key, read.value)
    return read


def _commits(sources: Sources, answer: PullAnswer, git: GitFacts, pushes: Fact[tuple[Push, ...]]) -> _Commits:
    if isinstance(answer.commits, Unknown):
        raise GitHubError(answer.commits.why)
    people = _people(sources, answer, git, answer.commits.value)
    known_pushes = pushes.value if isinstance(pushes, Known) else ()
    accounts = [answer.pull.author, *(push.account for push in known_pushes)]
    names = commit_facts.names_in(people.values(), accounts)
    checked = _checked(sources, answer, git, names, known_pushes)
    with reading(sources.engine) as conn:
        landed = landed_commits(conn, answer.pull.repository.id, git.range.commits)
        noted = notes.seen(conn, answer, git.range.oids)
    behind = Behind(
        catalogue=sources.catalogue,
        names=names,
        noted=noted,
        pushes=known_pushes,
        pull_agent=commit_facts.agent_account(answer.pull.author, sources.catalogue),
        mechanical=git.range.mechanical,
        brought=git.ungated | not_let_in(git.range.commits, landed),
        landed=landed,
        resolve=lambda claim: _resolve(sources, names, claim),
    )
    facts = tuple(
        commit_facts.build(commit, people[commit.oid], checked[commit.oid], behind)
        for commit in git.range.commits
    )
    return _Commits(facts, commit_facts.named_earlier(checked, behind.resolve))


def _people(
    sources: Sources, answer: PullAnswer, git: GitFacts, listed: Mapping[str, CommitPeople]
) -> dict[str, CommitPeople]:
    """GitHub leaves merges out of a pull request's commits at times, and lists by the base as it was."""
    missing = [commit.oid for commit in git.range.commits if commit.oid not in listed]
    if len(missing) > MOST_UNLISTED:
        raise GitHubError(f"GitHub's list of commits lacks {len(missing)} of {len(git.range.commits)}")
    slug = answer.pull.repository.slug
    return dict(listed) | {oid: ask_commit(sources.client, slug, oid) for oid in missing}


def _checked(
    sources: Sources, answer: PullAnswer, git: GitFacts, names: Names, pushes: tuple[Push, ...]
) -> dict[str, Checked]:
    """Keeps what record ref and notes hold now, then judges every commit by each record ever seen for it."""
    home, commits = answer.pull.repository.id, git.range.commits
    away = fork_records.read(answer, sources.fork, git.range.oids) if answer.from_fork else None
    with writing(sources.engine) as conn:
        at = now(conn)
        notes.keep(conn, home, git.noted, sources.catalogue, at)
        if away is None:
            _keep_own(conn, answer, git, at)
        else:
            fork_records.keep(conn, answer, git.range.oids, away, sources.catalogue, at)
        forks = fork_records.kept_under(conn, answer) if away else ()
        found = [seen.records_seen(conn, where, [c.oid for c in commits]) for where in (home, *forks)]
    forms = {c.oid: tuple(form for one in found for form in one.get(c.oid, ())) for c in commits}
    why_none = away.why if away else git.published.why
    unsigned = {c.oid: records.check(c, forms[c.oid], (), why_none) for c in commits}
    if not records.has_signature(form for given in forms.values() for form in given):
        return unsigned
    claims = dict.fromkeys(claim for found in unsigned.values() for claim in _operators(found.fact))
    operators = [_resolve(sources, names, claim) for claim in claims if claim]
    keys = _keys(sources, _concerned(answer, git.range.commits, names, [*_pushers(pushes), *operators]))
    checked = {c.oid: records.check(c, forms[c.oid], keys, why_none) for c in commits}
    signed = ((oid, one.fact) for oid, one in checked.items() if one.fact.state is RecordState.SIGNED)
    if away is None:
        sources.git.settle(home, [oid for oid, fact in signed if fact.says == "ai"])
    return checked


def _keep_own(conn: Connection, answer: PullAnswer, git: GitFacts, at: int) -> None:
    repository, branch = answer.pull.repository, answer.pull.head_ref
    for commit, problem in records.watch(conn, repository.id, branch, git.range.oids, git.published):
        alerts.keep(conn, alert_text.of_record(repository.slug, repository.id, branch, commit, problem), at)
    records.keep(conn, repository.id, git.published, at)


def _operators(fact: RecordFact) -> tuple[str, ...]:
    return (fact.operator_claim, *(named.claim for named in fact.named if named.role == "operator"))


def _pushers(pushes: tuple[Push, ...]) -> list[Account | None]:
    return [push.account for push in pushes]


def _concerned(
    answer: PullAnswer, commits: Iterable[RawCommit], names: Names, others: Iterable[Account | None]
) -> tuple[Account, ...]:
    """Pushers, operators, the author of the pull request and of its commits: whose keys a record may be signed by."""
    authors = [names.by_email.get(commit.author.email.casefold()) for commit in commits]
    found = [*others, answer.pull.author, *authors]
    return tuple(dict.fromkeys(account for account in found if account and account.kind is Kind.USER))


def _keys(sources: Sources, accounts: tuple[Account, ...]) -> tuple[PublishedKey, ...]:
    if len(accounts) > MOST_SIGNERS:
        raise GitHubError(f"{len(accounts)} people took part; keys of at most {MOST_SIGNERS} are read")
    keys: list[PublishedKey] = []
    for account in accounts:
        # a login that was given up can be somebody else's by now
        current = sources.people.user(sources.client, account.login)
        if current is not None and current.id == account.id:
            keys += sources.keys.published(sources.client, current)
    return tuple(keys)


def _resolve(sources: Sources, names: Names, claim: str) -> Account | None:
    known = names.find(claim)
    if known is not None or "@" in claim.strip().removeprefix("@"):
        return known
    return sources.people.user(sources.client, claim.strip().removeprefix("@"))


def _elsewhere(
    sources: Sources, answer: PullAnswer, commits: Collection[str], pushes: Fact[tuple[Push, ...]]
) -> Fact[tuple[Push, ...]]:
    return _after(pushes, lambda own: Known(read_elsewhere(sources.engine, answer, commits, own)))


def _reviews(
    sources: Sources, answer: PullAnswer, in_force: InForce, commits: Collection[str]
) -> Fact[tuple[Review, ...]]:
    if isinstance(answer.reviews, Unknown):
        return answer.reviews
    if isinstance(answer.timeline, Unknown):
        return answer.timeline
    given, repository = answer.reviews.value, answer.pull.repository.id
    with reading(sources.engine) as conn:
        witnessed = seen.reviews_seen(conn, [review.id for review in given])
        approvals = [r for r in given if r.id in witnessed and r.state is ReviewState.APPROVED]
        witnessed |= {r.id: with_tip(conn, repository, r, witnessed[r.id]) for r in approvals}
    # not all of very many are read: first those that could count, and of these the newest
    approvals.sort(key=lambda r: (r.can_push, r.submitted_at, r.id), reverse=True)
    standing = [witnessed[r.id] for r in approvals]
    retargeted = {told.base for told in standing if told.base_ref != answer.pull.base_ref}
    bases = _landed_heads(sources, answer, retargeted) if retargeted else frozenset()
    reader = Reader(sources.contents, sources.mirror, repository, in_force.ruling, in_force.key, commits)
    contents = reader.of(standing)
    dismissals = {event.review: event for event in answer.timeline.value if event.review is not None}

    def finished(review: GivenReview) -> Review:
        told = witnessed.get(review.id)
        nothing = Unknown("only the content of standing approvals is read")
        dismissal = dismissals.get(review.id) if review.state is ReviewState.DISMISSED else None
        return Review(
            id=review.id,
            account=review.account or _who_gave(review, told),
            state=review.state,
            commit=review.commit,
            submitted_at=review.submitted_at,
            can_push=review.can_push,
            witness=_witness(told, contents.get(told, nothing), bases) if told else None,
            dismissed_by=dismissal.actor if dismissal else None,
            dismissed_state=dismissal.previous if dismissal else None,
        )

    return Known(tuple(map(finished, given)))


def _who_gave(review: GivenReview, told: seen.SeenReview | None) -> Account | None:
    """Whom GitHub names no more, as it was told then. An approval of theirs adds nothing; what else they said stands as
    long as they are on the roster.
    """
    if told is None or not told.by or review.state is ReviewState.APPROVED:
        return None
    return Account(told.by, "ghost")


def _witness(told: seen.SeenReview, content: Fact[Content], bases: frozenset[str]) -> Witness:
    return Witness(told.commit, told.base_ref, content, told.base in bases)


def _landed_heads(sources: Sources, answer: PullAnswer, heads: Iterable[str]) -> frozenset[str]:
    with reading(sources.engine) as conn:
        return landed_heads(conn, answer.pull.repository.id, answer.pull.base_ref, heads)


def _moves(answer: PullAnswer) -> Fact[tuple[Move, ...]]:
    if isinstance(answer.timeline, Unknown):
        return answer.timeline
    return Known(
        tuple(
            Move(MOVES[event.kind], event.at, event.actor)
            for event in answer.timeline.value
            if event.kind in MOVES
        )
    )


def _involved(
    sources: Sources, answer: PullAnswer, pushes: Fact[tuple[Push, ...]], earlier: tuple[Involved, ...]
) -> Fact[tuple[Involved, ...]]:
    """Who set a bot to work here, now or as far as it was ever seen, and operators in records that are gone."""
    if isinstance(pushes, Unknown):
        return pushes
    pushers = [push.account for push in pushes.value]
    bots = {account for account in (answer.pull.author, *pushers) if account and account.kind is Kind.BOT}
    now_seen = prompters.in_timeline(answer, by_bot=bool(bots))
    if isinstance(now_seen, Unknown) or not bots:
        return _after(now_seen, lambda found: Known(tuple(dict.fromkeys((*earlier, *found)))))
    mentions = _attempt(lambda: prompters.by_mention(sources.client, answer, bots, sources.catalogue))
    if isinstance(mentions, Unknown):
        return mentions
    with reading(sources.engine) as conn:
        before = prompters.seen_before(conn, answer.pull.repository.id, answer.pull.number)
    return Known(tuple(dict.fromkeys((*earlier, *now_seen.value, *mentions.value, *before))))


def _roster(sources: Sources, answer: PullAnswer, in_force: InForce) -> Roster:
    pins = Pins(sources.engine, answer.pull.repository.id)
    whole = isinstance(in_force.floor.text, Known)
    return sources.people.roster(sources.client, in_force.ruling, pins, whole=whole)


def _app(sources: Sources, answer: PullAnswer, in_force: InForce) -> AppAccount | None:
    """Asked only where an exemption could apply."""
    author = answer.pull.author
    if not in_force.ruling.automation or author is None or author.kind is not Kind.BOT:
        return None
    number = sources.people.app(sources.client, author)
    return None if number is None else AppAccount(number, author)


def _landed(sources: Sources, answer: PullAnswer, at_ms: int) -> tuple[Landed, ...]:
    pull = answer.pull
    with reading(sources.engine) as conn:
        return sources.late.read(conn, sources.mirror, pull.repository.id, pull.base_ref, at_ms)


def _attempt(read: Callable[[], T]) -> Fact[T]:
    try:
        return Known(read())
    except RetryLater:
        raise
    except (GitHubError, GitError) as error:
        return Unknown(error.why)


def _after(fact: Fact[T], then: Callable[[T], Fact[U]]) -> Fact[U]:
    return fact if isinstance(fact, Unknown) else then(fact.value)


def _rfc3339(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""Records as they arrive: read from the branch's record ref, kept for good once seen, held to the stricter."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from foureyes.github_app import seen
from foureyes.github_app.mirror import OURS, GitError, Mirror, Trouble
from foureyes.github_app.range import RawCommit
from foureyes.github_app.storage import insert
from foureyes.github_app.tables import record_shown
from foureyes.shared import dsse, manifest
from foureyes.shared.canonical import sha256_hex
from foureyes.shared.facts import AgentMark, Named, RecordFact, RecordState
from foureyes.shared.record import RecordError, parse_record
from foureyes.shared.record_check import check_record
from foureyes.shared.record_ref import PREFIX, PUSHES, RECORDS, record_ref
from foureyes.shared.sshsig import PublishedKey

MOST_PUSHES = 10_000
MOST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Published:
    """What a record ref holds for some commits. `why` says what is wrong with a ref that nothing can be read from:
    whoever may push can put anything there, and then there is no record.
    """

    records: Mapping[str, bytes]
    envelopes: tuple[bytes, ...]
    why: str = ""


@dataclass(frozen=True)
class Checked:
    """`also`: whom other forms of the same commit's record, seen at some time, name, and this one does not."""

    fact: RecordFact
    also: tuple[Named, ...] = ()


def refspec(branch: str) -> str:
    """A pattern, because a branch without records is normal and a pattern may match nothing."""
    ref = record_ref(branch)
    return f"+{ref}*:{OURS}/{_below(branch)}*"


def read_published(mirror: Mirror, branch: str, commits: Collection[str]) -> Published:
    """From what was fetched. Fetches the blobs in one batch. Raises GitError."""
    tip = mirror.refs(_below(branch)).get("")
    if tip is None:
        return Published({}, ())
    try:
        return _published(mirror, tip, commits)
    except GitError as error:
        if error.trouble is Trouble.TOO_BIG:
            return Published({}, (), f"the record ref cannot be read: {error.why}")
        if error.trouble is Trouble.SUSPECT and mirror.kind(tip) == "blob":
            return Published({}, (), "the record ref names a file")
        raise


def _published(mirror: Mirror, tip: str, commits: Collection[str]) -> Published:
    records: dict[str, str] = {}
    pushes: list[str] = []
    for path, (_mode, kind, oid) in mirror.entries(tip).items():
        name = path.decode("ascii", "replace")
        if kind == "blob" and name.startswith(RECORDS) and name.removeprefix(RECORDS) in commits:
            records[name.removeprefix(RECORDS)] = oid
        elif kind == "blob" and name.startswith(PUSHES):
            pushes.append(oid)
    if len(pushes) > MOST_PUSHES:
        raise GitError(Trouble.TOO_BIG, f"it holds more than {MOST_PUSHES} pushes")
    wanted = [*records.values(), *pushes]
    mirror.fetch_objects(wanted)
    blobs = mirror.objects(wanted, "blob", cap=MOST_BYTES)
    return Published(
        {commit: blobs[oid] for commit, oid in records.items()},
        tuple(blobs[oid] for oid in dict.fromkeys(pushes)),
    )


def keep(conn: Connection, repository_id: int, published: Published, at: int) -> None:
    """Each record with the envelopes that list its commit."""
    listing = _listing(published.envelopes)
    for commit, record in published.records.items():
        seen.keep_record(conn, repository_id, commit, record, listing.get(commit, ()), at)


def watch(
    conn: Connection,
    repository_id: int,
    branch: str,
    commits: Collection[str],
    published: Published,
    *,
    kept_under: int | None = None,
) -> tuple[tuple[str, str], ...]:
    """(commit, what happened) for each record that the branch's ref held at an earlier look and that is gone now or
    has become kinder. Keeps what it holds now. `kept_under`: the id under which the records are kept, where that is a
    fork's.
    """
    home = repository_id if kept_under is None else kept_under
    mine = (record_shown.c.repository_id == repository_id) & (record_shown.c.branch == branch)
    rows = conn.execute(select(record_shown.c.commit, record_shown.c.sha256).where(mine))
    before = {commit: digest for commit, digest in rows if commit in commits}
    found = [(commit, "is gone") for commit in before if commit not in published.records]
    for commit, record in published.records.items():
        digest = sha256_hex(record)
        if before.get(commit) == digest:
            continue
        if commit in before and _is_kinder(conn, home, commit, record):
            found.append((commit, "was overwritten"))
        row = insert(conn, record_shown).values(
            repository_id=repository_id, branch=branch, commit=commit, sha256=digest
        )
        key = ["repository_id", "branch", "commit"]
        conn.execute(row.on_conflict_do_update(index_elements=key, set_={"sha256": digest}))
    return tuple(sorted(found))


def _is_kinder(conn: Connection, repository_id: int, commit: str, record: bytes) -> bool:
    """It says less than some form that was seen: no agent any more, another operator, or nothing that can be read. A
    record that was only made again with more in it is none of that.
    """
    forms = seen.records_seen(conn, repository_id, [commit]).get(commit, ())
    now_says = _says(record)
    return any(not _says(form.record) <= now_says for form in forms)


def _says(record: bytes) -> frozenset[str]:
    try:
        read = parse_record(record)
    except RecordError:
        return frozenset()
    agents = {f"agent {agent.id}" for agent in read.agents}
    operators = {f"operator {one.claim}" for one in (read.operator, *read.operators) if one.claim}
    reviewers = {f"reviewer {review.account}" for review in read.reviews}
    return frozenset(agents | operators | reviewers | ({"ai"} if read.cls == "ai" else set()))


def has_signature(forms: Iterable[seen.SeenRecord]) -> bool:
    """Whether keys are needed to judge these."""
    for envelope in {envelope for form in forms for envelope in form.envelopes}:
        try:
            if dsse.parse(envelope).signatures:
                return True
        except dsse.EnvelopeError:
            continue
    return False


def check(
    commit: RawCommit, forms: Sequence[seen.SeenRecord], keys: Sequence[PublishedKey], why_none: str = ""
) -> Checked:
    """The fact for a commit from every form in which its record was ever seen, oldest first. A form that vanished or
    was replaced still counts: it can only add agents and operators, and a signed `ai` is never unsaid by a later
    `human`. `why_none`: what is known about why there is none.
    """
    if not forms:
        return Checked(replace(check_record(None, (), commit.oid, commit.tree, keys), why=why_none))
    envelopes = tuple(dict.fromkeys(envelope for form in forms for envelope in form.envelopes))
    bodies = dict.fromkeys(form.record for form in forms)
    facts = [check_record(body, envelopes, commit.oid, commit.tree, keys) for body in bodies]
    # the newest of the strongest: a record signed later settles what an unsigned one left open
    chosen = max(enumerate(facts), key=lambda pair: (_weight(pair[1]), pair[0]))[1]
    others = [fact for fact in facts if fact is not chosen]
    marks: dict[AgentMark, None] = dict.fromkeys(
        (*chosen.agents, *(m for fact in others for m in fact.agents))
    )
    told = dict.fromkeys(_named(chosen))
    also = dict.fromkeys(named for fact in others for named in _named(fact) if named not in told)
    return Checked(replace(chosen, agents=tuple(marks)), tuple(also))


def _named(fact: RecordFact) -> tuple[Named, ...]:
    first = (Named("operator", fact.operator_claim),) if fact.operator_claim else ()
    return (*first, *fact.named)


def _weight(fact: RecordFact) -> int:
    if fact.state is RecordState.SIGNED:
        return 4 if fact.says == "ai" else 3
    return 1 if fact.state in (RecordState.MISMATCH, RecordState.UNREADABLE) else 2


def _listing(envelopes: Iterable[bytes]) -> dict[str, tuple[bytes, ...]]:
    found: dict[str, tuple[bytes, ...]] = {}
    for data in envelopes:
        try:
            entries = manifest.parse_manifest(dsse.parse(data).payload).entries
        except (dsse.EnvelopeError, manifest.ManifestError):
            continue
        for commit in {entry.commit for entry in entries}:
            found[commit] = (*found.get(commit, ()), data)
    return found


def _below(branch: str) -> str:
    return "b/" + record_ref(branch).removeprefix(PREFIX)

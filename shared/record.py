"""The provenance record of one commit. docs/provenance.md says what every field means.

The format is permanent: the version stands in `PREDICATE_TYPE`, fields are only ever added, and a field that is
added later must be optional when read. A record of another version is refused, a field that is not listed here is
reported in `Record.unlisted` and never acted on.
"""

from dataclasses import dataclass

from foureyes.shared import in_toto, record_fields
from foureyes.shared.canonical import Json, canonical_bytes
from foureyes.shared.change import Change
from foureyes.shared.strict_json import JsonError, read

PREDICATE_TYPE = "urn:foureyes:record:v1"
MAX_BYTES = 64 * 1024 * 1024
MOST_NAMED = 50
"""Operators, and accounts of reviews, that one record may name: each of them is looked up."""


class RecordError(ValueError):
    """Completes "the record was not read: ..." for a person."""


@dataclass(frozen=True)
class Agent:
    """An agent that took part; nearest to the commit first."""

    id: str
    version: str = ""
    model: str = ""
    session: str = ""
    """A hash of the agent's session id, never the id, never a transcript."""
    evidence: tuple[str, ...] = ()
    """How it is known: `agent-hook`, `shell-snapshot`, `journal`, `identity`, `trailer`, `note`."""


@dataclass(frozen=True)
class Contributor:
    """Who wrote, or removed, `count` lines from `start` on, counted from 1 in the new (added) or the old (removed)
    file. `start` 0 with `count` 0: the entry as such (binary, empty, mode alone).
    """

    path: str
    side: str
    """`added` or `removed`."""
    start: int
    count: int
    cls: str
    """`ai`, `human` or `unknown`."""
    agent: str = ""
    version: str = ""
    model: str = ""
    session: str = ""
    evidence: str = ""
    confidence: str = ""
    """`high`: seen while it was written; `medium`: seen by comparing before and after a command; `low`: inferred."""


@dataclass(frozen=True)
class Operator:
    claim: str = ""
    """A login, as written on the machine."""
    email: str = ""
    how: str = ""
    """`foureyes.login`, `gh`, `git`, ..."""


@dataclass(frozen=True)
class Reviewed:
    """A review that an agent was seen to submit from this machine before the commit was pushed."""

    account: str
    """The login that it was submitted as."""
    agent: str
    session: str
    at: int
    """Seconds since 1970."""


@dataclass(frozen=True)
class Parent:
    """A commit that this one was made from by amending, rebasing, squashing or picking."""

    commit: str
    how: str


@dataclass(frozen=True)
class Witnessed:
    """The journal line: our hook saw the commit come into being."""

    hook: str
    at: int
    """Seconds since 1970."""
    operation: str = ""
    """What git was doing (`rebase`, `cherry-pick`, ...), from GIT_REFLOG_ACTION."""


@dataclass(frozen=True)
class Tool:
    name: str
    version: str


@dataclass(frozen=True)
class Totals:
    """The blast-radius block, always counted from `files`."""

    files: int
    added: int
    deleted: int
    files_deleted: int


@dataclass(frozen=True)
class Record:
    commit: str
    tree: str
    id: str
    """The Provenance-Id, if the commit carries one."""
    repository: str
    """`host/owner/name`, or empty."""
    cls: str
    """`ai`, `human`, or empty: no class, nobody saw enough."""
    files: tuple[Change, ...]
    """Against the first parent (or nothing), renames never folded."""
    agents: tuple[Agent, ...]
    contributors: tuple[Contributor, ...]
    operator: Operator
    """The first of those who ran an agent."""
    lineage: tuple[Parent, ...]
    witness: Witnessed | None
    hooks: tuple[str, ...]
    tool: Tool
    operators: tuple[Operator, ...] = ()
    """All of them, the first one too, if there were several."""
    reviews: tuple[Reviewed, ...] = ()
    unlisted: tuple[str, ...] = ()
    """Names of fields that this version does not know, as found by `parse_record`. Never written."""

    @property
    def totals(self) -> Totals:
        return Totals(
            files=len(self.files),
            added=sum(change.added for change in self.files),
            deleted=sum(change.deleted for change in self.files),
            files_deleted=sum(change.status == "D" for change in self.files),
        )


def statement(record: Record) -> dict[str, Json]:
    """The in-toto statement: subjects are the commit and its tree."""
    predicate = record_fields.write(record, leave_out=("commit", "tree", "unlisted"))
    predicate["totals"] = record_fields.write(record.totals)
    subjects = (("commit", "gitCommit", record.commit), ("tree", "gitTree", record.tree))
    return in_toto.build(subjects, PREDICATE_TYPE, predicate)


def record_bytes(record: Record) -> bytes:
    """Canonical: the same record is the same bytes everywhere, and these bytes are what is digested."""
    return canonical_bytes(statement(record))


def parse_record(data: bytes) -> Record:
    """Raises RecordError on another format or version, a missing or malformed field, or totals that are not those
    of the files.
    """
    if len(data) > MAX_BYTES:
        raise RecordError(f"it is longer than {MAX_BYTES} bytes")
    try:
        subjects, predicate, unlisted = in_toto.take_apart(read(data), PREDICATE_TYPE)
        commit, tree = _subjects(subjects)
        totals = predicate.pop("totals", None)
        source = record_fields.Source({**predicate, "commit": commit, "tree": tree}, "predicate")
        source.unlisted.update(f"predicate.{name}" for name in {"commit", "tree"}.intersection(predicate))
        fields = record_fields.fields_of(source, Record, leave_out=("unlisted",))
    except (JsonError, in_toto.StatementError, record_fields.FieldError) as error:
        raise RecordError(str(error)) from None
    record = Record(**fields, unlisted=tuple(sorted({*unlisted, *source.unlisted})))
    if len(record.operators) > MOST_NAMED or len(record.reviews) > MOST_NAMED:
        raise RecordError(f"it names more than {MOST_NAMED} operators or reviews")
    if totals != record_fields.write(record.totals):
        raise RecordError("its totals are not those of its files")
    return record


def _subjects(subjects: tuple[in_toto.Subject, ...]) -> tuple[str, str]:
    names = [(name, kind) for name, kind, _ in subjects]
    if names != [("commit", "gitCommit"), ("tree", "gitTree")]:
        raise RecordError("its subjects are not one commit and its tree")
    return subjects[0][2], subjects[1][2]

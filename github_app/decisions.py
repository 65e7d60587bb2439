"""Decisions: a verdict stored with all its inputs, so that it can be made again later and compared."""

import secrets
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from typing import TypeVar

from pydantic import ValidationError
from sqlalchemy import Connection, select, update

from foureyes.github_app.tables import decision
from foureyes.shared import facts as pull_facts
from foureyes.shared.canonical import canonical_bytes, sha256_hex
from foureyes.shared.errors import UserError
from foureyes.shared.facts import Fact, Known, PullFacts
from foureyes.shared.verdict import Verdict

T = TypeVar("T")

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True)
class Decision:
    """All that is needed to judge again, and what came of it."""

    id: str
    repository_id: int
    slug: str
    pull: int
    head: str
    base_ref: str
    made_at: int
    """Milliseconds since 1970."""
    evaluator: str
    policy_oid: str
    policy: str
    """The text of the policy file."""
    policy_sha256: str
    facts: str
    """JSON, as `facts.dump` gives it."""
    facts_sha256: str
    outcome: str
    """`pass`, `wait`, `block` or `broken`."""
    verdict: str
    """Canonical JSON."""
    verdict_sha256: str
    title: str
    check_run_id: int | None = None
    floor_sha256: str | None = None
    """Of the organisation's floor, "" where none could be read; None: decided before this was kept."""


def new_id(at: int, random: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """26 letters and digits: 48 bits of time, then 80 random ones. They sort by time."""
    number = int.from_bytes(at.to_bytes(6, "big") + random(10), "big")
    return "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5))


def decide(
    facts: PullFacts, verdict: Verdict, *, policy: str, policy_oid: str, evaluator: str, title: str, at: int,
    check_run_id: int | None = None,
) -> Decision:  # fmt: skip
    """A decision about these facts, made at `at` (ms), not stored yet."""
    pull = facts.pull
    facts_text = pull_facts.dump(facts)
    verdict_bytes = canonical_bytes(verdict.to_json())
    return Decision(
        id=new_id(at),
        repository_id=pull.repository.id,
        slug=pull.repository.slug,
        pull=pull.number,
        head=pull.head,
        base_ref=pull.base_ref,
        made_at=at,
        evaluator=evaluator,
        policy_oid=policy_oid,
        policy=policy,
        policy_sha256=sha256_hex(policy.encode()),
        facts=facts_text,
        facts_sha256=sha256_hex(facts_text.encode()),
        outcome=verdict.outcome.name.lower(),
        verdict=verdict_bytes.decode("ascii"),
        verdict_sha256=sha256_hex(verdict_bytes),
        title=title,
        check_run_id=check_run_id,
        floor_sha256=floor_digest(facts),
    )


def floor_digest(facts: PullFacts) -> str:
    """As a decision keeps it."""
    floor = facts.floor
    return sha256_hex(floor.value.encode()) if isinstance(floor, Known) and floor.value else ""


def store(conn: Connection, made: Decision) -> None:
    row = asdict(made)
    row["facts"] = zlib.compress(made.facts.encode(), 6)
    row["verdict"] = made.verdict.encode()
    conn.execute(decision.insert().values(row))


def set_check_run(conn: Connection, decision_id: str, check_run_id: int) -> None:
    """Names the check run that shows this decision, once GitHub has given it a number."""
    conn.execute(update(decision).where(decision.c.id == decision_id).values(check_run_id=check_run_id))


def load(conn: Connection, decision_id: str) -> Decision | None:
    row = (
        conn.execute(select(decision).where(decision.c.id == decision_id.strip().upper())).mappings().first()
    )
    return _from_row(dict(row)) if row else None


def latest(conn: Connection, repository_id: int, pull: int) -> Decision | None:
    """The newest decision on a pull request."""
    where = (decision.c.repository_id == repository_id) & (decision.c.pull == pull)
    newest = select(decision).where(where).order_by(decision.c.made_at.desc(), decision.c.id.desc()).limit(1)
    row = conn.execute(newest).mappings().first()
    return _from_row(dict(row)) if row else None


def newest_first(conn: Connection, repository_id: int, pull: int) -> Iterator[Decision]:
    """Those that are kept on a pull request. Each is read when it is asked for."""
    where = (decision.c.repository_id == repository_id) & (decision.c.pull == pull)
    order = (decision.c.made_at.desc(), decision.c.id.desc())
    for (found,) in conn.execute(select(decision.c.id).where(where).order_by(*order)).all():
        made = load(conn, found)
        if made is not None:
            yield made


def newest_known(
    conn: Connection, repository_id: int, pull: int, part: Callable[[PullFacts], Fact[tuple[T, ...]]]
) -> tuple[T, ...]:
    """That part of the facts, as the newest decision has it for which it could be read. One that an older version
    stored in another form is passed over.
    """
    for made in newest_first(conn, repository_id, pull):
        try:
            found = part(pull_facts.load(made.facts))
        except ValidationError:
            continue
        if isinstance(found, Known):
            return found.value
    return ()


def latest_on_head(
    conn: Connection, repository_id: int, head: str, base_ref: str, pull: int | None = None
) -> Decision | None:
    """The newest decision on a head that was to go into a branch; of one pull request, if it is named."""
    where = (decision.c.repository_id == repository_id) & (decision.c.head == head)
    where = where & (decision.c.base_ref == base_ref)
    if pull is not None:
        where = where & (decision.c.pull == pull)
    newest = select(decision).where(where).order_by(decision.c.made_at.desc(), decision.c.id.desc()).limit(1)
    row = conn.execute(newest).mappings().first()
    return _from_row(dict(row)) if row else None


def to_json(made: Decision) -> dict[str, object]:
    """The form of an export file: every field by its name."""
    return asdict(made)


def from_json(data: object) -> Decision:
    """Reads an export back. Raises UserError on anything else."""
    names = {field.name for field in fields(Decision)}
    if not isinstance(data, dict) or not names - {"check_run_id", "floor_sha256"} <= set(data) <= names:
        raise UserError(
            "this is not an exported decision",
            why="a decision can only be made again from all of its inputs",
            next_step="write one with: foureyes replay DECISION --export FILE",
        )
    numbers = {"repository_id", "pull", "made_at"}
    for name, value in data.items():
        if name == "check_run_id" and (value is None or type(value) is int):
            continue
        if name == "floor_sha256" and value is None:
            continue
        if type(value) is not (int if name in numbers else str):
            raise UserError(f"this is not an exported decision: {name} has a surprising value")
    return Decision(**data)


def _from_row(row: dict[str, object]) -> Decision:
    """One that is damaged is not passed over: it may be the only one that knows whom to leave out."""
    facts, verdict = row["facts"], row["verdict"]
    try:
        if not isinstance(facts, bytes) or not isinstance(verdict, bytes):
            raise TypeError("not bytes")
        row["facts"] = zlib.decompress(facts).decode(errors="backslashreplace")
    except (TypeError, zlib.error) as error:
        raise UserError(
            f"decision {row['id']} is damaged: what the database holds of it cannot be unpacked",
            next_step="foureyes db check, and a backup from before if it finds more",
        ) from error
    row["verdict"] = verdict.decode(errors="backslashreplace")
    return Decision(**row)  # type: ignore[arg-type]

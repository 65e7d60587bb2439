"""`foureyes replay DECISION`: makes a stored decision again, from its stored inputs, and compares the bytes."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import click
from pydantic import ValidationError

from foureyes.github_app import decisions, storage
from foureyes.github_app.decisions import Decision
from foureyes.github_app.policy_in_force import first_problem
from foureyes.github_app.settings import read_database_url
from foureyes.shared import facts as pull_facts
from foureyes.shared.canonical import canonical_bytes, sha256_hex
from foureyes.shared.errors import UserError
from foureyes.shared.evaluate import VERSION, evaluate
from foureyes.shared.facts import PullFacts
from foureyes.shared.policy_text import PolicyError, parse_policy
from foureyes.shared.verdict import Verdict


@dataclass(frozen=True)
class Replay:
    """`differences` is empty if the decision is what its inputs give, to the byte."""

    differences: tuple[str, ...]
    outcome: str = ""
    """Of the new verdict; empty if none could be made."""
    verdict_sha256: str = ""

    @property
    def equal(self) -> bool:
        return not self.differences


def replay(stored: Decision) -> Replay:
    """Pure: nothing is fetched, no clock is read."""
    found = _changed_since(stored)
    try:
        facts = pull_facts.load(stored.facts)
        policy = parse_policy(stored.policy)
    except ValidationError as error:
        return Replay(
            (*found, f"its facts cannot be read: {error.error_count()} fields are not as they should be")
        )
    except PolicyError as error:
        return Replay((*found, f"its policy cannot be read: {first_problem(error)}"))
    found += _other_pull(stored, facts)
    found += _other_floor(stored, facts)
    verdict = evaluate(facts, policy).verdict
    again = canonical_bytes(verdict.to_json()).decode("ascii")
    same = again == stored.verdict
    if stored.evaluator != VERSION:
        found.append(_other_evaluator(stored.evaluator, same=same))
    if not same:
        found += _differences(stored.verdict, verdict)
    return Replay(tuple(found), verdict.outcome.name.lower(), verdict.digest)


def _other_evaluator(stored: str, *, same: bool) -> str:
    gives = ", and gives the same verdict" if same else ": CHANGELOG.md tells under Verdicts what changed"
    return f"it was made by evaluator {stored}; this is evaluator {VERSION}{gives}"


def _changed_since(stored: Decision) -> list[str]:
    """Which stored parts do not have the digest that was stored with them."""
    parts = (
        ("facts", stored.facts, stored.facts_sha256),
        ("policy", stored.policy, stored.policy_sha256),
        ("verdict", stored.verdict, stored.verdict_sha256),
    )
    digests = [(name, sha256_hex(text.encode()), kept) for name, text, kept in parts]
    changed = [
        f"changed after it was stored: {name} (sha256 {now[:16]}, stored with {kept[:16]})"
        for name, now, kept in digests
        if now != kept
    ]
    return changed + _other_outcome(stored)


def _other_outcome(stored: Decision) -> list[str]:
    try:
        outcome = json.loads(stored.verdict)["outcome"]
    except (ValueError, KeyError, TypeError):
        return ["its verdict cannot be read"]
    return (
        [] if outcome == stored.outcome else [f"it is filed as {stored.outcome}, its verdict says {outcome}"]
    )


def _other_pull(stored: Decision, facts: PullFacts) -> list[str]:
    pull = facts.pull
    pairs = (
        ("repository", stored.repository_id, pull.repository.id),
        ("repository name", stored.slug, pull.repository.slug),
        ("pull request", stored.pull, pull.number),
        ("head", stored.head, pull.head),
        ("base branch", stored.base_ref, pull.base_ref),
    )
    return [
        f"it is filed under {name} {filed}, its facts are about {about}"
        for name, filed, about in pairs
        if filed != about
    ]


def _other_floor(stored: Decision, facts: PullFacts) -> list[str]:
    held = decisions.floor_digest(facts)
    if stored.floor_sha256 in (None, held):
        return []
    return [f"it is filed under floor {_digest(stored.floor_sha256)}, its facts hold {_digest(held)}"]


def _digest(sha256: str | None) -> str:
    return f"sha256 {sha256[:16]}" if sha256 else "none"


def _differences(before: str, now: Verdict) -> list[str]:
    """What differs between the stored verdict's text and the new verdict, rule by rule."""
    try:
        old = _by_rule(json.loads(before))
    except (ValueError, KeyError, TypeError, AttributeError):
        return ["its verdict is not one that an evaluator writes"]
    new = _by_rule(json.loads(canonical_bytes(now.to_json())))
    said = [
        f"rule {rule}: stored {_told(old.get(rule))}, now {_told(new.get(rule))}"
        for rule in dict.fromkeys([*old, *new])
        if old.get(rule) != new.get(rule)
    ]
    return said or ["the verdict's bytes differ"]


def _by_rule(verdict: dict[str, object]) -> dict[str, tuple[object, list[object]]]:
    found: dict[str, tuple[object, list[object]]] = {}
    waiting: list[dict[str, object]] = [verdict]
    while waiting:
        node = waiting.pop(0)
        reasons, children = node["reasons"], node["children"]
        if not isinstance(reasons, list) or not isinstance(children, list):
            raise TypeError("not a verdict")
        found[str(node["rule"])] = (node["outcome"], reasons)
        waiting += children
    return found


def _told(node: tuple[object, list[object]] | None) -> str:
    if node is None:
        return "absent"
    outcome, reasons = node
    texts = [str(reason.get("text")) for reason in reasons if isinstance(reason, dict)]
    return f"{outcome} ({'; '.join(texts)})" if texts else str(outcome)


@click.command("replay", help="Decide a stored decision again, and compare to the byte.")
@click.argument("decision", required=False)
@click.option("--file", "file", type=click.Path(path_type=Path), help="Read an exported decision instead.")
@click.option(
    "--export", "export", type=click.Path(path_type=Path), help="Also write it to a file, inputs and all."
)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def command(decision: str | None, file: Path | None, export: Path | None, as_json: bool) -> int:
    if (not decision) == (file is None):
        raise click.UsageError("Name a decision, or an exported one with --file.")
    stored = _from_file(file) if file else _from_database(decision or "")
    if export:
        _write(export, stored)
    result = replay(stored)
    _tell(stored, result, as_json)
    return 0 if result.equal else 1


def _from_database(decision_id: str) -> Decision:
    url = read_database_url(os.environ)
    engine = storage.connect(url)
    file = storage.database_file(engine)
    if file is not None and not file.is_file():
        raise UserError(
            f"there is no database: {file}",
            next_step="set FOUREYES_DATA or FOUREYES_DATABASE_URL as the server has them, or use --file",
        )
    try:
        storage.check_schema(engine)
        with storage.explained(engine), storage.reading(engine) as conn:
            stored = decisions.load(conn, decision_id)
    finally:
        engine.dispose()
    if stored is None:
        raise UserError(
            f"there is no decision {decision_id}",
            next_step="the check's text ends with its decision; copy the 26 characters",
        )
    return stored


def _from_file(path: Path) -> Decision:
    try:
        return decisions.from_json(json.loads(path.read_bytes()))
    except OSError as error:
        raise UserError(
            f"cannot read {path}: {error.strerror}", next_step="name a file that `--export` wrote"
        ) from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not JSON", next_step="name a file that `--export` wrote") from error


def _write(path: Path, stored: Decision) -> None:
    try:
        path.write_text(json.dumps(decisions.to_json(stored), indent=1, sort_keys=True) + "\n")
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error


def _tell(stored: Decision, result: Replay, as_json: bool) -> None:
    if as_json:
        told = {
            "decision": stored.id,
            "pull_request": f"{stored.slug}#{stored.pull}",
            "head": stored.head,
            "equal": result.equal,
            "differences": list(result.differences),
            "stored": {
                "outcome": stored.outcome,
                "verdict_sha256": stored.verdict_sha256,
                "evaluator": stored.evaluator,
            },
            "now": {"outcome": result.outcome, "verdict_sha256": result.verdict_sha256, "evaluator": VERSION},
        }
        click.echo(json.dumps(told, indent=1))
        return
    click.echo(f"decision {stored.id}: {stored.slug}#{stored.pull} at {stored.head[:7]}: {stored.title}")
    if result.equal:
        click.echo(
            f"equal: the same facts and policy give {result.outcome} again, to the byte ({stored.verdict_sha256[:16]})"
        )
    for difference in result.differences:
        click.echo(f"different: {difference}")

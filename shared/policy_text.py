"""The policy file read into a `Policy`: all problems at once, each with line, column and what to write instead."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from foureyes.shared.policy import Automation, FileTier, Policy, PolicyFile, System
from foureyes.shared.policy_around import Around
from foureyes.shared.policy_around import warnings as warnings_around
from foureyes.shared.policy_checks import findings, floor_findings
from foureyes.shared.policy_problem import Finding, Place, PolicyError, Problem, dotted
from foureyes.shared.policy_words import words
from foureyes.shared.yaml_nodes import MAX_PROBLEMS, Document, read_yaml

__all__ = ["PolicyError", "PolicyReading", "Problem", "parse_policy", "read_policy"]

_PARTS: dict[str, type[BaseModel]] = {"systems": System, "tiers": FileTier, "automation": Automation}
_MAPPINGS = (*_PARTS, "aliases")

# Stands in for a required value that is missing or refused, so that the rest of the file is still checked.
_STAND_INS: dict[str, Any] = {"version": 1, "roster": ("@nobody",)}


@dataclass(frozen=True)
class PolicyReading:
    """`warnings`: what works, and will probably not do what was meant."""

    policy: Policy
    warnings: tuple[Problem, ...] = ()


def parse_policy(text: str) -> Policy:
    """Raises PolicyError."""
    return read_policy(text).policy


def read_policy(text: str, *, floor: bool = False, around: Around | None = None) -> PolicyReading:
    """`floor`: the file is an organisation's floor; `around`: what else is known where it lies. Raises PolicyError."""
    document = read_yaml(text)
    if not document.complete:
        raise PolicyError(tuple(document.problems))
    if not isinstance(document.value, dict):
        raise PolicyError(tuple(document.problems) or (_no_mapping(document),))
    refused = _refused(document)
    unread = frozenset(document.broken | {finding.place for finding in refused})
    try:
        file = PolicyFile.model_validate(_readable(document.value, unread))
    except ValidationError:
        # More is wrong than is told at once.
        raise _error(document, refused) from None
    found = [*refused, *findings(file, unread), *(floor_findings(file) if floor else ())]
    found += warnings_around(file, around) if around else ()
    warnings = tuple(sorted(_located(document, finding) for finding in found if finding.warning))
    if document.problems or len(found) > len(warnings):
        raise _error(document, [finding for finding in found if not finding.warning], warnings)
    return PolicyReading(file.policy(), warnings)


def _error(document: Document, found: list[Finding], warnings: tuple[Problem, ...] = ()) -> PolicyError:
    problems = {*document.problems, *(_located(document, finding) for finding in found)}
    return PolicyError(tuple(sorted(problems)[:MAX_PROBLEMS]), warnings)


def _no_mapping(document: Document) -> Problem:
    hint = 'the shortest policy has three lines: version: 1, roster: ["@acme/engineers"], protected: ["infra/**"]'
    what = "the file is empty" if document.value is None else "the file is not a mapping of keys to values"
    return Problem(*document.where(()), what, hint)


def _located(document: Document, finding: Finding) -> Problem:
    line, column = document.where(finding.place, at_key=finding.at_key)
    return Problem(line, column, finding.message, finding.hint)


def _refused(document: Document) -> list[Finding]:
    """What the types refuse, without what the YAML reader has refused already."""
    try:
        PolicyFile.model_validate(document.value)
    except ValidationError as error:
        details = error.errors(include_url=False)[:MAX_PROBLEMS]
        found = map(_finding, details)
        return [f for f in found if not any(f.place[: len(place)] == place for place in document.broken)]
    return []


def _readable(value: dict[str | int, Any], unread: frozenset[Place]) -> dict[str | int, Any]:
    """The part of the file that the types accept: without each value, or entry of a mapping, that they refuse."""
    whole = {place[0] for place in unread if place and (place[0] not in _MAPPINGS or len(place) == 1)}
    entries = {place[:2] for place in unread if len(place) > 1}
    kept: dict[str | int, Any] = {
        key: _STAND_INS[key] for key in _STAND_INS if key not in value or key in whole
    }
    for key, part in value.items():
        if key in whole:
            continue
        if key in _MAPPINGS:
            part = {name: entry for name, entry in part.items() if (key, name) not in entries}
        kept[key] = part
    return kept


def _finding(error: ErrorDetails) -> Finding:
    place: Place = error["loc"]
    if place and place[-1] == "[key]":
        return Finding(place[:-1], *words(error, place[:-1]), at_key=True)
    if error["type"] in {"extra_forbidden", "invalid_key", "missing"}:
        return Finding(place, *_key_words(place, missing=error["type"] == "missing"), at_key=True)
    return Finding(place, *words(error, place))


def _key_words(place: Place, *, missing: bool) -> tuple[str, str]:
    *above, key = place
    part = PolicyFile if not above else _PARTS[str(above[0])]
    inside = f" in `{dotted(tuple(above))}`" if above else ""
    if missing:
        return f"`{key}` is missing{inside}", _EXAMPLES.get(str(key), "")
    allowed = list(part.model_fields)
    close = get_close_matches(str(key), allowed, n=1)
    hint = f"did you mean `{close[0]}`?" if close else f"known here: {', '.join(allowed)}"
    return f"`{str(key)[:60]}` is not known{inside}", hint


_EXAMPLES = {
    "version": "write `version: 1`",
    "roster": 'name who may approve: roster: ["@acme/engineers"]',
    "paths": 'write paths: ["infra/**"]',
    "app": "the App's numeric id: app: 2740",
    "owner": 'who answers for it: owner: "@lee"',
    "until": "the last day: until: 2027-06-30",
}

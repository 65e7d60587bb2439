"""Cases written beside a policy: this change by these people must have this verdict. docs/policy.md is their reference.

The file is read as strictly as the policy: a case that is not understood would be a test that cannot fail.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from foureyes.shared.policy import Policy
from foureyes.shared.policy_fields import Actor, Count, Handle
from foureyes.shared.policy_problem import Finding, Place, PolicyError, Problem, dotted
from foureyes.shared.policy_words import words
from foureyes.shared.yaml_nodes import MAX_PROBLEMS, Document, read_yaml

Teams = dict[Handle, tuple[Actor, ...]]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ChangedPath(_Part):
    """One path of the change: git's status letter, and the mode after it (before it, where it is deleted)."""

    path: Annotated[str, Field(min_length=1)]
    status: Literal["A", "M", "D", "T"] = "M"
    mode: Literal["100644", "100755", "120000", "160000"] = "100644"


def _written_short(value: Any) -> Any:
    return {"path": value} if isinstance(value, str) else value


class PolicyCase(_Part):
    name: Annotated[str, Field(min_length=1)]
    change: Annotated[
        tuple[Annotated[ChangedPath, BeforeValidator(_written_short)], ...], Field(min_length=1)
    ]
    cls: Annotated[Literal["ai", "unattested", "human"], Field(alias="class")]
    by: Actor
    """Opened the pull request and wrote its commit."""
    operator: Actor | None = None
    """Ran the agent. Of an `ai` change it is `by`, unless that is a bot; of an `unattested` one, nobody says so."""
    pushed_by: Actor | None = None
    """`by`, if it is not named."""
    approvals: tuple[Actor, ...] = ()
    rejects: tuple[Actor, ...] = ()
    teams: Teams = {}
    """Members of the teams that the policy names: over those at the top of the file."""
    expect: Literal["pass", "wait", "block"]
    needed: Count | None = None
    """Humans that it waits for."""
    reason: str | None = None
    """A code that must be among the reasons."""

    def members(self, team: str) -> tuple[str, ...] | None:
        """None: this case does not say who is in it."""
        named = {name.casefold(): people for name, people in self.teams.items()}
        return named.get(team.casefold())


class _File(_Part):
    teams: Teams = {}
    cases: Annotated[tuple[PolicyCase, ...], Field(min_length=1)]


@dataclass(frozen=True)
class CaseAt:
    """`line` is where it begins, counted from 1."""

    line: int
    case: PolicyCase


def read_cases(text: str, policy: Policy) -> tuple[CaseAt, ...]:
    """`policy` is the one that they are for: of each team on its roster a case must say who is in it.

    Raises PolicyError with all problems.
    """
    document = read_yaml(text)
    if document.problems:
        raise PolicyError(tuple(document.problems))
    listed, value = isinstance(document.value, tuple), document.value
    top: Place = () if listed else ("cases",)
    try:
        file = _File.model_validate({"cases": value} if listed else value)
    except ValidationError as error:
        details = _own_words(error.errors(include_url=False))
        raise _error(document, [_finding(detail, listed=listed) for detail in details]) from None
    cases = [case.model_copy(update={"teams": {**file.teams, **case.teams}}) for case in file.cases]
    if found := list(_findings(cases, policy, top)):
        raise _error(document, found)
    return tuple(CaseAt(document.where((*top, index))[0], case) for index, case in enumerate(cases))


def _own_words(details: list[ErrorDetails]) -> list[ErrorDetails]:
    """Without the lists that are only called empty because what is in them was refused."""
    places = [detail["loc"] for detail in details]
    return [
        detail
        for detail in details
        if detail["type"] != "too_short"
        or not any(place != detail["loc"] == place[: len(detail["loc"])] for place in places)
    ]


def _findings(cases: list[PolicyCase], policy: Policy, top: Place) -> Iterator[Finding]:
    names: set[str] = set()
    for index, case in enumerate(cases):
        if case.name in names:
            yield Finding((*top, index, "name"), f"two cases are named `{case.name}`", "rename one")
        names.add(case.name)
        for team in dict.fromkeys((*policy.roster, *(policy.floor.roster if policy.floor else ()))):
            if "/" in team and case.members(team) is None:
                message = f"{team} is on the roster, and nobody says who is in it"
                yield Finding((*top, index), message, f'add teams: {{"{team}": [ana, raj]}}')


def _error(document: Document, found: list[Finding]) -> PolicyError:
    problems = {
        Problem(*document.where(f.place, at_key=f.at_key), f.message, f.hint) for f in found[:MAX_PROBLEMS]
    }
    return PolicyError(tuple(sorted(problems)))


def _finding(error: ErrorDetails, *, listed: bool) -> Finding:
    place: Place = error["loc"][1:] if listed else error["loc"]
    if not place:
        hint = "a list of cases, or {teams: ..., cases: [...]}; each case has name, change, class, by, expect"
        return Finding(place, "there is no case here", hint)
    if place[-1] == "[key]":
        return Finding(place[:-1], *words(error, place[:-1]), at_key=True)
    kind, key = error["type"], str(place[-1])
    if kind == "missing":
        return Finding(place, f"`{key}` is missing", f"write {_EXAMPLES[key]}", at_key=True)
    if kind == "extra_forbidden":
        return Finding(place, f"`{key[:60]}` is not known here", _close(key, place[:-1]), at_key=True)
    if kind in {"too_short", "string_too_short"}:
        return Finding(place, f"`{dotted(place)}` is empty", "")
    return Finding(place, *words(error, place))


_EXAMPLES = {
    "name": "name: what this case shows",
    "change": 'change: ["infra/main.tf"]',
    "class": "class: ai, unattested or human",
    "by": "by: olga",
    "expect": "expect: pass, wait or block",
    "path": "path: infra/main.tf",
    "cases": "cases: and a list",
}


def _close(key: str, above: Place) -> str:
    part: type[BaseModel] = PolicyCase
    if "change" in above:
        part = ChangedPath
    elif not above:
        part = _File
    allowed = [field.alias or name for name, field in part.model_fields.items()]
    close = get_close_matches(key, allowed, n=1)
    return f"did you mean `{close[0]}`?" if close else f"known here: {', '.join(allowed)}"

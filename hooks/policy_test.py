"""`foureyes policy test`: the cases written beside the policy, tried on it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from foureyes.hooks.floor_file import read_floor, ruling
from foureyes.hooks.policy_file import POLICY, policy_from, read_file, text_of, told
from foureyes.shared.errors import UserError
from foureyes.shared.markup import count
from foureyes.shared.policy_problem import PolicyError, Problem

if TYPE_CHECKING:
    from foureyes.shared.policy import Policy
    from foureyes.shared.policy_cases import CaseAt
    from foureyes.shared.policy_trial import Trial

CASES = ".github/foureyes-tests.yml"


@dataclass(frozen=True)
class Tried:
    at: "CaseAt"
    trial: "Trial"

    @property
    def good(self) -> bool:
        return not self.trial.differences


@click.command("test")
@click.argument("file", type=click.Path(path_type=Path), default=Path(CASES))
@click.option(
    "--policy", "policy_file", type=click.Path(path_type=Path), default=Path(POLICY), show_default=True
)
@click.option(
    "--floor", type=click.Path(path_type=Path), help="The organisation's floor, to try both together."
)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def command(file: Path, policy_file: Path, floor: Path | None, as_json: bool) -> int:
    """Try the policy on cases: this change by these people must have this verdict.

    FILE is .github/foureyes-tests.yml if it is not named; docs/policy.md shows how cases are written. Exit code 1: a
    case differs.
    """
    policy = policy_from(read_file(policy_file), str(policy_file))
    below = read_floor(floor).text or ""
    tried = run_cases(_cases(file, ruling(policy, below)), policy, below)
    click.echo(
        json.dumps(_as_json(file, policy_file, tried), indent=2)
        if as_json
        else "\n".join(_as_text(file, tried))
    )
    return 0 if all(one.good for one in tried) else 1


def run_cases(cases: Sequence["CaseAt"], policy: "Policy", floor: str = "") -> tuple[Tried, ...]:
    from foureyes.shared.policy_trial import try_case

    return tuple(Tried(at, try_case(at.case, policy, floor)) for at in cases)


def _cases(file: Path, policy: "Policy") -> tuple["CaseAt", ...]:
    from foureyes.shared.policy_cases import read_cases

    text = text_of(read_file(file, CASES))
    try:
        if isinstance(text, Problem):
            raise PolicyError((text,))
        return read_cases(text, policy)
    except PolicyError as error:
        lines = "".join(f"\n  {told(str(file), problem)}" for problem in error.problems)
        raise UserError(
            f"the cases have {count(len(error.problems), 'error')}:{lines}",
            why="a case that is not understood cannot fail",
            next_step="docs/policy.md shows how a case is written",
        ) from error


def _as_text(file: Path, tried: Sequence[Tried]) -> Iterator[str]:
    for one in tried:
        yield f"{'ok     ' if one.good else 'DIFFERS'}  {one.at.case.name}"
        if not one.good:
            yield from _table(file, one)
    differing = sum(not one.good for one in tried)
    yield f"{differing} of {count(len(tried), 'case')} {'differs' if differing == 1 else 'differ'}"


def _table(file: Path, one: Tried) -> Iterator[str]:
    rows = [(d.what, d.expected, d.got) for d in one.trial.differences]
    widths = [max(len(row[column]) for row in (*rows, _HEADS)) for column in (0, 1)]
    for what, expected, got in (_HEADS, *rows):
        yield f"         {what:{widths[0]}}  {expected:{widths[1]}}  {got}"
    for team in one.trial.nobody_in:
        yield f"         {team} owns what is touched, and this case puts nobody in it"
    yield f"         at {file}:{one.at.line}"


_HEADS = ("", "expected", "got")


def _as_json(file: Path, policy_file: Path, tried: Sequence[Tried]) -> dict[str, object]:
    return {
        "file": str(file),
        "policy": str(policy_file),
        "good": all(one.good for one in tried),
        "cases": [
            {"name": one.at.case.name, "line": one.at.line, "good": one.good, **asdict(one.trial)}
            for one in tried
        ],
    }

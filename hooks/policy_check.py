"""`foureyes policy check`: everything that is wrong with a policy file, before it is in force."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from foureyes.hooks.floor_file import NAME, read_floor, ruling
from foureyes.hooks.policy_file import POLICY, STDIN, Checked, check, read_file, told
from foureyes.hooks.repo import Repo
from foureyes.shared import paths
from foureyes.shared.errors import UserError
from foureyes.shared.markup import count

if TYPE_CHECKING:
    from foureyes.shared.policy import Policy
    from foureyes.shared.policy_around import Around

_TOP = ":/"
"""All that is tracked, wherever in the work tree the file lies."""


@click.command("check")
@click.argument("file", type=click.Path(path_type=Path), default=Path(POLICY))
@click.option(
    "--floor", type=click.Path(path_type=Path), help="The organisation's floor, to judge both together."
)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def command(file: Path, floor: Path | None, as_json: bool) -> int:
    """Check a policy file: every error and warning, with its line, column and what to write instead.

    FILE is .github/foureyes.yml if it is not named; - reads standard input. One that is called foureyes-floor.yml is
    an organisation's floor, in which nothing can be taken out. Exit code 1: it has errors, and in force it would let
    nothing pass.
    """
    name = "stdin" if str(file) == STDIN else str(file)
    data, is_floor = read_file(file), file.name == NAME
    checked = check(data, name, floor=is_floor, around=_around(file, is_floor=is_floor))
    together = tuple(_together(checked, floor)) if floor and checked.policy else None
    told = _as_json(checked, together) if as_json else None
    click.echo(json.dumps(told, indent=2) if as_json else "\n".join(_as_text(checked, floor, together)))
    return 0 if checked.policy and not together else 1


def _around(file: Path, *, is_floor: bool) -> "Around":
    """The day, and what git tracks beside the file; a floor is about other repositories."""
    from foureyes.shared.policy_around import Around

    known = not is_floor and str(file) != STDIN
    return Around(datetime.now(UTC).date(), tuple(_tracked(file.absolute().parent)) if known else ())


def _tracked(folder: Path) -> Iterator[str]:
    try:
        repo = Repo.open(folder)
        listed = repo.git("ls-files", "-z", "--full-name", "--", _TOP)
    except UserError:
        return
    yield from (paths.decode(path) for path in listed.split(b"\0") if path)


def _together(checked: Checked, floor: Path) -> Iterator[str]:
    """What cannot work, although each of the two files is in order."""
    from foureyes.shared.floor_checks import problems_together

    assert checked.policy is not None  # noqa: S101 - for the type checker
    yield from problems_together(ruling(checked.policy, read_floor(floor).text))


def _as_text(checked: Checked, floor: Path | None, together: tuple[str, ...] | None) -> Iterator[str]:
    found = [(problem, "error") for problem in checked.errors]
    found += [(problem, "warning") for problem in checked.warnings]
    for problem, kind in sorted(found):
        yield told(checked.name, problem, kind)
    warnings = f", {count(len(checked.warnings), 'warning')}" if checked.warnings else ""
    if checked.policy is None:
        yield f"{count(len(checked.errors), 'error')}{warnings}"
    else:
        yield f"{checked.name} is in order{warnings}: {_in_short(checked.policy)}"
        yield from (f"{checked.name} with {floor}: error: {problem}" for problem in together or ())
        if floor and not together:
            both = ruling(checked.policy, read_floor(floor).text)
            yield f"with {floor}: {_in_short(both)}{_and_on_the_floor(both)}"


def _in_short(policy: "Policy") -> str:
    """`payments (tier 0), infra (tier 1); mode enforce; who may approve: @acme/engineers`"""
    systems = sorted((system.tier, name) for name, system in policy.systems.items())
    listed = ", ".join(f"{name} (tier {tier})" for tier, name in systems)
    return f"{listed}; mode {policy.mode}; who may approve: {', '.join(policy.roster)}"


def _and_on_the_floor(both: "Policy") -> str:
    return f", who are on the floor's roster too: {', '.join(both.floor.roster)}" if both.floor else ""


def _as_json(checked: Checked, together: tuple[str, ...] | None) -> dict[str, object]:
    return {
        "file": checked.name,
        "good": checked.policy is not None and not together,
        **({} if together is None else {"with_floor": list(together)}),
        "errors": [asdict(problem) for problem in checked.errors],
        "warnings": [asdict(problem) for problem in checked.warnings],
    }

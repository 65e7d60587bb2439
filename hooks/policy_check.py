"""`foureyes policy check`: everything that is wrong with a policy file, before it is in force."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from foureyes.hooks.policy_file import POLICY, STDIN, Checked, check, read_file, told
from foureyes.shared.markup import count

if TYPE_CHECKING:
    from foureyes.shared.policy import Policy


@click.command("check")
@click.argument("file", type=click.Path(path_type=Path), default=Path(POLICY))
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def command(file: Path, as_json: bool) -> int:
    """Check a policy file: every error and warning, with its line, column and what to write instead.

    FILE is .github/foureyes.yml if it is not named; - reads standard input. Exit code 1: it has errors, and in force
    it would let nothing pass.
    """
    checked = check(read_file(file), "stdin" if str(file) == STDIN else str(file))
    click.echo(json.dumps(_as_json(checked), indent=2) if as_json else "\n".join(_as_text(checked)))
    return 0 if checked.policy else 1


def _as_text(checked: Checked) -> Iterator[str]:
    found = [(problem, "error") for problem in checked.errors]
    found += [(problem, "warning") for problem in checked.warnings]
    for problem, kind in sorted(found):
        yield told(checked.name, problem, kind)
    warnings = f", {count(len(checked.warnings), 'warning')}" if checked.warnings else ""
    if checked.policy is None:
        yield f"{count(len(checked.errors), 'error')}{warnings}"
    else:
        yield f"{checked.name} is in order{warnings}: {_in_short(checked.policy)}"


def _in_short(policy: "Policy") -> str:
    """`payments (tier 0), infra (tier 1); mode enforce; who may approve: @acme/engineers`"""
    systems = sorted((system.tier, name) for name, system in policy.systems.items())
    listed = ", ".join(f"{name} (tier {tier})" for tier, name in systems)
    return f"{listed}; mode {policy.mode}; who may approve: {', '.join(policy.roster)}"


def _as_json(checked: Checked) -> dict[str, object]:
    return {
        "file": checked.name,
        "good": checked.policy is not None,
        "errors": [asdict(problem) for problem in checked.errors],
        "warnings": [asdict(problem) for problem in checked.warnings],
    }

"""`foureyes check`: what a change will need, and who can give it, before there is a pull request."""

import json
import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from foureyes.hooks import planned as plan
from foureyes.hooks import who
from foureyes.hooks.catalogue import agents_around, catalogue
from foureyes.hooks.floor_file import read_floor, ruling
from foureyes.hooks.on_screen import columns
from foureyes.hooks.policy_file import policy_from, read_file
from foureyes.hooks.repo import Repo
from foureyes.shared.errors import UserError

if TYPE_CHECKING:
    from foureyes.hooks.build import Builder
    from foureyes.hooks.local_facts import LocalFacts, Planned
    from foureyes.shared.evaluate import Judgement
    from foureyes.shared.explanation import Explanation
    from foureyes.shared.policy import Policy

EXIT = {"pass": 0, "wait": 3, "block": 4, "broken": 1}


@dataclass(frozen=True)
class Asked:
    range: str = ""
    into: str = ""
    remote: str = ""
    policy: Path | None = None
    login: str | None = None
    floor: Path | None = None
    ask_github: bool = False


@dataclass(frozen=True)
class Answer:
    """`explanation` None: `said` is all there is to say, and nobody waits. `planned` None: there is no commit."""

    said: str
    planned: "Planned | None" = None
    explanation: "Explanation | None" = None
    policy: str = ""


@click.command("check")
@click.argument("range", default="")
@click.option(
    "--into", default="", help="The branch that it is to be merged into; else the remote's default branch."
)
@click.option("--remote", default="", help="The remote with that branch; else upstream or origin.")
@click.option(
    "--policy", type=click.Path(path_type=Path), help="Judge by this file, not by the one in force."
)
@click.option("--floor", type=click.Path(path_type=Path), help="The organisation's floor, from this file.")
@click.option("--ask-github", is_flag=True, help="Read the organisation's floor with gh.")
@click.option("--login", help="Who you are on GitHub, if git's configuration and gh do not say it.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def command(
    range: str, into: str, remote: str, policy: Path | None, floor: Path | None, ask_github: bool,
    login: str | None, as_json: bool,
) -> int:  # fmt: skip
    """Say what a change will need, before there is a pull request: how many humans, and who can be one.

    RANGE is A..B, or one commit against the branch that it goes to; without it, what is checked out. Judged by the
    policy of the remote's default branch as it was last fetched, together with the organisation's floor where that is
    given; nothing is sent, and nothing fetched but a floor with --ask-github. Exit code: 0 nobody has to wait, 3 it
    will wait, 4 it will be blocked, 1 an error.
    """
    answer = look(Repo.open(Path.cwd()), Asked(range, into, remote, policy, login, floor, ask_github))
    click.echo(json.dumps(_as_json(answer), indent=2) if as_json else _as_text(answer))
    return EXIT[answer.explanation.outcome.name.lower()] if answer.explanation else 0


def look(repo: Repo, asked: Asked) -> Answer:
    """Raises UserError: no such commits, no policy, or one with errors."""
    from foureyes.hooks.builder import builder_in
    from foureyes.hooks.local_facts import Planned
    from foureyes.shared.branches import is_gated

    remote = plan.remote_of(repo, asked.remote)
    target = plan.target_of(repo, remote, asked.into)
    base, head = plan.ends_of(repo, asked.range, target)
    data, name = (
        (read_file(asked.policy), str(asked.policy))
        if asked.policy
        else plan.policy_bytes(repo, remote, target)
    )
    policy = policy_from(data, name)
    builder = builder_in(repo, remote or plan.NOWHERE, agents_around(os.environ))
    floor = read_floor(asked.floor, ask_github=asked.ask_github, repository=builder.repository)
    if not is_gated(target.branch, ruling(policy, floor.text), target.default or target.branch):
        return Answer(f"`{target.branch}` is not gated by {name}: nobody waits there.", policy=name)
    if not repo.git("rev-list", "--max-count=1", head, f"^{base}").strip():
        return Answer(f"nothing to check: {head[:7]} has no commit that {base[:7]} lacks.", policy=name)
    planned = Planned(base, head, target.branch, plan.branch_of(repo, head), _login(repo, asked.login))
    local, judgement = judge(repo, planned, replace(builder, login=planned.me), policy, floor.text or "")
    if floor.note:
        local = replace(local, notes=(*local.notes, floor.note))
    return Answer("", planned, _explained(local, policy, judgement), name)


def judge(
    repo: Repo, planned: "Planned", builder: "Builder", policy: "Policy", floor: str = ""
) -> tuple["LocalFacts", "Judgement"]:
    """The verdict is that of a roster with as many people as a team could have; its case names each team once."""
    from foureyes.hooks.local_facts import read_facts
    from foureyes.shared.evaluate import Judgement, evaluate

    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    local = read_facts(repo, planned, builder, ruling(policy, floor), at, floor)
    verdict = evaluate(local.facts, policy).verdict
    return local, Judgement(verdict, evaluate(local.shown, policy).case)


def _explained(local: "LocalFacts", policy: "Policy", judgement: "Judgement") -> "Explanation":
    from foureyes.shared.explain import explain
    from foureyes.shared.explanation import Section

    names = {agent.id: agent.name for agent in catalogue().agents}
    explanation = explain(local.shown, policy, judgement, names=names)
    notes = list(local.notes)
    if judgement.case.policy.mode == "observe":
        notes.append("and nothing will wait: the policy's mode is observe")
    if not notes:
        return explanation
    return replace(explanation, sections=(*explanation.sections, Section("Not known here", tuple(notes))))


def _login(repo: Repo, given: str | None) -> str:
    found = who.find(repo, given)
    if found is None:
        raise UserError(
            "who you are on GitHub is not known",
            why="you do not count for your own change, wherever the roster has you",
            next_step="foureyes check --login NAME, or once: git config --global foureyes.login NAME",
        )
    return found.name


def _as_text(answer: Answer) -> str:
    return answer.explanation.on_terminal(columns()) if answer.explanation else answer.said


def _as_json(answer: Answer) -> dict[str, object]:
    planned, explanation = answer.planned, answer.explanation
    if planned is None or explanation is None:
        from foureyes.shared.explanation import nothing_said

        said = {**nothing_said(answer.said), "outcome": "pass"}
        return {**said, "policy": answer.policy, "asked": None}
    told = explanation.to_json()
    assert isinstance(told, dict)  # noqa: S101
    asked = {"base": planned.base, "head": planned.head, "into": planned.base_ref, "by": planned.me}
    return {**told, "policy": answer.policy, "asked": asked}

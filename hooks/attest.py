"""`foureyes attest`: sign records of commits that are already pushed."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from foureyes.hooks.builder import builder_in
from foureyes.hooks.catalogue import agents_around
from foureyes.hooks.publish import Branch, Outcome, Remote, publish_these
from foureyes.hooks.publish_by_hand import current_branch, pushed_branch, remote_for
from foureyes.hooks.ranges import commits_in
from foureyes.hooks.repo import Repo
from foureyes.hooks.sign import Signed
from foureyes.shared.errors import UserError
from foureyes.shared.record import Record

_SAYS = {
    "ai": "agent-written",
    "human": "a person's: the hooks here saw it being made",
    "": "no class: nobody here saw it being made",
}
_UNCLEAR = "no class: who wrote it was not clear"


@click.command("attest")
@click.argument("range")
@click.option("--remote", "remote_name", help="The remote; by default the one that this branch is pushed to.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def command(range: str, remote_name: str | None, as_json: bool) -> None:
    """Sign and publish records of the commits of RANGE (`main..work`, or one commit), which are already pushed.

    Your signature says that you vouch for these records. It can establish that an agent took part, and who ran it.
    It cannot establish that a person wrote a commit which no hook saw: such a record has no class, and the commit
    counts as if it had none.
    """
    repo = Repo.open(Path.cwd())
    name = current_branch(repo)
    remote = remote_for(repo, name, remote_name)
    branch = pushed_branch(repo, name, remote)
    commits = commits_in(repo, range)
    _require_pushed(repo, commits, branch, remote)
    builder = builder_in(repo, remote, agents_around(os.environ))
    outcome, records = publish_these(repo, remote, branch, commits, builder)
    told = _as_json(outcome, records) if as_json else None
    click.echo(json.dumps(told, indent=2) if told else "\n".join(_as_text(outcome, records, remote)))
    if outcome.branches[0].problem:
        raise UserError(
            f"the records did not reach {remote.name}: {outcome.branches[0].problem}",
            next_step="mend the connection, then run `foureyes attest` again",
        )


def _require_pushed(repo: Repo, commits: Sequence[str], branch: Branch, remote: Remote) -> None:
    asked = "".join(f"{oid}\n" for oid in commits) + f"^{branch.tip}\n"
    aside = repo.git("rev-list", "--stdin", input=asked.encode()).decode("ascii").split()
    if not commits:
        raise UserError("there are no commits in this range", exit_code=2)
    if aside:
        raise UserError(
            f"{aside[0][:10]} is not on {remote.name}'s {branch.ref.removeprefix('refs/heads/')}",
            why="records are published beside the commits that they are about",
            next_step="push first; a push signs the records by itself",
        )


def _as_json(outcome: Outcome, records: Mapping[str, Record]) -> dict[str, object]:
    published, signature = outcome.branches[0], outcome.signature
    return {
        "branch": published.branch,
        "ref": published.ref,
        "signed_by": signature.keyid if isinstance(signature, Signed) else None,
        "commits": [
            {"commit": oid, "class": record.cls or None, "witnessed": record.witness is not None}
            for oid, record in records.items()
        ],
        "problem": published.problem or None,
    }


def _as_text(outcome: Outcome, records: Mapping[str, Record], remote: Remote) -> Iterator[str]:
    for oid, record in records.items():
        agents = ", ".join(agent.id for agent in record.agents)
        says = _UNCLEAR if not record.cls and record.witness else _SAYS[record.cls]
        yield f"{oid[:10]}  {says}{f' ({agents})' if agents else ''}"
    if isinstance(outcome.signature, Signed):
        yield f"signed with {outcome.signature.keyid}, to {remote.name} ({outcome.branches[0].ref})"
    without = [record for record in records.values() if not record.cls]
    if without:
        few = len(without) == 1
        seen = all(record.witness for record in without)
        cannot = "settle who wrote it" if seen else "make up for a hook that did not run"
        yield (
            f"{len(without):,} {'has' if few else 'have'} no class. A signature cannot {cannot}: "
            f"on protected paths {'it needs' if few else 'they need'} two approvals."
        )

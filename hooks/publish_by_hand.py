"""`foureyes publish`: the records of a branch that is already pushed, built and signed anew."""

import json
import os
from pathlib import Path

import click

from foureyes.hooks.builder import builder_in
from foureyes.hooks.catalogue import agents_around
from foureyes.hooks.publish import Branch, Outcome, Remote, publish
from foureyes.hooks.repo import Repo
from foureyes.hooks.sign import NotSigned, Signed
from foureyes.hooks.store import tip_of
from foureyes.shared.errors import UserError


@click.command("publish")
@click.option("--remote", "remote_name", help="The remote; by default the one that this branch is pushed to.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def command(remote_name: str | None, as_json: bool) -> None:
    """Publish the records of the current branch, as far as it is pushed, under a new signature.

    For when a push could not: no network, no key at hand, hooks installed late. What nobody saw stays unseen: a
    commit that was made without hooks gets no better by this.
    """
    repo = Repo.open(Path.cwd())
    branch = current_branch(repo)
    remote = remote_for(repo, branch, remote_name)
    pushed = pushed_branch(repo, branch, remote)
    builder = builder_in(repo, remote, agents_around(os.environ))
    outcome = publish(repo, remote, [pushed], builder, again=[pushed])
    click.echo(json.dumps(_as_json(outcome)) if as_json else _as_text(outcome, remote, branch))
    problem = outcome.branches[0].problem
    if problem:
        raise UserError(
            f"the records did not reach {remote.name}: {problem}",
            why="commits without records on the remote count as if they had none",
            next_step="mend the connection, then run `foureyes publish` again",
        )


def current_branch(repo: Repo) -> str:
    """Its short name. Raises UserError if none is checked out."""
    answer = repo.ask("symbolic-ref", "-q", "--short", "HEAD")
    if answer.status != 0:
        raise UserError(
            "no branch is checked out here",
            why="records are published for each branch",
            next_step="check out the branch (`git switch NAME`), then run this again",
        )
    return os.fsdecode(answer.out).strip()


def remote_for(repo: Repo, branch: str, wanted: str | None) -> Remote:
    """The remote that is named, else the one that git would push this branch to. Raises UserError."""
    names = os.fsdecode(repo.git("remote")).split()
    configured = (f"branch.{branch}.pushRemote", "remote.pushDefault", f"branch.{branch}.remote")
    name = wanted or next((value for key in configured if (value := repo.config(key))), "origin")
    if name not in names:
        raise UserError(
            f"there is no remote `{name}` here",
            next_step=f"name one with --remote: {', '.join(names)}"
            if names
            else "add one with `git remote add`",
            exit_code=2 if wanted else 1,
        )
    return Remote(name, os.fsdecode(repo.git("remote", "get-url", "--push", name)).strip())


def pushed_branch(repo: Repo, branch: str, remote: Remote) -> Branch:
    """The branch as the remote has it: its name there can be another, and the work here can be ahead. A branch that was
    begun at `origin/main` has that as upstream, though it is pushed under its own name.
    """
    merge = repo.config(f"branch.{branch}.merge") or ""
    tracks = repo.config(f"branch.{branch}.remote") == remote.name and merge.startswith("refs/heads/")
    names = [branch, *([merge.removeprefix("refs/heads/")] if tracks else [])]
    if repo.config("push.default") in {"upstream", "tracking"}:
        names.reverse()
    tips = {name: tip_of(repo, f"refs/remotes/{remote.name}/{name}") for name in names}
    name, tip = next(((name, tip) for name, tip in tips.items() if tip), (branch, ""))
    if not tip:
        raise UserError(
            f"`{branch}` is not on {remote.name} yet",
            why="records are published beside the commits that they are about",
            next_step=f"push it: git push -u {remote.name} {branch}",
        )
    return Branch(f"refs/heads/{name}", tip)


def _as_json(outcome: Outcome) -> dict[str, object]:
    branch, signature = outcome.branches[0], outcome.signature
    return {
        "branch": branch.branch,
        "ref": branch.ref,
        "records": branch.count,
        "signed_by": signature.keyid if isinstance(signature, Signed) else None,
        "why_not_signed": signature.why if isinstance(signature, NotSigned) else None,
        "left": branch.left,
        "problem": branch.problem or None,
    }


def _as_text(outcome: Outcome, remote: Remote, branch: str) -> str:
    published, signature = outcome.branches[0], outcome.signature
    if not published.count:
        return f"`{branch}`, as far as it is pushed, has no commits of its own that need records."
    lines = [f"records    {published.count} of `{branch}`, to {remote.name} ({published.ref})"]
    if isinstance(signature, Signed):
        lines.append(f"signed     with {signature.keyid}")
    else:
        why = signature.why if signature else "no SSH key was found; see `foureyes status`"
        lines.append(f"not signed {why}")
    if published.left:
        lines.append(f"left       {published.left:,} older commits: run this again")
    return "\n".join(lines)

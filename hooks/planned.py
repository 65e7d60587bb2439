"""What `foureyes check` is asked about: the commits, the branch that they go to, and the policy that holds there."""

import os
from dataclasses import dataclass

from foureyes.hooks.policy_file import POLICY
from foureyes.hooks.remote import Remote
from foureyes.hooks.repo import Repo
from foureyes.hooks.store import tip_of
from foureyes.shared.errors import UserError

NOWHERE = Remote("", "")
"""In a repository without a remote."""


@dataclass(frozen=True)
class Target:
    """`tip` is the branch's commit as it was last fetched; `default` is the remote's default branch, "" if unknown."""

    branch: str
    tip: str
    default: str


def remote_of(repo: Repo, wanted: str) -> Remote | None:
    """The remote that pull requests are made at; None: there is none. Raises UserError if `wanted` is none."""
    names = os.fsdecode(repo.git("remote")).split()
    if wanted and wanted not in names:
        raise UserError(
            f"there is no remote `{wanted}` here", next_step="`git remote` lists them", exit_code=2
        )
    name = wanted or next((n for n in ("upstream", "origin", *names) if n in names), "")
    if not name:
        return None
    return Remote(name, os.fsdecode(repo.git("remote", "get-url", name)).strip())


def target_of(repo: Repo, remote: Remote | None, into: str) -> Target:
    """Raises UserError if it is not known where the change is to go."""
    default = _default_branch(repo, remote) if remote else ""
    branch = into or default
    tip = _branch_tip(repo, remote, branch) if branch else ""
    if tip:
        return Target(branch, tip, default)
    if into:
        raise UserError(
            f"there is no branch `{into}` in sight", next_step="`git fetch`, then run this again", exit_code=2
        )
    raise UserError(
        "where this is to be merged is not known: no remote's default branch is in sight",
        next_step="`git fetch`, or name the branch with --into and the policy with --policy",
    )


def _default_branch(repo: Repo, remote: Remote) -> str:
    prefix = f"refs/remotes/{remote.name}/"
    named = os.fsdecode(repo.ask("symbolic-ref", "-q", f"{prefix}HEAD").out).strip()
    if named.startswith(prefix):
        return named.removeprefix(prefix)
    return next((name for name in ("main", "master") if tip_of(repo, f"{prefix}{name}")), "")


def _branch_tip(repo: Repo, remote: Remote | None, branch: str) -> str:
    """The remote's, as far as there is one: a local branch can be behind."""
    if remote:
        return tip_of(repo, f"refs/remotes/{remote.name}/{branch}")
    return tip_of(repo, f"refs/heads/{branch}")


def ends_of(repo: Repo, asked: str, target: Target) -> tuple[str, str]:
    """(base, head) of `A..B`, `A...B`, or of one revision against the target. Raises UserError."""
    first, dots, second = asked.partition("...") if "..." in asked else asked.partition("..")
    head = _commit(repo, (second if dots else first) or "HEAD")
    return (_commit(repo, first or "HEAD") if dots else target.tip), head


def _commit(repo: Repo, name: str) -> str:
    found = repo.ask("rev-parse", "-q", "--verify", "--end-of-options", f"{name}^{{commit}}")
    if found.status != 0:
        raise UserError(
            f"there is no commit `{name}` here", next_step="name a RANGE such as main..HEAD", exit_code=2
        )
    return found.out.decode("ascii").strip()


def branch_of(repo: Repo, head: str) -> str:
    """What is checked out, if that is the head; else the head's short id."""
    named = os.fsdecode(repo.ask("symbolic-ref", "-q", "--short", "HEAD").out).strip()
    return named if named and tip_of(repo, "HEAD") == head else head[:12]


def policy_bytes(repo: Repo, remote: Remote | None, target: Target) -> tuple[bytes, str]:
    """The file at the tip of the default branch, and what to call it. Raises UserError if there is none."""
    where = target.default or target.branch
    name = f"{remote.name}/{where}" if remote else where
    tip = _branch_tip(repo, remote, where)
    answer = repo.ask("cat-file", "blob", f"{tip}:{POLICY}")
    if answer.status != 0:
        raise UserError(
            f"there is no policy on {name}: foureyes holds nothing there",
            next_step=f"`git fetch` if {POLICY} is new, or try one with --policy FILE",
        )
    return answer.out, f"{name}:{POLICY}"

"""Which commits a person means: `main..work`, or one commit."""

import re

from foureyes.hooks.repo import Repo
from foureyes.shared.errors import UserError

MOST_COMMITS = 10_000


def commits_in(repo: Repo, text: str) -> tuple[str, ...]:
    """Full ids, oldest first. A name without `..` is that commit alone. Raises UserError (wrong use)."""
    alone = () if ".." in text else ("--no-walk",)
    asked = ("--reverse", "--topo-order", f"--max-count={MOST_COMMITS + 1}", *alone)
    commits = listed(repo, text, *asked)
    if len(commits) > MOST_COMMITS:
        raise UserError(
            f"`{text}` names more than {MOST_COMMITS:,} commits",
            why="of a part of them nobody could say that it is all",
            next_step="name a shorter range, one after the other",
            exit_code=2,
        )
    return commits


def listed(repo: Repo, text: str, *options: str) -> tuple[str, ...]:
    """Full ids as `git rev-list` has them. Raises UserError (wrong use); a range with nothing in it is none."""
    answer = repo.ask("rev-list", *options, "--end-of-options", text, "--")
    if answer.status != 0 or (not answer.out and ".." not in text and not _is_commit(repo, text)):
        raise no_commits(
            repo, text
        )  # of a file or folder git lists no commits, and finds nothing wrong with that
    return tuple(answer.out.decode("ascii").split())


def no_commits(repo: Repo, text: str) -> UserError:
    """Which part of it git does not know; in a fresh clone that is often a branch that only the remote has."""
    sides = [side for side in re.split(r"\.{2,3}", text, maxsplit=1) if side and not side.startswith("-")]
    unknown = next((side for side in sides if not _is_commit(repo, side)), text)
    if unknown == "HEAD" and repo.ask("rev-parse", "-q", "--verify", "HEAD").status != 0:
        return UserError(
            "nothing is committed on this branch yet",
            next_step="make a commit first, or name another one than HEAD",
            exit_code=2,
        )
    remotes = repo.git("remote").decode("utf-8", "replace").split()
    there = next(
        (f"{name}/{unknown}" for name in remotes if _is_commit(repo, f"refs/remotes/{name}/{unknown}")), ""
    )
    ranged = "..".join(there if side == unknown else side for side in sides)
    return UserError(
        f"`{unknown}` names no commits here",
        next_step=f"only the remote has that branch: {ranged}"
        if there
        else "name a range as git does, `main..work`, or one commit, `HEAD~2`",
        exit_code=2,
    )


def _is_commit(repo: Repo, name: str) -> bool:
    asked = ("rev-parse", "-q", "--verify", "--end-of-options", f"{name}^{{commit}}")
    return repo.ask(*asked).status == 0

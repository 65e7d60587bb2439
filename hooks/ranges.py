"""Which commits a person means: `main..work`, or one commit."""

from foureyes.hooks.repo import Repo
from foureyes.shared.errors import UserError

MOST_COMMITS = 10_000


def commits_in(repo: Repo, text: str) -> tuple[str, ...]:
    """Full ids, oldest first. A name without `..` is that commit alone. Raises UserError (wrong use)."""
    alone = () if ".." in text else ("--no-walk",)
    asked = ("rev-list", "--reverse", "--topo-order", f"--max-count={MOST_COMMITS}", *alone)
    answer = repo.ask(*asked, "--end-of-options", text, "--")
    if answer.status != 0:
        raise UserError(
            f"`{text}` names no commits here",
            next_step="name a range as git does, `main..work`, or one commit, `HEAD~2`",
            exit_code=2,
        )
    return tuple(answer.out.decode("ascii").split())

"""Who is at work in this repository, and where: what a record says about the one who builds it."""

from foureyes.hooks.build import Builder
from foureyes.hooks.remote import Remote
from foureyes.hooks.repo import Repo


def builder_in(repo: Repo, remote: Remote, agents: tuple[str, ...]) -> Builder:
    """`agents` are those that run this process."""
    return Builder(_email(repo), repo.config("foureyes.login") or "", remote.slug, agents)


def _email(repo: Repo) -> str:
    """The address that a commit made here and now would carry; empty if git would refuse to commit."""
    told = repo.ask("var", "GIT_AUTHOR_IDENT").out.decode("utf-8", "replace")
    return told.rpartition(" <")[2].partition("> ")[0].strip()

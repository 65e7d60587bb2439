"""`foureyes status`: are the hooks at work here, what did they see, and who are you to them?"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from foureyes.hooks import agent_settings, everywhere, keys, place, who
from foureyes.hooks.agent_adapters import ADAPTERS
from foureyes.hooks.capture_files import EVENTS
from foureyes.hooks.journal import Line, read_journal
from foureyes.hooks.keys import SigningKey
from foureyes.hooks.known_records import agent_name
from foureyes.hooks.published import published_record
from foureyes.hooks.repo import Repo
from foureyes.hooks.version import VERSION
from foureyes.hooks.who import Login
from foureyes.shared.markup import count

_MOST_COMMITS = 200


@dataclass(frozen=True)
class Status:
    how: str
    """`config`, `files`, `by hand`, `everywhere`, or empty: not installed."""
    version: str
    missing: tuple[str, ...]
    """Hooks that would not run."""
    seen: int
    last: Line | None
    unpushed: tuple[str, ...]
    """Commits on this branch that are on no remote, newest first."""
    unseen: tuple[str, ...]
    """Those of them that no hook noted."""
    published: bool | None
    """Whether a record of the newest pushed commit is in sight; None: no hook saw what is pushed, or all of it is on
    the remote's default branch, where it was judged before it landed.
    """
    agents: dict[str, bool | None]
    """Agents found here, and whether their own hooks call us; None: they take none of ours."""
    login: Login | None
    key: SigningKey | None
    problems: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        return bool(self.how) and not self.missing


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def command(as_json: bool) -> None:
    """Show whether commits are being recorded here. Exit code 1: they are not."""
    status = read(Repo.open(Path.cwd()))
    click.echo(json.dumps(_as_json(status), indent=2) if as_json else "\n".join(_as_text(status)))
    if not status.is_good:
        raise click.exceptions.Exit(1)


def read(repo: Repo) -> Status:
    """Everything that `foureyes status` tells. Raises UserError if the journal cannot be read."""
    settings = everywhere.settings_of(repo)
    working = place.in_place(repo, settings) if settings else ()
    journal = read_journal(repo.common_dir)
    lines = [line for found in journal.values() for line in found]
    unpushed = _commits(repo, "HEAD", "--not", "--remotes")
    newest = _newest_pushed(repo, unpushed)
    return Status(
        how=settings.how if settings else "",
        version=settings.version if settings else "",
        missing=tuple(event for event in EVENTS if event not in working),
        seen=len(journal),
        last=max(reversed(lines), key=lambda line: line.at, default=None),
        unpushed=unpushed,
        unseen=tuple(oid for oid in unpushed if oid not in journal),
        published=_published(repo, newest, unpushed) if newest in journal else None,
        agents={
            agent: agent_settings.in_place(agent) if agent in ADAPTERS else None
            for agent in agent_settings.found()
        },
        login=who.find(repo),
        key=keys.find(repo),
        problems=_problems(repo),
    )


def _commits(repo: Repo, *range: str) -> tuple[str, ...]:
    answer = repo.ask("rev-list", f"--max-count={_MOST_COMMITS}", *range)
    return tuple(answer.out.decode("ascii").split()) if answer.status == 0 else ()


def _newest_pushed(repo: Repo, unpushed: tuple[str, ...]) -> str:
    """The newest commit of this branch that a remote has, or nothing."""
    if not unpushed:
        return next(iter(_commits(repo, "HEAD")), "")
    edges = repo.ask("rev-list", "--boundary", "HEAD", "--not", "--remotes").out.decode("ascii").split()
    return next((edge[1:] for edge in edges if edge.startswith("-")), "")


def _published(repo: Repo, newest: str, unpushed: tuple[str, ...]) -> bool | None:
    if published_record(repo, newest) is not None:
        return True
    listed = repo.ask("for-each-ref", "--format=%(refname)", "refs/remotes").out.decode("utf-8", "replace")
    landed = [f"^{ref}" for ref in listed.split() if ref.rpartition("/")[2] in {"HEAD", "main", "master"}]
    return False if set(_commits(repo, "HEAD", *landed)) - set(unpushed) else None


def _problems(repo: Repo) -> tuple[str, ...]:
    try:
        lines = (repo.home / "evidence" / "problems").read_text("utf-8", "replace").splitlines()
    except OSError:
        return ()
    return tuple(line.partition("\t")[2] for line in lines[-3:])


def _as_text(status: Status) -> Iterator[str]:
    yield f"git hooks     {_hooks(status)}"
    yield f"journal       {_journal(status)}"
    if status.unpushed:
        seen = len(status.unpushed) - len(status.unseen)
        yield f"not pushed    {seen} of {_count(len(status.unpushed))} seen by the hooks" + _some(
            status.unseen
        )
    if status.published is not None:
        yield f"records       {'published' if status.published else 'not in sight. Publish them: foureyes publish'}"
    yield f"agents        {_agents(status)}"
    login, key = status.login, status.key
    you = f"@{login.name} (from {login.how})" if login else "not known: foureyes install --login NAME"
    yield f"you are       {you}"
    yield f"signing       {f'{key.shown} ({key.how})' if key else 'no SSH key found: records go out unsigned'}"
    for problem in status.problems:
        yield f"problem       {problem}"


def _hooks(status: Status) -> str:
    if not status.how:
        return "not installed here. Set them up: foureyes install"
    if status.how == "by hand" and status.missing:
        return f"not called for {', '.join(status.missing)}: `foureyes install` shows the lines to add"
    if status.missing:
        return f"gone or switched off: {', '.join(status.missing)}. Put them back: foureyes install"
    what = {
        "config": "config hooks",
        "files": "hook files",
        "by hand": "called by another tool's hooks",
        "everywhere": "config hooks of all your repositories",
    }[status.how]
    return what + (f", of foureyes {status.version}: foureyes install" if status.version != VERSION else "")


def _agents(status: Status) -> str:
    words = {
        True: "hooks in place",
        False: "no hooks, so its edits are not seen: foureyes install",
        None: "its commits are seen, its edits are not",
    }
    told = [f"{agent_name(agent)}: {words[hooks]}" for agent, hooks in status.agents.items()]
    return "; ".join(told) or "none found; their commits are seen all the same"


def _journal(status: Status) -> str:
    if status.last is None:
        return "no commit seen yet"
    at = datetime.fromtimestamp(status.last.at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    agent = f", made by {status.last.agent}" if status.last.agent else ""
    return f"{count(status.seen, 'commit')} seen; the last one {status.last.commit[:10]} at {at}{agent}"


def _count(number: int) -> str:
    return f"{number}+" if number == _MOST_COMMITS else str(number)


def _some(commits: tuple[str, ...]) -> str:
    return (
        f"; not {', '.join(oid[:10] for oid in commits[:3])}{' …' if len(commits) > 3 else ''}"
        if commits
        else ""
    )


def _as_json(status: Status) -> dict[str, object]:
    last = status.last
    return {
        "recording": status.is_good,
        "hooks": {
            "how": status.how or None,
            "version": status.version or None,
            "missing": list(status.missing),
        },
        "journal": {
            "commits": status.seen,
            "last": {"commit": last.commit, "at": last.at, "hook": last.hook, "agent": last.agent or None}
            if last
            else None,
        },
        "unpushed": {"commits": list(status.unpushed), "unseen": list(status.unseen)},
        "published": status.published,
        "agents": [{"id": agent, "hooks": hooks} for agent, hooks in status.agents.items()],
        "login": {"name": status.login.name, "how": status.login.how} if status.login else None,
        "key": {"shown": status.key.shown, "fingerprint": status.key.fingerprint} if status.key else None,
        "problems": list(status.problems),
    }

"""`foureyes install`: one command that does it all and shows it."""

from dataclasses import dataclass, replace
from pathlib import Path

import click

from foureyes.hooks import (
    agent_settings,
    everywhere,
    hook_files,
    keys,
    managers,
    native_files,
    place,
    proof,
    who,
)
from foureyes.hooks.agent_adapters import ADAPTERS
from foureyes.hooks.capture_files import EVENTS, STYLES
from foureyes.hooks.keys import SigningKey
from foureyes.hooks.managers import Manager
from foureyes.hooks.place import Settings
from foureyes.hooks.policy_file import trailers_of
from foureyes.hooks.repo import Repo
from foureyes.hooks.who import Login
from foureyes.hooks.whole_file import way_out
from foureyes.shared.errors import UserError


@dataclass(frozen=True)
class Installed:
    repo: Repo
    settings: Settings
    in_place: tuple[str, ...]
    """Hooks that run now; fewer than all where another tool owns the hooks folder and does not call us yet."""
    kept: tuple[str, ...]
    """What was there and still runs: hook files, or the hooks folder of another tool."""
    managers: tuple[Manager, ...]
    written: tuple[Path, ...]
    """Files of hook managers that call us, by `--write`."""
    left: tuple[Path, ...]
    """Those that a person has to write."""
    agents: dict[str, str]
    """Agent -> what was done about its own hooks."""
    shared: tuple[Path, ...]
    """Files of the work tree that `--repo` wrote, to be committed."""
    login: Login | None
    key: SigningKey | None
    weak_keys: tuple[SigningKey, ...]
    """Those that come first and that nobody accepts."""
    milliseconds: float | None

    @property
    def needs_a_person(self) -> bool:
        return len(self.in_place) < len(EVENTS)


@click.command("install")
@click.option("--login", help="Your GitHub login; by default as `gh` or git's configuration has it.")
@click.option(
    "--agent",
    "agents",
    multiple=True,
    type=click.Choice(sorted(ADAPTERS)),
    help="Add its hooks in any case.",
)
@click.option(
    "--trailers", type=click.Choice(STYLES), help="How an agent is named in the commits that it makes."
)
@click.option(
    "--write", is_flag=True, help="Write our lines into the project's hook manager, not only show them."
)
@click.option("--global", "for_all", is_flag=True, help="For all your repositories (git 2.54 or newer).")
@click.option(
    "--repo", "share", is_flag=True, help="Also write agents' hooks into the project, for every clone."
)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def command(
    login: str | None,
    agents: tuple[str, ...],
    trailers: str | None,
    write: bool,
    for_all: bool,
    share: bool,
    as_json: bool,
) -> None:
    """Set up the hooks of this repository: who wrote a commit is recorded from now on. Run it again at any time."""
    from foureyes.hooks import install_text

    if for_all:
        if write or share:
            raise click.UsageError("--global is for no repository: --write and --repo do not go with it.")
        settings, you, told = install_everywhere(login=login, agents=agents, trailers=trailers)
        click.echo(install_text.everywhere(settings, you, told, as_json=as_json))
        return
    done = install(Path.cwd(), login=login, agents=agents, trailers=trailers, write=write, share=share)
    click.echo(install_text.as_json(done) if as_json else install_text.as_text(done))
    if done.needs_a_person:
        raise click.exceptions.Exit(1)


def install(
    cwd: Path,
    *,
    login: str | None = None,
    agents: tuple[str, ...] = (),
    trailers: str | None = None,
    write: bool = False,
    share: bool = False,
) -> Installed:
    """All of `foureyes install`. Raises UserError; what fails before the hooks are in place leaves nothing behind."""
    repo = Repo.open(cwd)
    repo.version  # noqa: B018 -- refuses a git that is too old before anything is written
    you = who.find(repo, login)
    before = place.read_settings(repo)
    wanted = trailers or repo.config("foureyes.trailers") or trailers_of(repo.work_tree)
    style = wanted or (before.style if before else STYLES[0])
    settings = place.put_in_place(repo, place.settings_for(style=style))
    settings = _remember(repo, settings, you)
    found = managers.find(repo)
    written, left = _into_managers(repo, found) if write else ((), ())
    shared = _for_every_clone(repo, agents) if share else ()
    told = _agents(repo.common_dir, settings, agents)
    working = place.in_place(repo, settings)
    return Installed(
        repo,
        settings,
        working,
        _kept(repo, settings),
        found,
        written,
        left,
        told,
        shared,
        you,
        keys.find(repo),
        keys.passed_over(repo),
        proof.recorded_in(repo) if "post-commit" in working else None,
    )


def install_everywhere(
    *, login: str | None, agents: tuple[str, ...], trailers: str | None
) -> tuple[Settings, Login | None, dict[str, str]]:
    """All of `foureyes install --global`: settings, who you are, and what was done for agents. Raises UserError."""
    you = who.find(None, login)
    settings = place.settings_for(style=trailers or STYLES[0])
    settings = everywhere.put_in_place(settings, you.name if you else None)
    return settings, you, _agents(everywhere.folder().parent.parent, settings, agents)


def _remember(repo: Repo, settings: Settings, you: Login | None) -> Settings:
    """Records are built by hooks, which ask nobody: the login is put where they read it."""
    if you is None or repo.config("foureyes.login") == you.name:
        return settings
    if not settings.set_login:
        own = repo.config_all("foureyes.login", "--local")
        settings = replace(settings, set_login=True, login_before=own[-1] if own else "")
    kept = (
        place.read_settings(repo) or settings
    )  # `how` is the other worktrees', where this one has a folder of its own
    place.write_settings(repo, replace(settings, how=kept.how))
    repo.git("config", "--local", "--replace-all", "foureyes.login", you.name)
    return settings


def _into_managers(repo: Repo, found: tuple[Manager, ...]) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    written: list[Path] = []
    left: list[Path] = []
    for manager in found:
        try:
            done, not_done = native_files.write(repo, manager)
        except OSError as error:
            raise UserError(
                f"{error.filename} could not be written: {error.strerror}",
                why=f"{manager.shown} has to call the hooks from there",
                next_step=way_out(error, "foureyes install --write"),
            ) from error
        written += done
        left += not_done
    return tuple(written), tuple(left)


def _agents(repository: Path, settings: Settings, asked: tuple[str, ...]) -> dict[str, str]:
    told = {}
    for agent in dict.fromkeys((*asked, *agent_settings.found())):
        if agent not in ADAPTERS:
            told[agent] = "its commits are seen"
            continue
        try:
            told[agent] = "hooks " + agent_settings.add(repository, settings.python, settings.path, agent)
        except UserError as error:
            told[agent] = error.what
    return told


def _for_every_clone(repo: Repo, asked: tuple[str, ...]) -> tuple[Path, ...]:
    """Agents' hooks in the project's own files: of the agents named, else of those found here, else Claude Code's."""
    assert repo.work_tree is not None  # noqa: S101 -- bare repositories are refused before
    here = tuple(agent for agent in agent_settings.found() if agent in ADAPTERS)
    files: list[Path] = []
    for agent in asked or here or (agent_settings.CLAUDE,):
        files += agent_settings.add_shared(repo.work_tree, agent)
    return tuple(repo.work_tree / file for file in dict.fromkeys(files))


def _kept(repo: Repo, settings: Settings) -> tuple[str, ...]:
    if settings.how == "files":
        folder = hook_files.hooks_folder(repo)
        return tuple(event for event in EVENTS if (folder / (event + hook_files.PREVIOUS)).exists())
    other = repo.config("core.hooksPath")
    return (other,) if other else ()

"""`foureyes install` and `foureyes uninstall`: one command that does it all and shows it, and the way back."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import click

from foureyes.hooks import agent_settings, hook_files, keys, place, proof, who
from foureyes.hooks.capture_files import EVENTS, STYLES, native_line
from foureyes.hooks.catalogue import catalogue
from foureyes.hooks.keys import SigningKey
from foureyes.hooks.place import Settings
from foureyes.hooks.repo import Repo
from foureyes.hooks.who import Login
from foureyes.shared.errors import UserError

_LEFT = 43


@dataclass(frozen=True)
class Installed:
    repo: Repo
    settings: Settings
    kept: tuple[str, ...]
    """What was there and still runs: hook files, or the hooks folder of another tool."""
    agents: dict[str, str]
    """Agent -> what was done about its own hooks."""
    login: Login | None
    key: SigningKey | None
    milliseconds: float | None


@click.command("install")
@click.option("--login", help="Your GitHub login; by default as `gh` or git's configuration has it.")
@click.option(
    "--agent",
    "agents",
    multiple=True,
    type=click.Choice([agent_settings.CLAUDE]),
    help="Add its hooks in any case.",
)
@click.option(
    "--trailers", type=click.Choice(STYLES), help="How an agent is named in the commits that it makes."
)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def command(login: str | None, agents: tuple[str, ...], trailers: str | None, as_json: bool) -> None:
    """Set up the hooks of this repository: who wrote a commit is recorded from now on. Run it again at any time."""
    done = install(Path.cwd(), login=login, agents=agents, trailers=trailers)
    click.echo(json.dumps(_as_json(done), indent=2) if as_json else _as_text(done))
    if done.settings.how == "by hand":
        raise click.exceptions.Exit(1)


def install(
    cwd: Path, *, login: str | None = None, agents: tuple[str, ...] = (), trailers: str | None = None
) -> Installed:
    """All of `foureyes install`. Raises UserError; what fails before the hooks are in place leaves nothing behind."""
    repo = Repo.open(cwd)
    repo.version  # noqa: B018 -- refuses a git that is too old before anything is written
    you = who.find(repo, login)
    before = place.read_settings(repo)
    style = trailers or repo.config("foureyes.trailers") or (before.style if before else STYLES[0])
    settings = place.put_in_place(repo, place.settings_for(style=style))
    settings = _remember(repo, settings, you)
    told = _agents(repo, settings, agents)
    took = None if settings.how == "by hand" else proof.recorded_in(settings)
    return Installed(repo, settings, _kept(repo, settings), told, you, keys.find(repo), took)


def _remember(repo: Repo, settings: Settings, you: Login | None) -> Settings:
    """Records are built by hooks, which ask nobody: the login is put where they read it."""
    if you is None or repo.config("foureyes.login") == you.name:
        return settings
    mine = settings.set_login or not repo.config_all("foureyes.login", "--local")
    repo.git("config", "--local", "--replace-all", "foureyes.login", you.name)
    settings = replace(settings, set_login=mine)
    place.write_settings(repo, settings)
    return settings


def _agents(repo: Repo, settings: Settings, asked: tuple[str, ...]) -> dict[str, str]:
    told = {}
    for agent in dict.fromkeys((*asked, *agent_settings.found())):
        if agent != agent_settings.CLAUDE:
            told[agent] = "its commits are seen"
            continue
        try:
            told[agent] = "hooks " + agent_settings.add(repo.common_dir, settings.python, settings.path)
        except UserError as error:
            told[agent] = error.what
    return told


def _kept(repo: Repo, settings: Settings) -> tuple[str, ...]:
    if settings.how == "files":
        folder = hook_files.hooks_folder(repo)
        return tuple(event for event in EVENTS if (folder / (event + hook_files.PREVIOUS)).exists())
    other = repo.config("core.hooksPath")
    return (other,) if other else ()


def _as_text(done: Installed) -> str:
    version = ".".join(str(number) for number in done.repo.version[:2])
    hooks = {
        "config": f"config hooks (git {version})",
        "files": "hook files",
        "by hand": f"NOT YET: {''.join(done.kept)} belongs to another tool",
    }[done.settings.how]
    if done.kept and done.settings.how != "by hand":
        hooks += f", {', '.join(done.kept)} kept"
    names = {agent.id: agent.name for agent in catalogue().agents}
    agents = "; ".join(f"{names[agent]}: {what}" for agent, what in done.agents.items())
    proof_text = (
        "after that"
        if done.milliseconds is None
        else f"throwaway commit recorded in {done.milliseconds:.0f} ms"
    )
    rows = [
        (("git hooks", hooks), ("agents", agents or "none found; their commits are seen all the same")),
        (
            ("you are", f"@{done.login.name} (from {done.login.how})" if done.login else "not known"),
            (
                "signing",
                f"{done.key.shown} ({done.key.how})" if done.key else "no SSH key: records go out unsigned",
            ),
        ),
        (("proof", proof_text), ("undo", "foureyes uninstall")),
    ]
    lines = _table(rows)
    if done.login is None:
        lines += ["", "Say who you are, so that records can name you:  foureyes install --login NAME"]
    if done.settings.how == "by hand":
        lines += [
            "",
            f"Git looks for hooks in {''.join(done.kept)} only. Add the line to each of these files there:",
        ]
        lines += [f"  {event:18}  {native_line(event)}" for event in EVENTS]
        lines += ["", "Then run `foureyes status`. With git 2.54 or newer this is not needed."]
    return "\n".join(lines)


def _table(rows: list[tuple[tuple[str, str], tuple[str, str]]]) -> list[str]:
    """Two columns where the left one fits, else one."""
    if all(len(left[1]) < _LEFT for left, _ in rows):
        return [f"{a:14}{b:{_LEFT}}{c:9}{d}" for (a, b), (c, d) in rows]
    return [f"{label:14}{text}" for row in rows for label, text in row]


def _as_json(done: Installed) -> dict[str, object]:
    return {
        "repository": str(done.repo.common_dir),
        "hooks": {
            "how": done.settings.how,
            "in_place": list(place.in_place(done.repo, done.settings)),
            "kept": list(done.kept),
            "add": {e: native_line(e) for e in EVENTS} if done.settings.how == "by hand" else {},
        },
        "trailers": done.settings.style,
        "agents": done.agents,
        "login": asdict(done.login) if done.login else None,
        "key": {"shown": done.key.shown, "fingerprint": done.key.fingerprint, "how": done.key.how}
        if done.key
        else None,
        "proof_milliseconds": round(done.milliseconds, 1) if done.milliseconds is not None else None,
        "undo": "foureyes uninstall",
    }


@click.command("uninstall")
@click.option("--forget", is_flag=True, help="Also delete what the hooks noted: journal and evidence.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def uninstall_command(forget: bool, as_json: bool) -> None:
    """Take the hooks out of this repository again; what was there before comes back to the byte."""
    repo = Repo.open(Path.cwd())
    settings = place.read_settings(repo) or Settings("", "", (), "files")
    agent = agent_settings.remove(repo.common_dir)
    held = place.take_away(repo, settings, forget=forget)
    noted = repo.home.is_dir()
    if as_json:
        click.echo(
            json.dumps({"held_by_another_tool": list(held), "agent_hooks": agent, "noted_is_kept": noted})
        )
        return
    click.echo("git hooks     taken out")
    if agent:
        click.echo(f"agents        Claude Code: hooks {agent}")
    for event in held:
        previous = event + hook_files.PREVIOUS
        click.echo(
            f"look at       {event}: another tool replaced our hook; the one from before is {previous}"
        )
    if noted:
        click.echo(
            "kept          what the hooks noted, for records that are not published yet; --forget deletes it"
        )

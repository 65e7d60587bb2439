"""`foureyes uninstall`: the way back, to the byte."""

import json
from pathlib import Path

import click

from foureyes.hooks import agent_settings, everywhere, hook_files, native_files, place
from foureyes.hooks.install_text import agents_in_lines
from foureyes.hooks.place import Settings
from foureyes.hooks.repo import Repo
from foureyes.hooks.whole_file import way_out
from foureyes.shared.errors import UserError


@click.command("uninstall")
@click.option("--forget", is_flag=True, help="Also delete what the hooks noted: journal and evidence.")
@click.option("--global", "for_all", is_flag=True, help="Take out what `install --global` put in.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def command(forget: bool, for_all: bool, as_json: bool) -> None:
    """Take the hooks out of this repository again; what was there before comes back to the byte."""
    if for_all:
        _everywhere(as_json)
        return
    repo = Repo.open(Path.cwd())
    settings, was_there = place.read_settings(repo) or Settings("", "", (), "files"), place.is_there(repo)
    try:
        back, left = native_files.remove(repo)
        held = place.take_away(repo, settings, forget=forget)
    except OSError as error:
        raise UserError(
            f"the hooks could not be taken out: {error.filename}: {error.strerror}",
            next_step=way_out(error, "foureyes uninstall"),
        ) from error
    agents = agent_settings.remove(repo.common_dir, settings.where)
    noted = repo.home.is_dir()
    if as_json:
        answer = {
            "was_installed": was_there,
            "held_by_another_tool": list(held),
            "agent_hooks": agents,
            "noted_is_kept": noted,
            "files_brought_back": [str(file) for file in back],
            "files_with_our_lines": [str(file) for file in left],
        }
        click.echo(json.dumps(answer))
        _end(agents)
        return
    click.echo(f"git hooks     {'taken out' if was_there else 'none of ours were here'}")
    for line in _agents(agents):
        click.echo(f"agents        {line}")
    for file in back:
        click.echo(f"brought back  {file}")
    for file in left:
        click.echo(
            f"look at       {file}: our line is committed there, or the file has changed; it does no harm"
        )
    for event in held:
        previous = event + hook_files.PREVIOUS
        click.echo(
            f"look at       {event}: another tool replaced our hook; the one from before is {previous}"
        )
    if noted:
        click.echo(
            "kept          what the hooks noted, for records that are not published yet; --forget deletes it"
        )
    _end(agents)


def _everywhere(as_json: bool) -> None:
    was_there = everywhere.folder().exists()
    settings = place.settings_in(everywhere.folder()) or Settings("", "", (), everywhere.HOW)
    agents = agent_settings.remove(everywhere.folder().parent.parent)
    everywhere.take_away(settings)
    if as_json:
        click.echo(json.dumps({"was_installed": was_there, "agent_hooks": agents}))
        _end(agents)
        return
    said = "taken out" if was_there else "none of ours were here for all repositories"
    click.echo(f"git hooks     {said}; repositories that have their own keep them")
    for line in _agents(agents):
        click.echo(f"agents        {line}")
    _end(agents)


def _end(agents: dict[str, str]) -> None:
    """An agent whose hooks are still there is a reason to look, and to do this again."""
    if any(told.startswith(agent_settings.NOT_REMOVED) for told in agents.values()):
        raise click.exceptions.Exit(1)


def _agents(told: dict[str, str]) -> list[str]:
    return agents_in_lines({agent: f"hooks {what}" for agent, what in told.items()})

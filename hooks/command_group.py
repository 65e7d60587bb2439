"""The click half of the command: the group that imports late, and how an error is told."""

import difflib
import errno
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from foureyes.hooks.cli import COMMANDS, HEADINGS, load
from foureyes.hooks.version import VERSION
from foureyes.shared.errors import UserError

_ANSWER_LOST = {errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


class LateGroup(click.Group):
    """Lists its commands from the table, in the table's order, and imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        if COMMANDS[cmd_name].direct:
            return click.Command(cmd_name, help=COMMANDS[cmd_name].help)
        found = load(cmd_name)
        if not isinstance(found, click.Command):
            raise TypeError(f"{COMMANDS[cmd_name].target} is not a click command")
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            close = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = (
                f"Did you mean `foureyes {close[0]}`?" if close else "`foureyes --help` lists what there is."
            )
            raise click.UsageError(f"There is no command `{args[0]}`. {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        parts: list[tuple[str, list[tuple[str, str]]]] = []
        for name, entry in COMMANDS.items():
            if name in HEADINGS:
                parts.append((HEADINGS[name], []))
            parts[-1][1].append((f"{name:<12}", entry.help))
        for heading, listed in parts:
            with formatter.section(heading):
                formatter.write_dl(listed)


@click.group(
    cls=LateGroup,
    name="foureyes",
    help="Two humans look. The operator does not count.",
    epilog="`foureyes scan` needs no set-up; `foureyes install` begins to record.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(VERSION, prog_name="foureyes")
def group() -> None:
    """All commands."""


def run_group(arguments: Sequence[str], settings: dict[str, Any]) -> int:
    """Exit code of one command line; every error that a person can mend is told on stderr."""
    try:
        answer = group.main(list(arguments), prog_name="foureyes", standalone_mode=False, **settings)
        sys.stdout.flush()
    except BaseException as error:  # noqa: BLE001 -- what is no fault of a person's is raised again
        return end_of(error, as_json="--json" in arguments)
    return answer if isinstance(answer, int) else 0


def end_of(error: BaseException, *, as_json: bool) -> int:
    """The exit code of what ended like this, which is told. Raises what is no fault that a person can mend."""
    if isinstance(error, UserError):
        _tell(error, as_json)
        return error.exit_code
    if isinstance(error, click.ClickException):
        if as_json:
            _tell(UserError(error.format_message()), as_json)
        else:
            error.show()
        return error.exit_code
    if isinstance(error, click.Abort | KeyboardInterrupt):
        click.echo("stopped", err=True)
        return 130
    if isinstance(error, OSError) and error.errno in _ANSWER_LOST and error.filename is None:
        # Python must not complain about it again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno != errno.EPIPE:  # that is a reader (`| head`) that went away
            _tell(UserError(f"the answer could not be written: {error.strerror}"), as_json)
        return 1
    raise error


def _tell(error: UserError, as_json: bool) -> None:
    if as_json:
        told = {"what": error.what, "why": error.why, "next_step": error.next_step}
        click.echo(json.dumps({"error": told}), err=True)
    else:
        click.echo(f"{click.style('foureyes:', fg='red', bold=True)} {error}", err=True)

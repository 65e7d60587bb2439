"""`foureyes policy ...`: the policy file checked and tried before it is in force."""

import json
from importlib import import_module

import click

_COMMANDS = {
    "check": ("foureyes.hooks.policy_check:command", "Everything that is wrong with a policy file."),
    "test": ("foureyes.hooks.policy_test:command", "Try the policy on the cases that are written beside it."),
    "schema": ("foureyes.hooks.policy_commands:schema", "The file's JSON Schema, for editors."),
}


class _LateCommands(click.Group):
    """Imports the command that is called: what the types cost is not paid for `--help`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[cmd_name][0].partition(":")
        found = getattr(import_module(module), attribute)
        assert isinstance(found, click.Command)  # noqa: S101 - for the type checker
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.group("policy", cls=_LateCommands)
def group() -> None:
    """Check and try the policy file, .github/foureyes.yml, before it is in force."""


@click.command("schema")
@click.option("--json", is_flag=True, expose_value=False, help="It is JSON in any case.")
def schema() -> None:
    """Print the JSON Schema of the policy file, for editors and other checkers."""
    from foureyes.shared.policy import json_schema

    click.echo(json.dumps(json_schema(), indent=2))

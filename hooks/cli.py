"""The `foureyes` command: a table of commands, none of which is imported before it is called.

Server commands are named as strings, so that the base install works without the server's libraries.
"""

import contextlib
import gc
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NamedTuple, NoReturn, cast


class Entry(NamedTuple):
    """One command. `target` is `module:object`, the object a click command; with `direct` a plain function of the
    arguments that answers an exit code: for what agents call many times a minute, where click would cost more
    than the work. `plain` is such a function for the plainest calls, which answers None where click has to read them,
    or a terminal is looked at. `needs` names the extra that brings the libraries.
    """

    target: str
    help: str
    needs: str = ""
    direct: bool = False
    plain: str = ""


COMMANDS: dict[str, Entry] = {
    "scan": Entry("foureyes.hooks.scan:command", "How much of a history agents wrote; nothing to set up."),
    "install": Entry(
        "foureyes.hooks.install:command", "Set up the hooks of this repository, and show what was done."
    ),
    "status": Entry("foureyes.hooks.status:command", "Are the hooks at work here, and who are you to them?"),
    "doctor": Entry(
        "foureyes.hooks.doctor:command", "What keeps commits from being recorded, and what mends it."
    ),
    "show": Entry("foureyes.hooks.show:command", "Who wrote a commit: agent, operator, lines, deletions."),
    "blame": Entry(
        "foureyes.hooks.blame:command",
        "Who wrote each line of a file, agents included.",
        plain="foureyes.hooks.blame_told:plain",
    ),
    "log": Entry("foureyes.hooks.log:command", "A history with who made each commit."),
    "publish": Entry("foureyes.hooks.publish_by_hand:command", "Publish the records of this branch by hand."),
    "attest": Entry("foureyes.hooks.attest:command", "Sign records of commits that are already pushed."),
    "verify": Entry("foureyes.hooks.verify:command", "Does what is published about these commits hold?"),
    "export": Entry("foureyes.hooks.export:command", "Records for other tools: JSON, Agent Trace, git-ai."),
    "uninstall": Entry("foureyes.hooks.uninstall:command", "Take the hooks out again, to the byte."),
    "checkpoint": Entry(
        "foureyes.hooks.checkpoint:main", "Called by an agent before and after it uses a tool.", direct=True
    ),
    "check": Entry(
        "foureyes.hooks.check:command", "What a change will need, before there is a pull request."
    ),
    "explain": Entry(
        "foureyes.github_app.explain_command:command",
        "Why a pull request waits, and who can finish it.",
        "app",
    ),
    "policy": Entry("foureyes.hooks.policy_commands:group", "Check the policy file, and try it on cases."),
    "demo": Entry(
        "foureyes.github_app.sandbox.demo:command", "The whole story on this machine, in a minute.", "sandbox"
    ),
    "sandbox": Entry(
        "foureyes.github_app.sandbox.command:command", "A GitHub stand-in to try things on.", "sandbox"
    ),
    "serve": Entry("foureyes.github_app.serve:command", "Run the GitHub App.", "app"),
    "worker": Entry(
        "foureyes.github_app.worker_command:command", "Judge what other processes of the App heard of.", "app"
    ),
    "app": Entry(
        "foureyes.github_app.credentials_command:group", "Hand the server the App that it is.", "app"
    ),
    "simulate": Entry(
        "foureyes.github_app.simulate:command", "Try a new policy on what was judged by the old one.", "app"
    ),
    "replay": Entry(
        "foureyes.github_app.replay:command", "Decide a stored decision again, and compare.", "app"
    ),
    "db": Entry(
        "foureyes.github_app.database_command:group",
        "Migrate, check and back up the server's database.",
        "app",
    ),
    "dead-letters": Entry(
        "foureyes.github_app.dead_letters_command:group",
        "What could not be looked at, again and again.",
        "app",
    ),
    "alerts": Entry(
        "foureyes.github_app.alerts_command:command",
        "What landed without being let in; what vanished.",
        "app",
    ),
}
"""In the order in which a person meets them."""

HEADINGS = {
    "scan": "In your repository",
    "check": "On a pull request",
    "demo": "To try it",
    "serve": "On the server",
}
"""What stands above a command, and those that follow it, in the help."""


SERVER_SIDE: dict[str, Entry] = {
    "doctor": Entry(
        "foureyes.github_app.doctor:run", "The same command when it is asked about GitHub.", "app"
    )
}
"""What a command of ours calls in the server's parts."""


def load(name: str, table: dict[str, Entry] = COMMANDS) -> object:
    """The object behind a command. Raises UserError if the libraries that it needs are not installed."""
    from foureyes.shared.errors import UserError

    entry = table[name]
    try:
        return _found(entry.target)
    except ModuleNotFoundError as error:
        if not entry.needs or (error.name or "").startswith("foureyes."):
            raise
        raise UserError(
            f"`foureyes {name}` needs the {_PARTS[entry.needs]} parts, which are not installed here",
            next_step=f"pip install 'foureyes[{entry.needs}]'",
        ) from error


def _found(target: str) -> object:
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)


_PARTS = {"app": "server", "sandbox": "sandbox and server"}


def run(arguments: Sequence[str]) -> int:
    """Run one command line; the answer is the exit code: 0 done, 1 failed, 2 wrong use."""
    entry = COMMANDS.get(arguments[0]) if arguments else None
    if entry is not None and entry.direct and "--help" not in arguments:
        direct = cast("Callable[[list[str]], int]", load(arguments[0]))
        return direct(list(arguments[1:]))
    if entry is not None and entry.plain:
        answer = _run_plain(
            cast("Callable[[list[str]], int | None]", _found(entry.plain)), list(arguments[1:])
        )
        if answer is not None:
            return answer
    from foureyes.hooks.command_group import run_group

    return run_group(arguments, _settings())


def _run_plain(plain: Callable[[list[str]], int | None], arguments: list[str]) -> int | None:
    try:
        answer = plain(arguments)
        sys.stdout.flush()
    except BaseException as error:  # noqa: BLE001 -- what is no fault of a person's is raised again
        from foureyes.hooks.command_group import end_of

        return end_of(error, as_json="--json" in arguments)
    return answer


def _settings() -> dict[str, Any]:
    # click leaves colours to terminals by itself; NO_COLOR it does not know.
    return {"color": False} if os.environ.get("NO_COLOR") else {}


def main() -> NoReturn:
    _open_closed_streams()
    entry = COMMANDS.get(sys.argv[1]) if len(sys.argv) > 1 else None
    is_short = entry is not None and (entry.direct or entry.plain)
    if is_short:
        gc.disable()  # it ends before anything piles up; looking for that takes a tenth of its time
    status = run(sys.argv[1:])
    if is_short:
        _leave(status)
    sys.exit(status)


def _open_closed_streams() -> None:
    """Whoever started this may have closed them (`>&-`): then nobody hears the answer, which is no fault."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: PTH123, SIM115 -- open till the end, and fast


def _leave(status: int) -> NoReturn:
    """Without taking Python apart piece by piece, which takes a short command longer than much of its work."""
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()

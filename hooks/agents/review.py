"""Whether a tool call approves a pull request: an agent can hold a reviewer's token."""

import re

_SHELL = re.compile(
    r"\bgh\s+pr\s+review\b[^\n;|&]*(?:\s--approve\b|\s-[a-z]*a\b)"
    r"|/pulls/[^\s/]+/reviews\b[\s\S]*\bAPPROVE\b"
    r"|\b(?:addPullRequestReview|submitPullRequestReview)\b[\s\S]*\bAPPROVE\b"
)
_TOOL = re.compile(r"mcp.*review", re.IGNORECASE)


def is_approval(tool: str, given: object) -> bool:
    """`given` is the tool's input: a command line of `gh` or curl, or the call of a server's review tool."""
    if not isinstance(given, dict):
        return False
    if _TOOL.match(tool):
        return str(given.get("event", "")).upper() == "APPROVE"
    command = given.get("command", given.get("commands", ""))
    commands = command if isinstance(command, list) else [command]
    return any(isinstance(line, str) and _SHELL.search(line) is not None for line in commands)

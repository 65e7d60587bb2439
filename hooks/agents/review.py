"""Whether a tool call approves a pull request: an agent can hold a reviewer's token."""

import re
from collections.abc import Iterator

_GH = r"\bgh\s+pr\s+review\b"
_API = (
    r"/pulls/[^\s/]+/reviews\b[\s\S]*\bAPPROVE\b"
    r"|\b(?:addPullRequestReview|submitPullRequestReview)\b[\s\S]*\bAPPROVE\b"
)
_TOOL = r"(?i)mcp.*review"
_ENDS = ";|&()\n"
_TAKE_A_VALUE = {"-b", "--body", "-F", "--body-file", "-R", "--repo"}


def is_approval(tool: str, given: object) -> bool:
    """`given` is the tool's input: a command line of `gh` or curl, or the call of a server's review tool."""
    if not isinstance(given, dict):
        return False
    if re.match(_TOOL, tool):
        return str(given.get("event", "")).upper() == "APPROVE"
    command = given.get("command", given.get("commands", ""))
    commands = command if isinstance(command, list) else [command]
    return any(isinstance(line, str) and _approves(line) for line in commands)


def _approves(line: str) -> bool:
    if re.search(_API, line):
        return True
    return any(
        option in {"-a", "--approve"}
        for found in re.finditer(_GH, line)
        for option in _options(_words(line[found.end() :]))
    )


def _words(text: str) -> Iterator[str]:
    """The words of a command up to its end; those before a quotation that is never closed."""
    import shlex  # few commands are about reviews

    lexer = shlex.shlex(text, posix=True, punctuation_chars=_ENDS)
    lexer.whitespace, lexer.commenters = " \t\r", ""
    lexer.whitespace_split = True
    try:
        for word in lexer:
            if word and not word.strip(_ENDS):
                return
            yield word
    except ValueError:
        return


def _options(words: Iterator[str]) -> Iterator[str]:
    """The options, `-ab` as `-a` and `-b`, without the texts that some of them are given."""
    for word in words:
        if word.startswith("--"):
            yield word
            if word in _TAKE_A_VALUE:
                next(words, "")
        elif word.startswith("-"):
            for place, letter in enumerate(word[1:], 2):
                yield f"-{letter}"
                if f"-{letter}" in _TAKE_A_VALUE:
                    if place == len(word):
                        next(words, "")
                    break

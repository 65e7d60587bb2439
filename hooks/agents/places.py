"""Other repositories that a shell command names: a submodule, another worktree, the project next door. What it changes
there is the agent's, too, and a look at the folder that it was started in would not show it.
"""

import os
import re
from collections.abc import Iterator
from itertools import islice

_NAMES = ("command", "cmd", "script", "input", "commands", "args")
_WORDS = re.compile(r"""'([^']*)'|"([^"]*)"|((?:\\.|[^\s'"`;|&()<>=:\\])+)""")
_MOST_WORDS = 200
_MOST = 3
_DEEPEST = 2


def named_elsewhere(cwd: str, given: object) -> tuple[str, ...]:
    """Work trees, other than the one around `cwd`, that a tool's input names; the first few. Nothing of it is kept."""
    here = work_tree_around(cwd)
    found: dict[str, None] = {}
    for named in islice(_words(" ".join(_texts(given)), _DEEPEST), _MOST_WORDS):
        path = os.path.join(cwd, os.path.expanduser(named))  # noqa: PTH111, PTH118 -- texts of a payload
        if "/" in named or _is_folder(path):
            root = work_tree_around(path)
            found |= {root: None} if root not in {"", here} else {}
        if len(found) == _MOST:
            break
    return tuple(found)


def _words(text: str, deepest: int) -> Iterator[str]:
    """As a shell splits them; what is quoted can be a name with blanks, or a command for another shell."""
    for word in _WORDS.finditer(text):
        quoted = word[1] or word[2]
        yield quoted or re.sub(r"\\(.)", r"\1", word[3] or "")
        if quoted and deepest and not quoted.isalnum():
            yield from _words(quoted, deepest - 1)


def _texts(given: object) -> Iterator[str]:
    if isinstance(given, dict):
        given = [value for name, value in given.items() if name in _NAMES]
    for value in given if isinstance(given, list) else [given]:
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            yield from (word for word in value if isinstance(word, str))


def _is_folder(path: str) -> bool:
    return "\0" not in path and os.path.isdir(path)  # noqa: PTH112


def work_tree_around(path: str) -> str:
    """The root of the work tree around a path that need not be there, "" for none."""
    if "\0" in path or len(path) > 4096:
        return ""
    place = os.path.realpath(path)
    while not os.path.lexists(os.path.join(place, ".git")):  # noqa: PTH118
        place, last = os.path.dirname(place), place  # noqa: PTH120
        if place == last:
            return ""
    return place

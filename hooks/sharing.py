"""Who else may read and write what is ours in a repository: nobody; but where several users commit in it and git's own
files are their group's (`core.sharedRepository`), so are ours, or the others' commits could not be noted.

The mode of our folder says which. The world outside the group, whom git may let read its objects, sees nothing.
"""

import os
import stat
from pathlib import Path

_FOR_ALL = {"", "true", "yes", "on", "1", "group", "2", "all", "world", "everybody"}
_OF_GROUP = stat.S_IRGRP | stat.S_IWGRP
_SHARED = stat.S_ISGID | stat.S_IWGRP


def is_wanted(configured: str | None) -> bool:
    """Whether git's own files are for its group to write, by the value of `core.sharedRepository`."""
    if configured is None or configured.lower() in _FOR_ALL:
        return configured is not None
    try:
        return int(configured, 8) & _OF_GROUP == _OF_GROUP
    except ValueError:
        return False


def is_shared(home: Path) -> bool:
    """Of a folder that is not there yet: whether git's own is, in which it will be made."""
    try:
        return (home if home.is_dir() else home.parent).stat().st_mode & _SHARED == _SHARED
    except OSError:
        return False


def open_up(home: Path) -> None:
    """Let the group in, to all that is here by now. What belongs to somebody else is theirs to open."""
    for folder, _, files in os.walk(home):
        for path, mode in ((folder, 0o2770), *((f"{folder}/{name}", 0o660) for name in files)):
            if Path(path).lstat().st_uid == os.geteuid():
                Path(path).chmod(mode)


def make_folder(home: Path) -> None:
    """Our folder, if it is not there."""
    if not home.is_dir():
        shared = is_shared(home)
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if shared:
            home.chmod(0o2770)


def keep_to(home: Path) -> int:
    """The mode of a file that is made there. Where ours is shared, all that this process makes is for the group."""
    if not is_shared(home):
        return 0o600
    os.umask(0o007)
    return 0o660

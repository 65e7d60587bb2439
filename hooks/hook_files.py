"""Hooks as files in git's hooks folder, for git before 2.54: the hook that was there is kept and still runs."""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from foureyes.hooks.capture_files import EVENTS, bootstrap
from foureyes.hooks.repo import Repo
from foureyes.shared.errors import UserError

PREVIOUS = ".foureyes-previous"
_MARK = "# foureyes hook:"
_WITH_INPUT = {"pre-push", "post-rewrite"}
# Where git asks the hook whether to go on, a refusal of the previous hook is the answer. After the fact it is not.
_ASKED_FIRST = {"pre-push", "prepare-commit-msg"}

_TEXT = """#!/bin/sh
{mark} written by `foureyes install`; `foureyes uninstall` takes it out and brings the previous one back.
foureyes_status=0
foureyes_previous=${{0%/*}}/{event}{previous}
if [ -x "$foureyes_previous" ]; then
{run}{refused}fi
{bootstrap}
exit 0
"""
_RUN = """    "$foureyes_previous" "$@" || foureyes_status=$?
"""
_RUN_WITH_INPUT = """    foureyes_input=$(cat; echo .)
    printf '%s' "${foureyes_input%.}" | "$foureyes_previous" "$@" || foureyes_status=$?
    foureyes_input=${foureyes_input%?.}
    if [ "$foureyes_input" = . ]; then exec </dev/null; else exec <<foureyes_end
$foureyes_input
foureyes_end
    fi
"""
_REFUSED = """    if [ "$foureyes_status" != 0 ]; then exit "$foureyes_status"; fi
"""


def hooks_folder(repo: Repo) -> Path:
    """Where git looks for hook files here; `core.hooksPath` if that is set."""
    answer = os.fsdecode(repo.git("rev-parse", "--git-path", "hooks")).removesuffix("\n")
    return Path(os.path.normpath((repo.work_tree or repo.git_dir) / answer))


def text(event: str) -> str:
    return _TEXT.format(
        mark=_MARK,
        event=event,
        previous=PREVIOUS,
        run=_RUN_WITH_INPUT if event in _WITH_INPUT else _RUN,
        refused=_REFUSED if event in _ASKED_FIRST else "",
        bootstrap=bootstrap(event),
    )


def is_ours(file: Path) -> bool:
    try:
        return any(line.startswith(_MARK) for line in file.read_text("utf-8", "replace").splitlines()[:3])
    except OSError:
        return False


def in_place(folder: Path) -> tuple[str, ...]:
    """Events whose hook file is ours and can run, also where a tool that came later calls ours beside its own."""
    return tuple(event for event in EVENTS if any(os.access(f, os.X_OK) for f in _ours(folder, event)))


def _ours(folder: Path, event: str) -> Iterable[Path]:
    # pre-commit renames what it finds to `.legacy` and runs it.
    return (file for file in (folder / event, folder / f"{event}.legacy") if is_ours(file))


def write(folder: Path) -> None:
    """Put our hooks in, each in one step. A second time changes nothing but the text of ours.

    Raises UserError, before anything is changed, if another tool has since replaced one of ours.
    """
    for event in EVENTS:
        _refuse_two_previous(folder, event)
    folder.mkdir(parents=True, exist_ok=True)
    for event in EVENTS:
        places = list(_ours(folder, event)) or [folder / event]
        if not is_ours(places[0]) and os.path.lexists(places[0]):
            places[0].rename(places[0].with_name(event + PREVIOUS))
        _replace(places[0], text(event))


def _refuse_two_previous(folder: Path, event: str) -> None:
    now, kept = folder / event, folder / (event + PREVIOUS)
    if os.path.lexists(now) and os.path.lexists(kept) and not list(_ours(folder, event)):
        raise UserError(
            f"another tool has replaced the hook of foureyes: {now}",
            why=f"the hook from before is still kept beside it as {kept.name}, and only one can be the previous one",
            next_step=f"put the one that should run back as {now.name}, remove {kept.name}, then run this again",
        )


def remove(folder: Path) -> tuple[str, ...]:
    """Take ours out and bring back what was there, to the byte. Answers the events that another tool now holds."""
    held = []
    for event in EVENTS:
        for file in _ours(folder, event):
            file.unlink()
        previous = folder / (event + PREVIOUS)
        if os.path.lexists(previous):
            if os.path.lexists(folder / event):
                held.append(event)
            else:
                previous.rename(folder / event)
    return tuple(held)


def _replace(file: Path, text: str) -> None:
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f"{file.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(text)
    Path(name).chmod(0o755)
    Path(name).replace(file)

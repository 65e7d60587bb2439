"""What `foureyes install` shows: what was done, what a person has to do, and the way back."""

import json
from dataclasses import asdict
from pathlib import Path

from foureyes.hooks import keys, managers
from foureyes.hooks.capture_files import EVENTS, native_line
from foureyes.hooks.catalogue import catalogue
from foureyes.hooks.install import Installed
from foureyes.hooks.managers import Manager
from foureyes.hooks.place import Settings
from foureyes.hooks.who import Login

_LEFT, _RIGHT = 43, 60
Cell = tuple[str, str]
Row = tuple[Cell, Cell]


def as_text(done: Installed) -> str:
    agents, below = _agents(done.agents)
    rows: list[Row] = [
        (("git hooks", _hooks(done)), agents),
        (
            ("you are", _you(done.login)),
            (
                "signing",
                f"{done.key.shown} ({done.key.how})" if done.key else "no SSH key: records go out unsigned",
            ),
        ),
        (("proof", _proof(done)), ("undo", "foureyes uninstall")),
    ]
    lines = _table(rows) + below
    lines += [f"not signing   {key.shown} ({key.how}): {keys.why_not(key)}" for key in done.weak_keys]
    lines += [f"written       {_below(done, file)}" for file in done.written]
    lines += [
        f"to commit     {_below(done, file)}: clones with foureyes record agents' edits"
        for file in done.shared
    ]
    if done.login is None:
        lines += ["", "Say who you are, so that records can name you:  foureyes install --login NAME"]
    for manager in done.managers:
        lines += _about(done, manager)
    if _looks_nowhere(done):
        value = "".join(done.kept)
        what = (
            f"core.hooksPath is {value}, and there is no such folder" if value else "core.hooksPath is empty"
        )
        lines += ["", f"{what}: no hook runs here. Unset it, then run this again:"]
        lines += [f"  {done.repo.unset('core.hooksPath')}"]
    return "\n".join(lines)


def _looks_nowhere(done: Installed) -> bool:
    """Git was told to look for hooks in a folder that is not there."""
    by_hand = done.needs_a_person and done.settings.how == "by hand"
    return by_hand and not any(manager.owns_hooks for manager in done.managers)


def _hooks(done: Installed) -> str:
    version = ".".join(str(number) for number in done.repo.version[:2])
    how = {"config": f"config hooks (git {version})", "files": "hook files"}.get(done.settings.how)
    if how is None:
        if _looks_nowhere(done):
            return "NOT YET: core.hooksPath names no folder"
        if done.needs_a_person:
            return f"NOT YET: {''.join(done.kept)} belongs to another tool"
        return f"called from {''.join(done.kept)}"
    off = [event for event in EVENTS if event not in done.in_place]
    if off:
        return f"{how}, switched off: {', '.join(off)}"
    beside = [*done.kept, *(manager.shown for manager in done.managers if manager.name != "folder")]
    return how + (f", {', '.join(beside)} kept" if beside else "")


def agents_in_lines(told: dict[str, str]) -> list[str]:
    """What was done, and for which agents, one line for each; what needs a person comes last."""
    names = {agent.id: agent.name for agent in catalogue().agents}
    together: dict[str, list[str]] = {}
    for agent, what in told.items():
        together.setdefault(what, []).append(names[agent])
    done = sorted(together.items(), key=lambda item: len(item[0]))
    return [f"{', '.join(agents)}: {what}" for what, agents in done]


def _agents(told: dict[str, str]) -> tuple[Cell, list[str]]:
    """What stands beside the hooks, and the lines below where it is too much for that."""
    lines = agents_in_lines(told) or ["none found; their commits are seen all the same"]
    if len(lines) == 1 and len(lines[0]) <= _RIGHT:
        return ("agents", lines[0]), []
    return ("agents", "see below"), [
        "",
        *(f"{'' if n else 'agents':14}{line}" for n, line in enumerate(lines)),
    ]


def _you(login: Login | None) -> str:
    return f"@{login.name} (from {login.how})" if login else "not known"


def _proof(done: Installed) -> str:
    if done.milliseconds is None:
        return "after that"
    return f"throwaway commit recorded in {done.milliseconds:.0f} ms"


def _below(done: Installed, file: Path) -> str:
    top = done.repo.work_tree
    return str(file.relative_to(top)) if top is not None and file.is_relative_to(top) else str(file)


def _about(done: Installed, manager: Manager) -> list[str]:
    """What a person should know about a hook manager that does not call us."""
    if done.settings.how == "config" or all(manager.calls_us(event) for event in manager.events):
        return []
    place, file = _below(done, manager.place), manager.name not in {"husky", "folder"}
    needed = manager.owns_hooks or manager.takes_hooks_back
    if not needed and manager.place not in done.left:
        return []
    why = (
        f"Git looks for hooks in {''.join(done.kept)} only."
        if manager.owns_hooks
        else f"{manager.shown} moves hooks of others away when it is installed again."
    )
    where = f"Add this to {place}" if file else f"Add the line to each of these files in {place}"
    how = "" if manager.place in done.left else ", or run `foureyes install --write`"
    shown = (
        managers.snippet(manager).splitlines()
        if file
        else [f"{event:18}  {native_line(event)}" for event in manager.events]
    )
    return ["", f"{why} {where}{how}:", *(f"  {line}" for line in shown)]


def _table(rows: list[Row]) -> list[str]:
    """Two columns where the left one fits, else one."""
    if all(len(left[1]) < _LEFT - 1 for left, _ in rows):
        return [f"{a:14}{b:{_LEFT}}{c:9}{d}" for (a, b), (c, d) in rows]
    return [f"{label:14}{text}" for row in rows for label, text in row]


def as_json(done: Installed) -> str:
    by_hand = done.settings.how == "by hand"
    answer = {
        "repository": str(done.repo.common_dir),
        "hooks": {
            "how": done.settings.how,
            "in_place": list(done.in_place),
            "kept": list(done.kept),
            "add": {e: native_line(e) for e in EVENTS if e not in done.in_place} if by_hand else {},
        },
        "managers": [
            {
                "name": manager.name,
                "place": str(manager.place),
                "calls_us": [event for event in manager.events if manager.calls_us(event)],
                "snippet": managers.snippet(manager),
            }
            for manager in done.managers
        ],
        "written": [str(file) for file in done.written],
        "to_write_by_hand": [str(file) for file in done.left],
        "to_commit": [str(file) for file in done.shared],
        "trailers": done.settings.style,
        "agents": done.agents,
        "login": asdict(done.login) if done.login else None,
        "key": {"shown": done.key.shown, "fingerprint": done.key.fingerprint, "how": done.key.how}
        if done.key
        else None,
        "passed_over": [
            {"shown": key.shown, "fingerprint": key.fingerprint, "how": key.how, "why": keys.why_not(key)}
            for key in done.weak_keys
        ],
        "proof_milliseconds": round(done.milliseconds, 1) if done.milliseconds is not None else None,
        "undo": "foureyes uninstall",
    }
    return json.dumps(answer, indent=2)


def everywhere(settings: Settings, login: Login | None, told: dict[str, str], *, as_json: bool) -> str:
    """The answer of `foureyes install --global`."""
    if as_json:
        answer = {
            "hooks": {"how": settings.how},
            "trailers": settings.style,
            "agents": told,
            "login": asdict(login) if login else None,
            "undo": "foureyes uninstall --global",
        }
        return json.dumps(answer, indent=2)
    agents, below = _agents(told)
    lines = _table(
        [
            (("git hooks", "for all your repositories"), agents),
            (("you are", _you(login)), ("undo", "foureyes uninstall --global")),
        ]
    )
    lines += below
    if login is None:
        lines += [
            "",
            "Say who you are, so that records can name you:  foureyes install --global --login NAME",
        ]
    return "\n".join([*lines, "", "Prove it in one of them:  foureyes doctor"])

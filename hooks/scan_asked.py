"""What a scan was asked for, made exact: the commit to start from, the date, the policy to judge by."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from foureyes.hooks.repo import Repo
from foureyes.hooks.scan_count import TOP_LEVEL, Tally
from foureyes.hooks.scan_objects import Objects
from foureyes.shared import paths
from foureyes.shared.errors import UserError
from foureyes.shared.policy import Policy, System
from foureyes.shared.policy_text import PolicyError, parse_policy

POLICY = ".github/foureyes.yml"
_SUGGESTED = 3
_MOST_PROBLEMS = 10


@dataclass(frozen=True)
class Source:
    """A policy, where it is from, and what kept it from being read."""

    policy: Policy | None
    where: str = ""
    note: str = ""


def tip_asked(repo: Repo, branch: str) -> tuple[str, str]:
    """The commit's id, empty in a repository without commits, and what to call it."""
    if branch:
        for name in (
            f"refs/heads/{branch}",
            f"refs/remotes/{branch}",
            f"refs/remotes/origin/{branch}",
            branch,
        ):
            if tip := _commit(repo, name):
                return tip, branch
        raise UserError(
            f"there is no branch, tag or commit `{branch}` here",
            next_step="`git branch -a` lists the branches",
            exit_code=2,
        )
    named = os.fsdecode(repo.ask("symbolic-ref", "-q", "--short", "HEAD").out).strip()
    tip = _commit(repo, "HEAD")
    return tip, named or f"detached at {tip[:10]}"


def _commit(repo: Repo, name: str) -> str:
    found = repo.ask("rev-parse", "-q", "--verify", "--end-of-options", f"{name}^{{commit}}")
    return found.out.decode("ascii", "replace").strip() if found.status == 0 else ""


def since_when(repo: Repo, text: str) -> int | None:
    """Seconds since 1970. git takes any text for a date, and what it cannot read for now. Raises UserError."""
    if not text:
        return None
    now = int(time.time())
    answer = repo.git("rev-parse", f"--since={text}").decode("ascii", "replace").strip()
    seconds = answer.removeprefix("--max-age=")
    when = int(seconds) if seconds.isdigit() else now
    if when >= now - 1:
        raise UserError(
            f"`{text}` is no date in the past",
            next_step="write it like 2026-01-01, or like '6 months ago'",
            exit_code=2,
        )
    return when


def policy_in(file: Path) -> Source:
    """Raises UserError with what is wrong, and where."""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UserError(
            f"the policy {file} cannot be read: {why}", next_step="name a policy file", exit_code=2
        ) from error
    try:
        return Source(parse_policy(text), str(file))
    except PolicyError as error:
        shown = "\n".join(
            f"  {file}:{p.line}:{p.column}: {p.message}" for p in error.problems[:_MOST_PROBLEMS]
        )
        raise UserError(
            f"the policy has mistakes:\n{shown}", next_step="docs/policy.md", exit_code=2
        ) from error


def policy_at(objects: Objects, tip: str) -> Source:
    """The policy that stands in the scanned commit, if one does."""
    found = objects.ask("cat-file", "blob", f"{tip}:{POLICY}") if tip else None
    if found is None or found.status != 0:
        return Source(None)
    try:
        return Source(parse_policy(found.out.decode("utf-8", "replace")), POLICY)
    except PolicyError as error:
        first = error.problems[0]
        return Source(None, note=f"{POLICY} was not used: line {first.line}: {first.message}")


def suggest(tally: Tally) -> tuple[str, ...]:
    """Patterns for the folders that agents touched in the most commits, none below another."""
    found: list[str] = []
    for name, _ in sorted(tally.folders.items(), key=lambda item: (-item[1].commits, item[0])):
        if (
            name != TOP_LEVEL
            and not paths.is_odd(name.removesuffix("/"))
            and not name.startswith(tuple(found))
        ):
            found.append(name)
        if len(found) == _SUGGESTED:
            break
    return tuple(_pattern(name) for name in found)


def _pattern(folder: str) -> str:
    quoted = "".join(f"\\{letter}" if letter in "*?[]!#\\" else letter for letter in folder)
    return f"{quoted}**"


def policy_of(patterns: tuple[str, ...]) -> Policy | None:
    """One that protects these, by the defaults of tier 1."""
    if not patterns:
        return None
    return Policy(version=1, roster=("@you",), systems={"suggested": System(paths=patterns)})

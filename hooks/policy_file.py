"""A policy file as it lies on this machine, read with everything that is wrong with it."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from foureyes.shared.errors import UserError
from foureyes.shared.policy_problem import PolicyError, Problem

if TYPE_CHECKING:
    from foureyes.shared.policy import Policy
    from foureyes.shared.policy_around import Around

POLICY = ".github/foureyes.yml"
STDIN = "-"


@dataclass(frozen=True)
class Checked:
    """`policy` None: it has errors. `name` is what the file is called in front of a line number."""

    name: str
    policy: "Policy | None"
    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def read_file(file: Path, usual: str = POLICY) -> bytes:
    """Of `-`, standard input. `usual`: where such a file lies. Raises UserError."""
    if str(file) == STDIN:
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise UserError(
            f"{file} cannot be read: {error.strerror}",
            next_step=f"run this at the top of the repository, or name the file; it is usually {usual}",
        ) from error


def trailers_of(work_tree: Path | None) -> str:
    """How the policy that is checked out wants agents named; empty where it does not say, or has errors."""
    file = (work_tree or Path()) / POLICY
    if work_tree is None or not file.is_file():
        return ""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    if not re.search(r"^[\"']?trailers\b", text, re.MULTILINE):
        return ""
    from foureyes.shared.policy_text import parse_policy

    try:
        return parse_policy(text).trailers
    except PolicyError:
        return ""


def text_of(data: bytes) -> str | Problem:
    """UTF-8, or where it stops being that."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line, column = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
        return Problem(line, column, "the file is not UTF-8 text here", "save it as UTF-8")


def check(data: bytes, name: str, *, floor: bool = False, around: "Around | None" = None) -> Checked:
    """Every error and every warning, in the order of their lines. `floor`: it is an organisation's."""
    from foureyes.shared.policy_text import read_policy

    text = text_of(data)
    if isinstance(text, Problem):
        return Checked(name, None, (text,))
    try:
        reading = read_policy(text, floor=floor, around=around)
    except PolicyError as error:
        return Checked(name, None, error.problems, error.warnings)
    return Checked(name, reading.policy, (), reading.warnings)


def policy_from(data: bytes, name: str) -> "Policy":
    """Raises UserError with all its errors, for a command that needs a policy to go on."""
    checked = check(data, name)
    if checked.policy is None:
        lines = "".join(f"\n  {told(name, problem)}" for problem in checked.errors)
        raise UserError(
            f"the policy has {len(checked.errors)} error{'s' if len(checked.errors) > 1 else ''}:{lines}",
            next_step="mend it; `foureyes policy check FILE` looks at it again",
        )
    return checked.policy


def told(name: str, problem: Problem, kind: str = "error") -> str:
    """As compilers tell it, so that editors find the place."""
    hint = f" ({problem.hint})" if problem.hint else ""
    return f"{name}:{problem.line}:{problem.column}: {kind}: {problem.message}{hint}"

"""The organisation's floor as it is known on this machine: from a file, or from GitHub by way of gh. Never guessed."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from foureyes.hooks.policy_file import read_file, text_of, told
from foureyes.shared.errors import UserError
from foureyes.shared.policy_problem import PolicyError, Problem

if TYPE_CHECKING:
    from foureyes.shared.policy import Policy

NAME = "foureyes-floor.yml"
REPOSITORY = ".github"
_SECONDS = 20.0


@dataclass(frozen=True)
class Floor:
    """`text` None: not known; "" there is none. `note` completes "not known here: ..."."""

    text: str | None
    note: str = ""


def read_floor(file: Path | None, *, ask_github: bool = False, repository: str = "") -> Floor:
    """`repository`: `host/owner/name`, "" where there is no remote. Raises UserError, also where it has errors."""
    if file is not None:
        return Floor(
            _checked(read_file(file, f"{REPOSITORY}/{NAME} of the organisation's {REPOSITORY}"), str(file))
        )
    host, _, slug = repository.partition("/")
    owner = slug.partition("/")[0]
    if not owner:
        return Floor(None)
    if ask_github:
        return _asked(host, owner)
    return Floor(
        None, f"whether {owner} has a floor that asks for more: --ask-github reads it, --floor names a file"
    )


def ruling(policy: "Policy", floor: str | None) -> "Policy":
    """Both together, as a pull request is judged."""
    from foureyes.shared.facts import Known
    from foureyes.shared.floor import ruling as combined

    found = combined(Known(floor or ""), policy)
    assert isinstance(found, Known)  # noqa: S101 - its errors were told when it was read
    return found.value


def _checked(data: bytes, name: str) -> str:
    from foureyes.shared.floor import parse_floor

    text = text_of(data)
    try:
        if isinstance(text, Problem):
            raise PolicyError((text,))
        parse_floor(text)
    except PolicyError as error:
        lines = "".join(f"\n  {told(name, problem)}" for problem in error.problems)
        raise UserError(
            f"the floor has errors:{lines}",
            why="while it does, nothing passes in the whole organisation",
            next_step="mend it; docs/policy.md says what a floor may hold",
        ) from None
    return text


def _asked(host: str, owner: str) -> Floor:
    path = f"repos/{owner}/{REPOSITORY}/contents/{REPOSITORY}/{NAME}"
    command = ["gh", "api", "--hostname", host, path, "-H", "Accept: application/vnd.github.raw+json"]
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _no_answer(owner, "gh is not there, or did not answer") from error
    if done.returncode == 0:
        return Floor(_checked(done.stdout, f"{owner}/{REPOSITORY}:{REPOSITORY}/{NAME}"))
    said = os.fsdecode(done.stderr).strip().splitlines()
    if "HTTP 404" in os.fsdecode(done.stderr):
        return Floor("", f"a floor of {owner} that your token may not see; GitHub shows none")
    raise _no_answer(owner, said[-1] if said else f"gh ended with {done.returncode}")


def _no_answer(owner: str, why: str) -> UserError:
    return UserError(
        f"the floor of {owner} could not be read: {why}",
        next_step="`gh auth login` lets gh ask; or name the file with --floor",
    )

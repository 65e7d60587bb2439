"""The App's credentials where set-up leaves them: two files in the data folder, readable by nobody else.

`app.env` names the App and its webhook secret and points to the key file beside it. It is replaced in one step, after
the key file is safely written, so that a crash leaves the old App or the new one and never half of each.
"""

import hashlib
import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

FILE = "app.env"
NAMES = ("APP_ID", "GITHUB_URL", "PRIVATE_KEY_FILE", "WEBHOOK_SECRET")
"""The settings that the file may hold, without their prefix."""

_PREFIX = "FOUREYES_"
_KEY_FILE = re.compile(r"app-[0-9a-f]{12}\.pem")
_LARGEST = 64 * 1024


class CredentialsError(Exception):
    """The files cannot be read or written; the text says which and why, and repeats no secret."""


@dataclass(frozen=True)
class Credentials:
    app_id: int
    github_url: str
    private_key: str = field(repr=False)
    """PEM."""
    webhook_secrets: tuple[str, ...] = field(repr=False)


def are_stored(data: Path) -> bool:
    """Whether there is such a file, whatever it holds."""
    return os.path.lexists(data / FILE)


def read(data: Path) -> dict[str, str]:
    """Names without prefix -> values; empty if nothing was stored. The key file's path is made absolute or relative as
    `data` is. Raises CredentialsError.
    """
    path = data / FILE
    if not are_stored(data):
        return {}
    found: dict[str, str] = {}
    for number, line in enumerate(_text(path).splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        short = name.removeprefix(_PREFIX)
        if not equals or name == short or short not in NAMES or short in found:
            raise CredentialsError(f"{path}, line {number}: not one of {', '.join(NAMES)}, or said twice")
        found[short] = value.strip()
    if key_file := found.get("PRIVATE_KEY_FILE"):
        found["PRIVATE_KEY_FILE"] = str(data / key_file)
    return found


def store(data: Path, credentials: Credentials, *, replace: bool) -> Path:
    """Writes both files, mode 0600; answers the path of `app.env`. Raises CredentialsError, also if there is one
    already and `replace` is False.
    """
    path = data / FILE
    pem = credentials.private_key.strip() + "\n"
    key_file = f"app-{hashlib.sha256(pem.encode()).hexdigest()[:12]}.pem"
    lines = (
        "# Written by foureyes. The environment wins over what stands here.",
        f"{_PREFIX}APP_ID={credentials.app_id}",
        f"{_PREFIX}GITHUB_URL={credentials.github_url}",
        f"{_PREFIX}PRIVATE_KEY_FILE={key_file}",
        f"{_PREFIX}WEBHOOK_SECRET={','.join(credentials.webhook_secrets)}",
    )
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(data / key_file, pem, replace=True)
        _write(path, "\n".join(lines) + "\n", replace=replace)
        _forget_other_keys(data, key_file)
    except FileExistsError as error:
        raise CredentialsError(f"{path} is there already") from error
    except OSError as error:
        raise CredentialsError(f"{error.filename or path} cannot be written: {error.strerror}") from error
    return path


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(_LARGEST)
        text = content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise CredentialsError(f"{path} cannot be read: {why}") from error
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise CredentialsError(
            f"{path} can be read by others (mode {stat.S_IMODE(mode):04o}): chmod 600 {path}"
        )
    return text


def _write(path: Path, text: str, *, replace: bool) -> None:
    """In one step and safely on disk. Raises OSError; FileExistsError if it is there and may not be replaced."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    with suppress(FileNotFoundError):
        new.unlink()
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        if replace:
            new.replace(path)
        else:
            path.hardlink_to(new)
    finally:
        new.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _forget_other_keys(data: Path, kept: str) -> None:
    """Keys of Apps that were here before: only files that we named ourselves."""
    for other in data.iterdir():
        if _KEY_FILE.fullmatch(other.name) and other.name != kept:
            other.unlink(missing_ok=True)

"""The Python that a hook starts, and the folders that it imports from: written down when hooks are installed.

A hook runs in a folder that belongs to whoever is being watched, and under anyone's PATH. So it starts one interpreter
by its full path, without environment, start-up files or the working directory, and is told where to import from.
"""

import importlib.util
import subprocess
import sys
from pathlib import Path

from foureyes.shared.errors import UserError

_LIBRARIES = ("click", "cryptography", "pydantic", "yaml", "rich")


def interpreter() -> str:
    """The interpreter itself, past virtual environments and the shims of version managers."""
    return str(Path(getattr(sys, "_base_executable", "") or sys.executable).resolve())


def import_path() -> tuple[str, ...]:
    """Folders that hold foureyes and its libraries. Raises UserError if foureyes cannot be imported from a folder."""
    found = [_own_folder()]
    for name in _LIBRARIES:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin:
            found.append(str(Path(spec.origin).parent.parent))
    return tuple(dict.fromkeys(found))


def _own_folder() -> str:
    root = Path(__file__).resolve().parent.parent
    checkout = root / ".types"
    if (checkout / "foureyes").is_dir() and (checkout / "foureyes").resolve() == root:
        return str(checkout)
    if root.name == "foureyes":
        return str(root.parent)
    raise UserError(
        f"foureyes runs from {root}, where a hook could not import it",
        next_step="install it with pip, then run this again",
    )


def check(python: str, path: tuple[str, ...]) -> None:
    """Start it as a hook will. Raises UserError if foureyes or a library cannot be imported that way."""
    code = f"import sys; sys.path += {list(path)!r}; import foureyes.hooks.repo, {', '.join(_LIBRARIES)}"
    done = subprocess.run([python, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = done.stderr.strip().splitlines()
        raise UserError(
            f"Python cannot run the hooks: {words[-1] if words else done.returncode}",
            why=f"hooks start {python} with nothing but {', '.join(path)}",
            next_step="install foureyes with that interpreter or in a virtual environment of it",
        )

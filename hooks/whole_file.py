"""A file that is written in one step: whoever reads it then, or after a fault, finds the old one or the new."""

import contextlib
import errno
import os
import tempfile
from pathlib import Path

_FULL = {errno.ENOSPC, errno.EDQUOT}


def way_out(error: OSError, then: str) -> str:
    """What a person does about a file that could not be written."""
    room = "free some space" if error.errno in _FULL else "make that place writable for you"
    return f"{room}, then run `{then}` again"


def write_whole(file: Path, data: bytes, mode: int) -> None:
    """Raises OSError, naming this file, with the old one in place and nothing left beside it."""
    name = None
    try:
        descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        with os.fdopen(descriptor, "wb") as out:
            out.write(data)
        Path(name).chmod(mode)
        Path(name).replace(file)
    except BaseException as error:
        if isinstance(error, OSError):
            error.filename, error.filename2 = str(file), None
        if name is not None:
            with contextlib.suppress(OSError):
                Path(name).unlink()
        raise

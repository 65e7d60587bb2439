"""The `foureyes` command in this process: the same command line, the same exit code, without starting a Python."""

import os
from collections.abc import Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from unittest.mock import patch

from foureyes.hooks import cli


def ended(cwd: Path, *arguments: str, env: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    """Exit code, standard output, standard error. `env` is added to this process's environment."""
    out, err = StringIO(), StringIO()
    with patch.dict(os.environ, env or {}), chdir(cwd), redirect_stdout(out), redirect_stderr(err):
        status = cli.run(arguments)
    return status, out.getvalue(), err.getvalue()

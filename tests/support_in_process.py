"""The `foureyes` command in this process: the same command line, the same exit code, without starting a Python."""

import json
import os
import sys
from collections.abc import Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any
from unittest.mock import patch

from support_git import git

from foureyes.hooks import cli, push


def ended(cwd: Path, *arguments: str, env: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    """Exit code, standard output, standard error. `env` is added to this process's environment."""
    out, err = StringIO(), StringIO()
    with patch.dict(os.environ, env or {}), chdir(cwd), redirect_stdout(out), redirect_stderr(err):
        status = cli.run(arguments)
    return status, out.getvalue(), err.getvalue()


def said(cwd: Path, *arguments: str, env: Mapping[str, str] | None = None) -> str:
    """What a command that ends well says."""
    status, out, err = ended(cwd, *arguments, env=env)
    assert status == 0, f"foureyes {arguments} ended with {status}\n{out}\n{err}"
    return out


def told(
    cwd: Path,
    agent: str,
    payload: Mapping[str, Any] | bytes,
    env: Mapping[str, str] | None = None,
    *,
    answer: str = "",
) -> None:
    """`foureyes checkpoint`, as the hook of `agent` calls it. It ends with 0, and for most agents in silence."""
    mask = os.umask(0o077)
    try:
        with TemporaryFile() as stdin, patch.object(sys, "stdin", stdin):
            stdin.write(payload if isinstance(payload, bytes) else json.dumps(payload).encode())
            stdin.seek(0)
            assert ended(cwd, "checkpoint", agent, env=env) == (0, answer, "")
    finally:
        os.umask(mask)


def said_at_push(repo: Path, branch: str, name: str, url: str) -> str:
    """What the pre-push hook says where HEAD is pushed as a new `branch`, without git's own push of it."""
    oid = git(repo, "rev-parse", "HEAD")
    line = f"HEAD {oid} refs/heads/{branch} {'0' * 40}\n"
    told = StringIO()
    with (
        chdir(repo),
        redirect_stderr(told),
        patch.object(sys, "stdin", TextIOWrapper(BytesIO(line.encode()))),
    ):
        assert push.main([name, url]) == 0
    return told.getvalue()

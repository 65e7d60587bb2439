"""Long answers: through the reader's own pager on a terminal, plainly everywhere else."""

import os
import sys
from collections.abc import Iterable

import click


def show(lines: Iterable[str]) -> None:
    """Colours and paging only on a terminal. As git does it: a short answer leaves the pager at once."""
    if not sys.stdout.isatty():
        for line in lines:
            click.echo(line)
        return
    os.environ.setdefault("LESS", "FRX")
    pager = os.environ.get("GIT_PAGER")
    if pager:
        os.environ["PAGER"] = pager
    click.echo_via_pager("\n".join(lines), color=not os.environ.get("NO_COLOR"))

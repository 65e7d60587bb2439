"""What the pre-push hook runs: records of the pushed commits go to the remote beside the branch.

A push is never stopped and never noticeably held up by us: whatever goes wrong is one line on stderr, and 0.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from foureyes.hooks.build import Builder
from foureyes.hooks.builder import builder_in
from foureyes.hooks.catalogue import agents_around
from foureyes.hooks.publish import Branch, Outcome, Remote, publish, withdraw
from foureyes.hooks.push_notice import notice
from foureyes.hooks.repo import Repo
from foureyes.hooks.sign import NotSigned
from foureyes.shared.errors import UserError

_OURS = "refs/foureyes/"
"""Whoever pushes one of these mirrors all refs: git deletes those that are not here, which no line tells, and its push
fails if they change meanwhile.
"""


def main(arguments: list[str] | None = None) -> int:
    """`arguments`: the remote's name and URL; stdin: git's line for each ref. Always 0."""
    if os.environ.get("FOUREYES_PUSHING"):
        return 0  # our own push of a record ref, in case it gets here
    name, url = [*(sys.argv[1:] if arguments is None else arguments), "", ""][:2]
    try:
        _push(Remote(name, url or name), os.fsdecode(sys.stdin.buffer.read()))
    except UserError as error:
        _say(f"no records were published: {error.what}")
    except KeyboardInterrupt:
        _say("no records were published: stopped. Try again with: foureyes publish")
    except Exception as error:  # noqa: BLE001 -- the push goes on
        _say(f"no records were published: {type(error).__name__}: {error}. Try again with: foureyes publish")
    return 0


def _push(remote: Remote, lines: str) -> None:
    changes = list(_changes(lines))
    # Tags and other refs have no records.
    pushed = {Branch(one.ref, one.new): one.is_new for one in changes if one.ref.startswith("refs/heads/")}
    if not pushed:
        return
    if any(one.ref.startswith(_OURS) for one in changes):
        _say("git push --mirror takes the published records away. Put them back with: foureyes publish")
        return
    repo = Repo.open(Path.cwd(), bare_ok=True)
    builder = builder_in(repo, remote, agents_around(os.environ))
    branches = [branch for branch in pushed if branch.tip]
    if branches:
        # one that was deleted there may have taken its records along, whatever was seen of them from here
        anew = [branch for branch in branches if pushed[branch]]
        _tell(publish(repo, remote, branches, builder, again=anew))
        _notice(repo, remote, branches, builder)
    for branch in pushed:
        if not branch.tip:
            withdraw(repo, remote, branch.ref)


class _Change(NamedTuple):
    """Of a ref there; `new` is empty if it is deleted, `is_new`: it is not there yet."""

    ref: str
    new: str
    is_new: bool


def _changes(lines: str) -> Iterator[_Change]:
    """The first word of each line is what the person named, as they named it: it may hold blanks."""
    for line in lines.split("\n"):
        words = line.rsplit(" ", 3)
        if len(words) == 4:
            yield _Change(words[2], words[1] if words[1].strip("0") else "", not words[3].strip("0"))


def _tell(outcome: Outcome) -> None:
    """One line, and only if something is not as it should be."""
    failed = [branch for branch in outcome.branches if branch.problem]
    if failed:
        _say(f"the records were not published: {failed[0].problem}. Try again with: foureyes publish")
    elif isinstance(outcome.signature, NotSigned):
        _say(f"the records are published without a signature: {outcome.signature.why}")
    elif left := sum(branch.left for branch in outcome.branches):
        _say(f"{left:,} older commits have no records yet. Publish them with: foureyes publish")


def _notice(repo: Repo, remote: Remote, branches: list[Branch], builder: Builder) -> None:
    """Advice: whatever keeps it from being given keeps nothing else."""
    try:
        told = notice(repo, remote, branches, builder)
    except (Exception, KeyboardInterrupt):  # noqa: BLE001
        return
    if told:
        _say(told)


def _say(text: str) -> None:
    sys.stderr.write(f"foureyes: {' '.join(text.split())}\n")

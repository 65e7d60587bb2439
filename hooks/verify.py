"""`foureyes verify`: does what is published about these commits hold?"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from foureyes.hooks import paging
from foureyes.hooks.commits import Commit, read_commits, read_diffs
from foureyes.hooks.fetch_records import fetch_records, remote_here
from foureyes.hooks.objects import Objects
from foureyes.hooks.on_screen import title_of
from foureyes.hooks.published import Vouchers
from foureyes.hooks.ranges import commits_in
from foureyes.hooks.repo import Repo
from foureyes.shared.canonical import sha256_hex
from foureyes.shared.diff import FileDiff
from foureyes.shared.errors import UserError
from foureyes.shared.manifest import Entry
from foureyes.shared.record import Record, RecordError, parse_record


@dataclass(frozen=True)
class Verified:
    """One commit. It holds if nothing is in `problems`. `record` is None if there is none that can be read."""

    commit: Commit
    record: Record | None
    signed_by: tuple[str, ...]
    """Fingerprints. Whose keys they are, only what GitHub publishes can tell."""
    problems: tuple[str, ...]


@click.command("verify")
@click.argument("range", default="HEAD")
@click.option("--remote", "remote_name", help="Where to look; by default the remote of this branch.")
@click.option("--offline", is_flag=True, help="Ask no remote: judge what is here.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def command(range: str, remote_name: str | None, offline: bool, as_json: bool) -> None:
    """Check what is published about the commits of RANGE (`main..work`, or one commit; default: HEAD).

    For each commit: there is a record, it is for this commit and this tree, it counts what git counts, a push lists
    it, and a valid signature covers that list. Exit code 1: for some commit one of these does not hold.
    """
    repo = Repo.open(Path.cwd(), bare_ok=True)
    commits = commits_in(repo, range)
    notice = "" if offline else _fetch(repo, remote_name)
    verified = verify(repo, commits)
    if as_json:
        click.echo(json.dumps(_as_json(verified, notice), indent=2))
    else:
        paging.show(_as_text(verified))
        if notice:
            click.echo(f"foureyes: {notice}; judged by what is here", err=True)
    if any(one.problems for one in verified):
        raise click.exceptions.Exit(1)


def verify(repo: Repo, commits: Sequence[str]) -> tuple[Verified, ...]:
    """Judge the record refs in sight; a constant number of processes."""
    known = read_commits(repo, commits)
    if not known:
        return ()
    diffs = read_diffs(repo, list(known.values()))
    with Objects(repo.work_tree or repo.git_dir, repo.environment()) as objects:
        versions = objects.records(known.keys())
        vouchers = Vouchers(objects, len(next(iter(known))))
    return tuple(
        _best(known[oid], versions.get(oid, ()), diffs.get(oid), vouchers) for oid in commits if oid in known
    )


def _fetch(repo: Repo, wanted: str | None) -> str:
    remote = remote_here(repo, wanted)
    if wanted and (remote is None or remote.name != wanted):
        names = ", ".join(os.fsdecode(repo.git("remote")).split())
        raise UserError(
            f"there is no remote `{wanted}` here",
            next_step=f"name one of these with --remote: {names}" if names else "add one: git remote add",
            exit_code=2,
        )
    if remote is None:
        return "there is no remote to fetch records from"
    problem = fetch_records(repo, remote)
    return f"records were not fetched from {remote.name}: {problem}" if problem else ""


def _best(
    commit: Commit, versions: Sequence[bytes], diffs: tuple[FileDiff, ...] | None, vouchers: Vouchers
) -> Verified:
    """Of several records that were published for a commit, the one with the fewest problems."""
    if not versions:
        return Verified(commit, None, (), ("no record is published",))
    judged = [_judge(commit, raw, diffs, vouchers) for raw in versions]
    return min(judged, key=lambda one: len(one.problems))


def _judge(commit: Commit, raw: bytes, diffs: tuple[FileDiff, ...] | None, vouchers: Vouchers) -> Verified:
    try:
        record = parse_record(raw)
    except RecordError as error:
        return Verified(commit, None, (), (f"the record was not read: {error}",))
    problems = list(_wrong_in(record, commit, diffs))
    listed = vouchers.of(Entry(commit.oid, commit.tree, sha256_hex(raw)))
    signed = tuple(sorted({one.signed_by for one in listed if one.signed_by}))
    if not listed:
        problems.append("no push lists this record")
    elif not signed:
        told = sorted({one.problem for one in listed if one.problem})
        problems += told or ["it was published without a signature"]
    return Verified(commit, record, signed, tuple(problems))


def _wrong_in(record: Record, commit: Commit, diffs: tuple[FileDiff, ...] | None) -> Iterator[str]:
    if record.commit != commit.oid:
        yield f"the record is for another commit, {record.commit[:10]}"
    elif record.tree != commit.tree:
        yield "the record is for another tree"
    elif diffs is None:
        yield "what the commit changed cannot be told here: its parent is not in this clone"
    elif record.files != tuple(diff.change for diff in diffs):
        yield "the record counts other changes than git does"


def _as_json(verified: Sequence[Verified], notice: str) -> dict[str, object]:
    return {
        "holds": not any(one.problems for one in verified),
        "notice": notice or None,
        "commits": [
            {
                "commit": one.commit.oid,
                "holds": not one.problems,
                "class": (one.record.cls or None) if one.record else None,
                "agents": [agent.id for agent in one.record.agents] if one.record else [],
                "signed_by": list(one.signed_by),
                "problems": list(one.problems),
            }
            for one in verified
        ],
    }


def _as_text(verified: Sequence[Verified]) -> Iterator[str]:
    for one in verified:
        title = title_of(one.commit.message)
        state = click.style("does not hold", fg="red") if one.problems else click.style("holds", fg="green")
        yield f"{one.commit.oid[:10]}  {state}  {_class(one)}  {title}"
        yield from (f"            {problem}" for problem in one.problems)
    good = sum(not one.problems for one in verified)
    keys = sorted({key for one in verified for key in one.signed_by})
    yield f"{good} of {len(verified)} commits hold" if verified else "there are no commits in this range"
    if keys:
        yield f"signed with {', '.join(keys)}: whose keys these are, their owners' pages on GitHub tell"


def _class(one: Verified) -> str:
    words = {"ai": "agent-written", "human": "a person's", "": "no class"}
    return words[one.record.cls] if one.record else "no record"

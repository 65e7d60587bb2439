"""Records on their way to the remote: built, listed and signed once, put on each branch's record ref.

A record ref only ever grows by commits on top of what is there, so two people who push at once lose nothing: the
slower one fetches, adds its own again, and pushes again.
"""

import contextlib
import hashlib
import re
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from foureyes.hooks import keys, sign
from foureyes.hooks.build import Builder, build
from foureyes.hooks.evidence import Evidence
from foureyes.hooks.git_ai_notes import write_beside_git_ai
from foureyes.hooks.journal import read_journal
from foureyes.hooks.lacking import Branch as Branch
from foureyes.hooks.lacking import lacking, seen_ref
from foureyes.hooks.published import SEEN as SEEN
from foureyes.hooks.remote import CREDENTIALS, FETCH
from foureyes.hooks.remote import Remote as Remote
from foureyes.hooks.repo import Repo
from foureyes.hooks.seen_reviews import Untold
from foureyes.hooks.store import Put, commit_files, keep_records, read_blobs, read_records, tip_of
from foureyes.shared import dsse
from foureyes.shared.canonical import sha256_hex
from foureyes.shared.errors import UserError
from foureyes.shared.manifest import Entry, Manifest, manifest_bytes
from foureyes.shared.record import Record, parse_record, record_bytes
from foureyes.shared.record_ref import push_path, record_path, record_ref

_TRIES = 3
"""On one and the same state of the record ref: more of them change nothing."""
_SECONDS = 60.0


@dataclass(frozen=True)
class Published:
    """What became of one branch's records. `count` is how many are new there, `left` how many commits are left for the
    next push; `problem` is empty if all went well.
    """

    branch: str
    ref: str
    count: int
    problem: str = ""
    left: int = 0


@dataclass(frozen=True)
class Outcome:
    """`signature` is None if nothing was there to sign, or no key."""

    branches: tuple[Published, ...]
    signature: sign.Signed | sign.NotSigned | None = None


def publish(
    repo: Repo,
    remote: Remote,
    branches: Sequence[Branch],
    builder: Builder,
    *,
    again: Collection[Branch] = (),
) -> Outcome:
    """Publish what the record refs of these branches lack; of those `again` all records, under a new signature.

    Raises UserError if this repository cannot be read or written; what goes wrong on the way to the remote is in
    the outcome.
    """
    found = {branch: lacking(repo, remote, branch, again=branch in again) for branch in branches}
    wanted = {branch: one.commits for branch, one in found.items()}
    every = tuple(dict.fromkeys(oid for oids in wanted.values() for oid in oids))
    newest = {oids[-1] for oids in wanted.values() if oids}
    records = _records(repo, every, newest, builder)
    wanted = {branch: tuple(oid for oid in oids if oid in records) for branch, oids in wanted.items()}
    if not any(wanted.values()):
        return Outcome(tuple(Published(branch.ref, record_ref(branch.ref), 0) for branch in branches))
    outcome = _publish(repo, remote, wanted, records, builder)
    left = {branch.ref: one.left for branch, one in found.items()}
    return replace(outcome, branches=tuple(replace(one, left=left[one.branch]) for one in outcome.branches))


def publish_these(
    repo: Repo, remote: Remote, branch: Branch, commits: Sequence[str], builder: Builder
) -> tuple[Outcome, dict[str, Record]]:
    """Publish records of these commits, whoever pushed them, under a signature; what the records are. Raises UserError
    if nothing can be signed with.
    """
    raw = read_records(repo, commits)
    built = build(repo, [oid for oid in commits if oid not in raw], builder)
    raw |= {oid: record_bytes(record) for oid, record in built.items()}
    raw = {oid: raw[oid] for oid in commits if oid in raw}
    if not raw:
        raise UserError(
            "what these commits changed cannot be told: their parents are not in this clone",
            next_step="fetch more history: git fetch --deepen=1",
        )
    outcome = _publish(repo, remote, {branch: tuple(raw)}, raw, builder, needs_signature=True)
    keep_records(repo, {oid: raw[oid] for oid in built}, at=int(time.time()))
    return outcome, {oid: parse_record(data) for oid, data in raw.items()}


def _publish(
    repo: Repo,
    remote: Remote,
    wanted: Mapping[Branch, tuple[str, ...]],
    records: Mapping[str, bytes],
    builder: Builder,
    *,
    needs_signature: bool = False,
) -> Outcome:
    """Sign the list once, and put records and list on each branch's record ref."""
    named = [branch.ref for branch, oids in wanted.items() if oids]
    payload = _payload(repo, records, builder.repository, named[0] if len(named) == 1 else "")
    signature = _sign(repo, payload)
    if needs_signature and not isinstance(signature, sign.Signed):
        raise UserError(
            f"nothing was signed: {signature.why if signature else 'no SSH key was found'}",
            next_step="`foureyes status` shows which key would sign; then run this again",
        )
    envelope = _envelope(payload, signature)
    done = []
    for branch, oids in wanted.items():
        puts = [Put(record_path(oid), records[oid]) for oid in oids]
        puts.append(Put(push_path(payload), envelope))
        problem = _push(repo, remote, branch.ref, puts) if oids else ""
        done.append(Published(branch.ref, record_ref(branch.ref), len(oids), problem))
    Evidence(repo.home).collect()
    return Outcome(tuple(done), signature)


def withdraw(repo: Repo, remote: Remote, branch: str) -> None:
    """A branch was deleted: its record ref goes with it. It is no fault if there was none."""
    ref = record_ref(branch)
    repo.ask_remote("push", *_PUSH, remote.url, f":{ref}", seconds=_SECONDS, env=_GUARD)
    repo.ask("update-ref", "-d", seen_ref(remote, ref))


def _records(
    repo: Repo, commits: Sequence[str], newest: Collection[str], builder: Builder
) -> dict[str, bytes]:
    """Kept records, and new ones for commits that are new to all remotes or that our hooks saw. For what others
    pushed there is nothing to say from here. Those of `newest` tell of reviews that agents submitted meanwhile.
    """
    kept = read_records(repo, commits)
    built = _build(repo, [oid for oid in commits if oid not in kept], builder)
    evidence = Evidence(repo.home)
    reviews = Untold(evidence, builder.login or builder.email)
    told = reviews.put_into(built, kept, newest)
    fresh = {oid: record_bytes(record) for oid, record in (built | told).items()}
    keep_records(repo, fresh, at=int(time.time()))
    with contextlib.suppress(UserError):  # a courtesy to another tool
        write_beside_git_ai(repo, built)
    if told:
        reviews.mark_told()
    sessions = {part.session for record in built.values() for part in record.contributors if part.session}
    evidence.mark_recorded(sessions)
    return kept | fresh


def _build(repo: Repo, commits: Sequence[str], builder: Builder) -> dict[str, Record]:
    if not commits:
        return {}
    pushed = _reached_by_remotes(repo, commits)
    journal = read_journal(repo.common_dir)
    return build(repo, [oid for oid in commits if oid in journal or oid not in pushed], builder)


def _reached_by_remotes(repo: Repo, commits: Sequence[str]) -> set[str]:
    asked = "".join(f"{oid}\n" for oid in commits).encode()
    new = (
        repo.git("rev-list", "--ignore-missing", "--stdin", "--not", "--remotes", input=asked)
        .decode("ascii")
        .split()
    )
    return set(commits) - set(new)


def _payload(repo: Repo, records: Mapping[str, bytes], repository: str, ref: str) -> bytes:
    trees = _trees(repo, records)
    entries = tuple(
        Entry(oid, trees[oid], sha256_hex(record)) for oid, record in records.items() if oid in trees
    )
    return manifest_bytes(Manifest(repository, ref, entries))


def _trees(repo: Repo, commits: Mapping[str, bytes]) -> dict[str, str]:
    found = {}
    for oid, raw in read_blobs(repo, commits).items():
        found[oid] = raw[5 : raw.index(b"\n")].decode("ascii")
    return found


def _sign(repo: Repo, payload: bytes) -> sign.Signed | sign.NotSigned | None:
    key = keys.find(repo)
    return sign.sign(key, dsse.pae(dsse.PAYLOAD_TYPE, payload)) if key else None


def _envelope(payload: bytes, signature: sign.Signed | sign.NotSigned | None) -> bytes:
    signatures = (
        (dsse.Signature(signature.keyid, signature.sig),) if isinstance(signature, sign.Signed) else ()
    )
    return dsse.Envelope(dsse.PAYLOAD_TYPE, payload, signatures).to_json()


_PUSH = ("--no-verify", "--quiet", "--no-signed", "--no-follow-tags", "--recurse-submodules=no")
_GUARD = {"FOUREYES_PUSHING": "1"}


def _push(repo: Repo, remote: Remote, branch: str, puts: Sequence[Put]) -> str:
    """Put files on the branch's record ref, on top of whatever is there, however many others do so at the same time.
    The problem, empty if there was none.
    """
    ref = record_ref(branch)
    seen = seen_ref(remote, ref)
    deadline = time.monotonic() + _SECONDS
    problem = ""
    tried: list[str] = []
    while tried.count(tip := tip_of(repo, seen)) < _TRIES:
        tried.append(tip)
        new = _on_top(repo, seen, puts)
        pushed = _remote(repo, deadline, "push", *_PUSH, remote.url, f"{new}:{ref}")
        if not pushed:
            repo.git("update-ref", seen, new)
            return ""
        problem = pushed
        if time.monotonic() >= deadline:
            break
        _fetch(repo, remote, ref, seen, deadline)
    return problem


def _on_top(repo: Repo, seen: str, puts: Sequence[Put]) -> str:
    """A commit that adds the files to what the remote had when it was last seen; made on a ref of its own, for
    another push may be at work here."""
    parent = tip_of(repo, seen)
    made = f"refs/foureyes/new/{hashlib.sha256(repr((seen, puts)).encode()).hexdigest()[:16]}-{time.monotonic_ns()}"
    try:
        commit_files(repo, made, parent, puts, at=int(time.time()))
        return tip_of(repo, made)
    finally:
        repo.ask("update-ref", "-d", made)


def _fetch(repo: Repo, remote: Remote, ref: str, seen: str, deadline: float) -> None:
    problem = _remote(repo, deadline, "fetch", *FETCH, remote.url, f"+{ref}:{seen}")
    if "couldn't find remote ref" in problem:
        repo.ask("update-ref", "-d", seen)


def _remote(repo: Repo, deadline: float, *command: str) -> str:
    """What git complained about, in one line and without passwords; empty if it did what it was told."""
    seconds = max(1.0, deadline - time.monotonic())
    quiet = ("-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "push.pushOption=")
    answer = repo.ask_remote(*quiet, *command, seconds=seconds, env=_GUARD)
    if answer.status == 0:
        return ""
    lines = [line.strip() for line in answer.words.splitlines() if line.strip()]
    said = next((line for line in lines if line.startswith(("fatal:", "error:", "!", "remote:"))), "")
    return re.sub(CREDENTIALS, "//", said or "".join(lines[-1:]) or f"git ended with status {answer.status}")

"""GraphQL fields of repositories, references, commits, trees and blobs: all asked from git."""

# ruff: noqa: ARG001, ARG005  (all entries of the table take the same arguments)

from typing import Any

from foureyes.github_app.sandbox import pushes, shapes
from foureyes.github_app.sandbox.access import WEB_FLOW_EMAIL, account_of, role
from foureyes.github_app.sandbox.coauthors import co_authors
from foureyes.github_app.sandbox.fields_queue import queue_of
from foureyes.github_app.sandbox.nodes import (
    Connection,
    Context,
    Field,
    GitActor,
    GitEntry,
    GitObject,
    GitRef,
    Signed,
    connect,
    problem,
)
from foureyes.github_app.sandbox.repositories import Signature
from foureyes.github_app.sandbox.state import Pull, Repository
from foureyes.github_app.sandbox.verification import verify

_LONGEST_TEXT = 512 * 1024


def commit_node(repository: Repository, oid: str | None) -> GitObject | None:
    """None where the commit is gone, as GitHub answers after garbage collection."""
    if oid is None or repository.git.commit_id(oid) != oid:
        return None
    return GitObject(repository, oid, "commit")


def branch_node(repository: Repository, name: str) -> GitRef | None:
    ref = f"refs/heads/{name}"
    oid = repository.git.branch(name)
    return None if oid is None else GitRef(repository, ref, oid)


def _object(context: Context, repository: Repository, arguments: dict[str, Any]) -> GitObject | None:
    context.require("contents")
    expression = arguments.get("oid") or arguments.get("expression") or ""
    oid = repository.git.resolve(expression)
    kind = repository.git.type_of(oid) if oid else None
    return GitObject(repository, oid, kind) if oid and kind in ("commit", "tree", "blob") else None


def _ref(context: Context, repository: Repository, arguments: dict[str, Any]) -> GitRef | None:
    context.require("contents")
    name = arguments["qualifiedName"]
    if not name.startswith("refs/"):
        name = f"refs/heads/{name}"
    oid = repository.git.refs(name).get(name)
    return None if oid is None else GitRef(repository, name, oid)


def _refs(context: Context, repository: Repository, arguments: dict[str, Any]) -> Connection:
    context.require("contents")
    found = repository.git.refs(arguments["refPrefix"].rstrip("/")).items()
    return connect([GitRef(repository, name, oid) for name, oid in found], arguments, "refs")


def _pull(context: Context, repository: Repository, arguments: dict[str, Any]) -> Pull | None:
    context.require("pull_requests")
    number = arguments["number"]
    found = repository.pulls.get(number)
    if found is None:
        raise problem("NOT_FOUND", f"Could not resolve to a PullRequest with the number of {number}.")
    return found


def pull_state(pull: Pull) -> str:
    return "MERGED" if pull.merged_at else pull.state.upper()


def select_pulls(pulls: list[Pull], arguments: dict[str, Any], name: str) -> Connection:
    """The filters that all lists of pull requests have in common; oldest first unless asked otherwise."""
    states, base, head = arguments.get("states"), arguments.get("baseRefName"), arguments.get("headRefName")
    found = [
        pull
        for pull in pulls
        if (not states or pull_state(pull) in states)
        and (base is None or pull.base_ref == base)
        and (head is None or pull.head_ref == head)
    ]
    order = arguments.get("orderBy") or {"field": "CREATED_AT", "direction": "ASC"}
    by = {"CREATED_AT": "created_at", "UPDATED_AT": "updated_at"}[order["field"]]
    found.sort(key=lambda pull: (getattr(pull, by), pull.number), reverse=order["direction"] == "DESC")
    return connect(found, arguments, name)


def _pulls(context: Context, repository: Repository, arguments: dict[str, Any]) -> Connection:
    context.require("pull_requests")
    return select_pulls(list(repository.pulls.values()), arguments, "pullRequests")


REPOSITORY: dict[str, Field] = {
    "id": lambda c, r, a: shapes.node_id("R", r.id),
    "databaseId": lambda c, r, a: r.id,
    "name": lambda c, r, a: r.name,
    "nameWithOwner": lambda c, r, a: r.slug,
    "owner": lambda c, r, a: r.owner,
    "url": lambda c, r, a: f"{c.world.url}/{r.slug}",
    "isPrivate": lambda c, r, a: r.private,
    "visibility": lambda c, r, a: "PRIVATE" if r.private else "PUBLIC",
    "isFork": lambda c, r, a: r.parent is not None,
    "isArchived": lambda c, r, a: False,
    "isEmpty": lambda c, r, a: not r.git.refs("refs/heads/"),
    "parent": lambda c, r, a: r.parent,
    "createdAt": lambda c, r, a: r.created_at,
    "pushedAt": lambda c, r, a: r.pushed_at,
    "updatedAt": lambda c, r, a: r.pushed_at,
    "viewerPermission": lambda c, r, a: _permission(role(r, c.credential.user)),
    "defaultBranchRef": lambda c, r, a: branch_node(r, r.default_branch),
    "object": _object,
    "ref": _ref,
    "refs": _refs,
    "pullRequest": _pull,
    "pullRequests": _pulls,
    "mergeQueue": lambda c, r, a: queue_of(r, a.get("branch") or r.default_branch),
}


def _permission(name: str) -> str | None:
    return None if name == "none" else name.upper()


REF: dict[str, Field] = {
    "id": lambda c, ref, a: f"REF_{ref.repository.id}_{ref.name}",
    "name": lambda c, ref, a: _split_ref(ref.name)[1],
    "prefix": lambda c, ref, a: _split_ref(ref.name)[0],
    "repository": lambda c, ref, a: ref.repository,
    "target": lambda c, ref, a: GitObject(
        ref.repository, ref.oid, ref.repository.git.type_of(ref.oid) or "commit"
    ),
    "associatedPullRequests": lambda c, ref, a: _pulls_of_ref(c, ref, a),
}


def _split_ref(name: str) -> tuple[str, str]:
    first, second, *rest = name.split("/")
    return f"{first}/{second}/", "/".join(rest)


def _pulls_of_ref(context: Context, ref: GitRef, arguments: dict[str, Any]) -> Connection:
    """Pull requests out of this branch, into whatever repository."""
    context.require("pull_requests")
    branch = ref.name.removeprefix("refs/heads/")
    everywhere = [
        pull for repository in context.world.repositories.values() for pull in repository.pulls.values()
    ]
    found = [p for p in everywhere if p.head_repository is ref.repository and p.head_ref == branch]
    return select_pulls(found, arguments, "associatedPullRequests")


def _actor(context: Context, who: Signature) -> GitActor:
    return GitActor(who.name, who.email, who.date)


def _authors(context: Context, node: GitObject, arguments: dict[str, Any]) -> Connection:
    """The author, then whoever `Co-authored-by` trailers name, each address once."""
    commit = node.commit
    found = {commit.author.email.lower(): _actor(context, commit.author)}
    for name, email in co_authors(commit.message):
        found.setdefault(email.lower(), GitActor(name, email, commit.author.date))
    return connect(list(found.values()), arguments, "authors")


def _parents(context: Context, node: GitObject, arguments: dict[str, Any]) -> Connection:
    parents = [GitObject(node.repository, oid, "commit") for oid in node.commit.parents]
    return connect(parents, arguments, "parents")


def _history(context: Context, node: GitObject, arguments: dict[str, Any]) -> Connection:
    total = int(node.repository.git.text("rev-list", "--count", node.oid))
    found = node.repository.git.history(node.oid, total)
    return connect([GitObject(node.repository, c.oid, "commit") for c in found], arguments, "history")


def _signature(context: Context, node: GitObject, arguments: dict[str, Any]) -> Signed | None:
    made_by_github = node.oid in node.repository.made_by_github
    return Signed(node.repository, node.commit) if made_by_github or node.commit.signature else None


def _pulls_of_commit(context: Context, node: GitObject, arguments: dict[str, Any]) -> Connection:
    context.require("pull_requests")
    found = pushes.pulls_with(node.repository, node.oid)
    return select_pulls(found, arguments, "associatedPullRequests")


def _suites(context: Context, node: GitObject, arguments: dict[str, Any]) -> Connection:
    context.require("checks")
    found = [s for s in node.repository.check_suites if s.head_sha == node.oid]
    wanted = arguments.get("filterBy") or {}
    if wanted.get("appId") is not None:
        found = [s for s in found if s.app.id == wanted["appId"]]
    if wanted.get("checkName") is not None:
        named = [run.suite for run in node.repository.check_runs if run.name == wanted["checkName"]]
        found = [s for s in found if s in named]
    return connect(found, arguments, "checkSuites")


def _url(node: GitObject) -> str:
    return f"/{node.repository.slug}/{node.kind}/{node.oid}"


GIT_OBJECT: dict[str, Field] = {
    "oid": lambda c, node, a: node.oid,
    "abbreviatedOid": lambda c, node, a: node.oid[:7],
    "repository": lambda c, node, a: node.repository,
    "commitUrl": lambda c, node, a: c.world.url + _url(node),
    "commitResourcePath": lambda c, node, a: _url(node),
    "id": lambda c, node, a: f"{node.kind[0].upper()}_{node.repository.id}_{node.oid}",
}
COMMIT: dict[str, Field] = {
    "url": lambda c, node, a: c.world.url + _url(node),
    "message": lambda c, node, a: node.commit.message.rstrip("\n"),
    "messageHeadline": lambda c, node, a: node.commit.message.partition("\n")[0],
    "messageBody": lambda c, node, a: node.commit.message.partition("\n")[2].strip(),
    "authoredDate": lambda c, node, a: node.commit.author.date,
    "committedDate": lambda c, node, a: node.commit.committer.date,
    "committedViaWeb": lambda c, node, a: node.commit.committer.email == WEB_FLOW_EMAIL,
    "author": lambda c, node, a: _actor(c, node.commit.author),
    "committer": lambda c, node, a: _actor(c, node.commit.committer),
    "authors": _authors,
    "parents": _parents,
    "history": _history,
    "tree": lambda c, node, a: GitObject(node.repository, node.commit.tree, "tree"),
    "signature": _signature,
    "associatedPullRequests": _pulls_of_commit,
    "checkSuites": _suites,
}
GIT_ACTOR: dict[str, Field] = {
    "name": lambda c, actor, a: actor.name,
    "email": lambda c, actor, a: actor.email,
    "date": lambda c, actor, a: actor.date,
    "user": lambda c, actor, a: account_of(c.world, actor.email),
}


def _verified(context: Context, signed: Signed) -> Any:
    return verify(context.world, signed.repository, signed.commit)


SIGNATURE: dict[str, Field] = {
    "email": lambda c, signed, a: signed.commit.committer.email,
    "isValid": lambda c, signed, a: _verified(c, signed).verified,
    "state": lambda c, signed, a: _verified(c, signed).reason.upper(),
    "signer": lambda c, signed, a: _verified(c, signed).signer,
    "wasSignedByGitHub": lambda c, signed, a: _verified(c, signed).by_github,
    "signature": lambda c, signed, a: _verified(c, signed).signature,
    "payload": lambda c, signed, a: signed.commit.payload.decode(errors="replace"),
    "verifiedAt": lambda c, signed, a: (
        signed.commit.committer.date if _verified(c, signed).verified else None
    ),
}


def _bytes(node: GitObject) -> bytes:
    return node.repository.git.read(node.oid)


def _text(context: Context, node: GitObject, arguments: dict[str, Any]) -> str | None:
    """None for binary files; cut where `isTruncated` says so."""
    content = _bytes(node)
    return None if b"\0" in content else content[:_LONGEST_TEXT].decode(errors="replace")


BLOB: dict[str, Field] = {
    "byteSize": lambda c, node, a: len(_bytes(node)),
    "isBinary": lambda c, node, a: b"\0" in _bytes(node),
    "isTruncated": lambda c, node, a: len(_bytes(node)) > _LONGEST_TEXT,
    "text": _text,
}


def _entries(context: Context, node: GitObject, arguments: dict[str, Any]) -> list[GitEntry]:
    return [
        GitEntry(node.repository, entry.mode, entry.type, entry.oid, entry.path, entry.size or 0)
        for entry in node.repository.git.tree(node.oid)
    ]


ENTRY: dict[str, Field] = {
    "name": lambda c, entry, a: entry.path,
    "path": lambda c, entry, a: entry.path,
    "mode": lambda c, entry, a: int(entry.mode, 8),
    "type": lambda c, entry, a: entry.kind,
    "oid": lambda c, entry, a: entry.oid,
    "size": lambda c, entry, a: entry.size,
    "object": lambda c, entry, a: (
        None if entry.kind == "commit" else GitObject(entry.repository, entry.oid, entry.kind)
    ),
}
FIELDS: dict[str, dict[str, Field]] = {
    "Repository": REPOSITORY,
    "Ref": REF,
    "Commit": GIT_OBJECT | COMMIT,
    "Blob": GIT_OBJECT | BLOB,
    "Tree": GIT_OBJECT | {"entries": _entries},
    "TreeEntry": ENTRY,
    "GitActor": GIT_ACTOR,
    "GpgSignature": SIGNATURE,
    "SshSignature": SIGNATURE,
}

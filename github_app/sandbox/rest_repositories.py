"""Operations on repositories: refs, commits, files, the git database, who pushed, and the rules in force."""

import base64
from typing import Any

from foureyes.github_app.sandbox import pushes, shapes
from foureyes.github_app.sandbox.answers import Refusal
from foureyes.github_app.sandbox.repositories import TreeEntry
from foureyes.github_app.sandbox.rest import Answer, Ask, Page, handles
from foureyes.github_app.sandbox.rulesets import rulesets_on
from foureyes.github_app.sandbox.shapes_pull import file_entry
from foureyes.github_app.sandbox.state import Activity, Json, Repository

_DAYS = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}


@handles("repos/get", "metadata:read")
def get_repository(ask: Ask) -> Json:
    viewer = ask.caller.credential.user if ask.caller.credential else None
    return shapes.full_repository(ask.world, ask.repository(), viewer)


@handles("repos/list-activities", "contents:read")
def list_activities(ask: Ask) -> Page:
    """Who moved which branch, newest first; only of this repository, never of its forks."""
    found = list(ask.repository().activity)
    if ref := ask.query.get("ref"):
        full = ref if ref.startswith("refs/") else f"refs/heads/{ref}"
        found = [a for a in found if a.ref == full]
    if actor := ask.query.get("actor"):
        found = [a for a in found if a.actor and a.actor.login.lower() == actor.lower()]
    if kind := ask.query.get("activity_type"):
        found = [a for a in found if a.activity_type == kind]
    if ask.query.get("direction", "desc") == "desc":
        found.reverse()

    def shape(a: Activity) -> Json:
        return {
            "id": a.id,
            "node_id": shapes.node_id("PSH", a.id),
            "before": a.before,
            "after": a.after,
            "ref": a.ref,
            "timestamp": a.timestamp,
            "activity_type": a.activity_type,
            "actor": shapes.maybe_account(ask.world, a.actor),
        }

    return Page(found, shape)


def commit_of(repository: Repository, ref: str) -> str:
    """A commit by branch, tag, full ref or id; 422 where there is none, as GitHub answers."""
    for expression in (f"refs/heads/{ref}", f"refs/tags/{ref}", f"refs/{ref}", ref):
        if found := repository.git.commit_id(expression):
            return found
    raise Refusal(422, f"No commit found for SHA: {ref}")


@handles("repos/list-branches", "contents:read")
def list_branches(ask: Ask) -> Page:
    repository = ask.repository()
    url = shapes.api(ask.world, f"/repos/{repository.slug}")
    names = repository.git.refs("refs/heads/")

    def shape(ref: str) -> Json:
        name = ref.removeprefix("refs/heads/")
        commit = {"sha": names[ref], "url": f"{url}/commits/{names[ref]}"}
        return {"name": name, "commit": commit, "protected": bool(rulesets_on(repository, name))}

    return Page(list(names), shape)


@handles("repos/get-branch", "contents:read")
def get_branch(ask: Ask) -> Json:
    repository, name = ask.repository(), ask.parameter("branch")
    oid = repository.git.branch(name)
    if oid is None:
        raise Refusal(404, "Branch not found")
    url = shapes.api(ask.world, f"/repos/{repository.slug}/branches/{name}")
    return {
        "name": name,
        "commit": shapes.commit(ask.world, repository, repository.git.commit(oid)),
        "_links": {"self": url, "html": f"{ask.world.url}/{repository.slug}/tree/{name}"},
        "protected": bool(rulesets_on(repository, name)),
        "protection": {"enabled": False},
        "protection_url": f"{url}/protection",
    }


@handles("repos/list-commits", "contents:read")
def list_commits(ask: Ask) -> Page:
    repository = ask.repository()
    tip = commit_of(repository, ask.query.get("sha") or repository.default_branch)
    oids = repository.git.text("rev-list", tip).split()
    return Page(oids, lambda oid: shapes.commit(ask.world, repository, repository.git.commit(oid)))


@handles("repos/get-commit", "contents:read")
def get_commit(ask: Ask) -> Json:
    repository = ask.repository()
    git = repository.git
    commit = git.commit(commit_of(repository, ask.parameter("ref")))
    parent = commit.parents[0] if commit.parents else git.empty_tree()
    changes = git.changes(parent, commit.oid)
    added, deleted = sum(c.additions for c in changes), sum(c.deletions for c in changes)
    return shapes.commit(ask.world, repository, commit) | {
        "stats": {"additions": added, "deletions": deleted, "total": added + deleted},
        "files": [file_entry(ask.world, repository, change, commit.oid) for change in changes[:300]],
    }


@handles("repos/compare-commits-with-basehead", "contents:read")
def compare(ask: Ask) -> Json:
    """Three dots: from the merge base to the head, at most 300 files and 250 commits."""
    repository = ask.repository()
    git = repository.git
    base_name, dots, head_name = ask.parameter("basehead").partition("...")
    if not dots:
        raise Refusal.not_found()
    base, head = commit_of(repository, base_name), commit_of(repository, head_name)
    fork_point = git.merge_base(base, head)
    if fork_point is None:
        raise Refusal(404, f"No common ancestor between {base_name} and {head_name}.")
    ahead, behind = git.commits_between(base, head), git.commits_between(head, base)
    states = {(True, True): "diverged", (True, False): "ahead", (False, True): "behind"}
    url = shapes.api(ask.world, f"/repos/{repository.slug}/compare/{base_name}...{head_name}")
    web = f"{ask.world.url}/{repository.slug}/compare/{base_name}...{head_name}"
    caps = ask.world.faults.caps
    files = git.changes(fork_point, head)[: caps["compare_files"]]
    return {
        "url": url,
        "html_url": web,
        "permalink_url": web,
        "diff_url": f"{web}.diff",
        "patch_url": f"{web}.patch",
        "base_commit": shapes.commit(ask.world, repository, git.commit(base)),
        "merge_base_commit": shapes.commit(ask.world, repository, git.commit(fork_point)),
        "status": states.get((bool(ahead), bool(behind)), "identical"),
        "ahead_by": len(ahead),
        "behind_by": len(behind),
        "total_commits": len(ahead),
        "commits": [shapes.commit(ask.world, repository, c) for c in ahead[: caps["pull_commits"]]],
        "files": [file_entry(ask.world, repository, change, head) for change in files],
    }


def _content(ask: Ask, repository: Repository, entry: TreeEntry, ref: str) -> Json:
    path = entry.path
    url = shapes.api(ask.world, f"/repos/{repository.slug}")
    self_url = f"{url}/contents/{path}?ref={ref}"
    folder = "trees" if entry.type == "tree" else "blobs"
    page = f"{ask.world.url}/{repository.slug}/blob/{ref}/{path}"
    kind = {"tree": "dir", "commit": "submodule"}.get(entry.type, "file")
    git_url = f"{url}/git/{folder}/{entry.oid}"
    return {
        "type": kind,
        "size": entry.size or 0,
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": entry.oid,
        "url": self_url,
        "git_url": git_url,
        "html_url": page,
        "download_url": f"{ask.world.url}/{repository.slug}/raw/{ref}/{path}" if kind == "file" else None,
        "_links": {"self": self_url, "git": git_url, "html": page},
    }


@handles("repos/get-content", "contents:read")
def get_content(ask: Ask) -> Any:
    repository, path = ask.repository(), ask.parameter("path")
    ref = ask.query.get("ref") or repository.default_branch
    try:
        commit = commit_of(repository, ref)
    except Refusal:
        raise Refusal(404, f"No commit found for the ref {ref}") from None
    entry = repository.git.entry(commit, path)
    if entry is None:
        raise Refusal.not_found()
    if entry.type == "tree":
        inside = repository.git.tree(entry.oid)
        full = [TreeEntry(e.mode, e.type, e.oid, f"{path.rstrip('/')}/{e.path}", e.size) for e in inside]
        return [_content(ask, repository, e, ref) for e in full]
    content = base64.encodebytes(repository.git.read(entry.oid)).decode()
    return _content(ask, repository, entry, ref) | {"encoding": "base64", "content": content}


@handles("git/get-ref", "contents:read")
def get_ref(ask: Ask) -> Json:
    repository, name = ask.repository(), f"refs/{ask.parameter('ref')}"
    oid = repository.git.refs(name).get(name)
    if oid is None:
        raise Refusal.not_found()
    return _ref(ask, repository, name, oid)


def _ref(ask: Ask, repository: Repository, name: str, oid: str) -> Json:
    url = shapes.api(ask.world, f"/repos/{repository.slug}/git")
    kind = repository.git.type_of(oid) or "commit"
    return {
        "ref": name,
        "node_id": f"REF_{repository.id}_{name}",
        "url": f"{url}/{name}",
        "object": {"type": kind, "sha": oid, "url": f"{url}/{kind}s/{oid}"},
    }


@handles("git/list-matching-refs", "contents:read")
def list_matching_refs(ask: Ask) -> list[Json]:
    """Every ref that starts so, custom ones and notes too."""
    repository, prefix = ask.repository(), f"refs/{ask.parameter('ref')}"
    found = repository.git.refs().items()
    return [_ref(ask, repository, name, oid) for name, oid in found if name.startswith(prefix)]


@handles("git/create-ref", "contents:write")
def create_ref(ask: Ask) -> Answer:
    repository, name, sha = ask.repository(), str(ask.body["ref"]), str(ask.body["sha"])
    if repository.git.resolve(sha) != sha or name.count("/") < 2 or not name.startswith("refs/"):
        raise Refusal(422, "Object does not exist")
    if name in repository.git.refs():
        raise Refusal(422, "Reference already exists")
    repository.git.update_ref(name, sha, "0" * 40)
    pushes.follow(ask.world, repository, ask.user, [pushes.RefChange(name, "0" * 40, sha)])
    return Answer(_ref(ask, repository, name, sha), 201)


@handles("git/delete-ref", "contents:write")
def delete_ref(ask: Ask) -> Answer:
    repository, name = ask.repository(), f"refs/{ask.parameter('ref')}"
    old = repository.git.refs().get(name)
    if old is None or name == f"refs/heads/{repository.default_branch}":
        raise Refusal(422, "Reference does not exist" if old is None else "Cannot delete the default branch")
    repository.git.delete_ref(name)
    pushes.follow(ask.world, repository, ask.user, [pushes.RefChange(name, old, "0" * 40)])
    return Answer(status=204)


@handles("git/get-commit", "contents:read")
def get_git_commit(ask: Ask) -> Json:
    repository, sha = ask.repository(), ask.parameter("commit_sha")
    if repository.git.commit_id(sha) != sha:
        raise Refusal.not_found()
    return shapes.git_commit(ask.world, repository, repository.git.commit(sha))


@handles("git/get-tree", "contents:read")
def get_tree(ask: Ask) -> Json:
    repository = ask.repository()
    oid = repository.git.resolve(ask.parameter("tree_sha") + "^{tree}")
    if oid is None:
        raise Refusal.not_found()
    url = shapes.api(ask.world, f"/repos/{repository.slug}/git")
    entries = []
    for e in repository.git.tree(oid, recursive=bool(ask.query.get("recursive"))):
        entry: Json = {"path": e.path, "mode": e.mode, "type": e.type, "sha": e.oid}
        if e.type != "commit":
            entry["url"] = f"{url}/{e.type}s/{e.oid}"
        entries.append(entry if e.size is None else entry | {"size": e.size})
    return {"sha": oid, "url": f"{url}/trees/{oid}", "tree": entries, "truncated": False}


@handles("git/get-blob", "contents:read")
def get_blob(ask: Ask) -> Json:
    repository, sha = ask.repository(), ask.parameter("file_sha")
    if repository.git.resolve(sha) != sha or repository.git.type_of(sha) != "blob":
        raise Refusal.not_found()
    content = repository.git.read(sha)
    return {
        "sha": sha,
        "node_id": f"B_{repository.id}_{sha}",
        "size": len(content),
        "url": shapes.api(ask.world, f"/repos/{repository.slug}/git/blobs/{sha}"),
        "content": base64.encodebytes(content).decode(),
        "encoding": "base64",
    }

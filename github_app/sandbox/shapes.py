"""Accounts, repositories and commits as GitHub's REST answers and webhooks show them, built from state and git."""

from foureyes.github_app.sandbox.access import account_of, at_least
from foureyes.github_app.sandbox.repositories import Commit, Signature
from foureyes.github_app.sandbox.state import (
    App,
    Installation,
    Json,
    Organization,
    Repository,
    Team,
    User,
    World,
)
from foureyes.github_app.sandbox.verification import verify

_USER_LINKS = (
    "followers",
    "following{/other_user}",
    "gists{/gist_id}",
    "starred{/owner}{/repo}",
    "subscriptions",
    "orgs",
    "repos",
    "events{/privacy}",
    "received_events",
)
_USER_LINK_NAMES = {"orgs": "organizations_url"}
_REPOSITORY_LINKS = {
    "archive": "{archive_format}{/ref}",
    "assignees": "assignees{/user}",
    "blobs": "git/blobs{/sha}",
    "branches": "branches{/branch}",
    "collaborators": "collaborators{/collaborator}",
    "comments": "comments{/number}",
    "commits": "commits{/sha}",
    "compare": "compare/{base}...{head}",
    "contents": "contents/{+path}",
    "contributors": "contributors",
    "deployments": "deployments",
    "downloads": "downloads",
    "events": "events",
    "forks": "forks",
    "git_commits": "git/commits{/sha}",
    "git_refs": "git/refs{/sha}",
    "git_tags": "git/tags{/sha}",
    "hooks": "hooks",
    "issue_comment": "issues/comments{/number}",
    "issue_events": "issues/events{/number}",
    "issues": "issues{/number}",
    "keys": "keys{/key_id}",
    "labels": "labels{/name}",
    "languages": "languages",
    "merges": "merges",
    "milestones": "milestones{/number}",
    "notifications": "notifications{?since,all,participating}",
    "pulls": "pulls{/number}",
    "releases": "releases{/id}",
    "stargazers": "stargazers",
    "statuses": "statuses/{sha}",
    "subscribers": "subscribers",
    "subscription": "subscription",
    "tags": "tags",
    "teams": "teams",
    "trees": "git/trees{/sha}",
}


GHOST = 10137


def node_id(prefix: str, number: int) -> str:
    return f"{prefix}_{number}"


def api(world: World, path: str = "") -> str:
    return f"{world.url}/api/v3{path}"


def account(world: World, owner: User | Organization) -> Json:
    """`simple-user`: people, bots and organisations alike."""
    kind = owner.type if isinstance(owner, User) else "Organization"
    url = api(world, f"/users/{owner.login}")
    shape: Json = {
        "login": owner.login,
        "id": owner.id,
        "node_id": node_id(kind[0], owner.id),
        "avatar_url": f"{world.url}/avatars/{owner.id}",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{world.url}/{owner.login}",
        "type": kind,
        "site_admin": False,
        "user_view_type": "public",
    }
    for link in _USER_LINKS:
        name = link.partition("{")[0]
        shape[_USER_LINK_NAMES.get(name, f"{name}_url")] = f"{url}/{link}"
    return shape


def maybe_account(world: World, user: User | None) -> Json | None:
    return None if user is None else account(world, user)


def account_or_ghost(world: World, user: User | None) -> Json:
    """REST shows @ghost where the account is deleted, GraphQL null."""
    return account(world, user or world.users[GHOST])


def public_user(world: World, user: User | Organization) -> Json:
    return account(world, user) | {
        "name": (user.name or None) if isinstance(user, User) else user.login,
        "company": None,
        "blog": "",
        "location": None,
        "email": None,
        "hireable": None,
        "bio": None,
        "public_repos": sum(r.owner is user for r in world.repositories.values()),
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": user.created_at,
        "updated_at": user.created_at,
    }


def organization(world: World, org: Organization) -> Json:
    """`organization-simple`."""
    url = api(world, f"/orgs/{org.login}")
    return {
        "login": org.login,
        "id": org.id,
        "node_id": node_id("O", org.id),
        "url": url,
        "repos_url": f"{url}/repos",
        "events_url": f"{url}/events",
        "hooks_url": f"{url}/hooks",
        "issues_url": f"{url}/issues",
        "members_url": f"{url}/members{{/member}}",
        "public_members_url": f"{url}/public_members{{/member}}",
        "avatar_url": f"{world.url}/avatars/{org.id}",
        "description": None,
    }


def minimal_repository(world: World, repository: Repository) -> Json:
    url = api(world, f"/repos/{repository.slug}")
    links = {f"{name}_url": f"{url}/{tail}" for name, tail in _REPOSITORY_LINKS.items()}
    return links | {
        "id": repository.id,
        "node_id": node_id("R", repository.id),
        "name": repository.name,
        "full_name": repository.slug,
        "owner": account(world, repository.owner),
        "private": repository.private,
        "html_url": f"{world.url}/{repository.slug}",
        "description": None,
        "fork": repository.parent is not None,
        "url": url,
    }


def repository(world: World, repository: Repository, viewer: User | None = None) -> Json:
    open_pulls = sum(p.is_open for p in repository.pulls.values())
    web = f"{world.url}/{repository.slug}"
    shape = minimal_repository(world, repository) | {
        "git_url": f"{web}.git",
        "ssh_url": f"{web}.git",
        "clone_url": f"{web}.git",
        "svn_url": web,
        "mirror_url": None,
        "homepage": None,
        "language": None,
        "license": None,
        "forks": 0,
        "forks_count": 0,
        "stargazers_count": 0,
        "watchers_count": 0,
        "watchers": 0,
        "size": 0,
        "default_branch": repository.default_branch,
        "open_issues_count": open_pulls,
        "open_issues": open_pulls,
        "is_template": False,
        "topics": [],
        "has_issues": True,
        "has_projects": False,
        "has_wiki": False,
        "has_pages": False,
        "has_downloads": False,
        "has_discussions": False,
        "archived": False,
        "disabled": False,
        "visibility": "private" if repository.private else "public",
        "allow_forking": True,
        "web_commit_signoff_required": False,
        "custom_properties": {},
        "pushed_at": repository.pushed_at,
        "created_at": repository.created_at,
        "updated_at": repository.pushed_at,
    }
    if viewer is not None:
        shape["permissions"] = {
            "admin": at_least(repository, viewer, "admin"),
            "maintain": at_least(repository, viewer, "maintain"),
            "push": at_least(repository, viewer, "write"),
            "triage": at_least(repository, viewer, "triage"),
            "pull": at_least(repository, viewer, "read"),
        }
    return shape


def full_repository(world: World, of: Repository, viewer: User | None = None) -> Json:
    forks = sum(r.parent is of for r in world.repositories.values())
    shape = repository(world, of, viewer)
    if of.parent is not None:
        shape |= {"parent": repository(world, of.parent), "source": repository(world, of.parent)}
    if isinstance(of.owner, Organization):
        shape["organization"] = account(world, of.owner)
    if viewer is not None and at_least(of, viewer, "write"):
        allowed = {"merge": "merge_commit", "squash": "squash_merge", "rebase": "rebase_merge"}
        shape |= {f"allow_{key}": how in of.merge_methods for how, key in allowed.items()}
    return shape | {"subscribers_count": 0, "network_count": forks, "forks": forks, "forks_count": forks}


def team(world: World, of: Team) -> Json:
    org = of.organization
    url = api(world, f"/organizations/{org.id}/team/{of.id}")
    return {
        "id": of.id,
        "node_id": node_id("T", of.id),
        "name": of.slug,
        "slug": of.slug,
        "description": None,
        "permission": "pull",
        "privacy": "closed",
        "notification_setting": "notifications_enabled",
        "url": url,
        "html_url": f"{world.url}/orgs/{org.login}/teams/{of.slug}",
        "members_url": f"{url}/members{{/member}}",
        "repositories_url": f"{url}/repos",
        "type": "organization",
        "organization_id": org.id,
        "parent": None,
    }


def full_team(world: World, of: Team) -> Json:
    org = of.organization
    return team(world, of) | {
        "members_count": len(of.members),
        "repos_count": len(of.roles),
        "created_at": org.created_at,
        "updated_at": org.created_at,
        "organization": organization(world, org)
        | {
            "html_url": f"{world.url}/{org.login}",
            "has_organization_projects": False,
            "has_repository_projects": False,
            "public_repos": 0,
            "public_gists": 0,
            "followers": 0,
            "following": 0,
            "type": "Organization",
            "created_at": org.created_at,
            "updated_at": org.created_at,
            "archived_at": None,
        },
    }


def integration(world: World, app: App) -> Json:
    return {
        "id": app.id,
        "slug": app.slug,
        "node_id": node_id("A", app.id),
        "client_id": f"Iv1.sandbox{app.id}",
        "owner": account(world, app.owner),
        "name": app.name,
        "description": None,
        "external_url": f"{world.url}/apps/{app.slug}",
        "html_url": f"{world.url}/apps/{app.slug}",
        "created_at": app.created_at,
        "updated_at": app.created_at,
        "permissions": app.permissions,
        "events": list(app.events),
    }


def installation(world: World, of: Installation) -> Json:
    return {
        "id": of.id,
        "account": account(world, of.account),
        "repository_selection": "all" if of.repositories is None else "selected",
        "access_tokens_url": api(world, f"/app/installations/{of.id}/access_tokens"),
        "repositories_url": api(world, "/installation/repositories"),
        "html_url": f"{world.url}/organizations/{of.account.login}/settings/installations/{of.id}",
        "app_id": of.app.id,
        "app_slug": of.app.slug,
        "target_id": of.account.id,
        "target_type": "Organization",
        "permissions": of.permissions,
        "events": list(of.events),
        "created_at": of.created_at,
        "updated_at": of.created_at,
        "single_file_name": None,
        "suspended_by": None,
        "suspended_at": of.suspended_at,
    }


def _git_user(who: Signature) -> Json:
    return {"name": who.name, "email": who.email, "date": who.date}


def _tree_link(url: str, commit: Commit) -> Json:
    return {"sha": commit.tree, "url": f"{url}/git/trees/{commit.tree}"}


def git_commit(world: World, repository: Repository, commit: Commit) -> Json:
    """`git-commit`, of the git database API."""
    url = api(world, f"/repos/{repository.slug}")
    web = f"{world.url}/{repository.slug}/commit"
    return {
        "sha": commit.oid,
        "node_id": f"C_{repository.id}_{commit.oid}",
        "url": f"{url}/git/commits/{commit.oid}",
        "html_url": f"{web}/{commit.oid}",
        "author": _git_user(commit.author),
        "committer": _git_user(commit.committer),
        "message": commit.message.rstrip("\n"),
        "tree": _tree_link(url, commit),
        "parents": [
            {"sha": p, "url": f"{url}/git/commits/{p}", "html_url": f"{web}/{p}"} for p in commit.parents
        ],
        "verification": verification(world, repository, commit),
    }


def verification(world: World, repository: Repository, commit: Commit) -> Json:
    verdict = verify(world, repository, commit)
    return {
        "verified": verdict.verified,
        "reason": verdict.reason,
        "signature": verdict.signature or None,
        "payload": commit.payload.decode(errors="replace") if verdict.signature else None,
        "verified_at": commit.committer.date if verdict.verified else None,
    }


def commit(world: World, repository: Repository, of: Commit) -> Json:
    """`commit`, of the repository API, without files."""
    url = api(world, f"/repos/{repository.slug}")
    web = f"{world.url}/{repository.slug}/commit"
    return {
        "sha": of.oid,
        "node_id": f"C_{repository.id}_{of.oid}",
        "url": f"{url}/commits/{of.oid}",
        "html_url": f"{web}/{of.oid}",
        "comments_url": f"{url}/commits/{of.oid}/comments",
        "commit": {
            "url": f"{url}/git/commits/{of.oid}",
            "author": _git_user(of.author),
            "committer": _git_user(of.committer),
            "message": of.message.rstrip("\n"),
            "tree": _tree_link(url, of),
            "comment_count": 0,
            "verification": verification(world, repository, of),
        },
        "author": maybe_account(world, account_of(world, of.author.email)),
        "committer": maybe_account(world, account_of(world, of.committer.email)),
        "parents": [{"sha": p, "url": f"{url}/commits/{p}", "html_url": f"{web}/{p}"} for p in of.parents],
    }


def simple_commit(of: Commit) -> Json:
    return {
        "id": of.oid,
        "tree_id": of.tree,
        "message": of.message.rstrip("\n"),
        "timestamp": of.committer.date,
        "author": {"name": of.author.name, "email": of.author.email},
        "committer": {"name": of.committer.name, "email": of.committer.email},
    }

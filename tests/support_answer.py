"""A whole answer to the one query about a pull request, as GitHub gives it, and the pages that lists are cut into."""

from typing import Any

HEAD, BASE = "a" * 40, "b" * 40
OLGA = {"__typename": "User", "login": "olga", "databaseId": 1}
RITA = {"__typename": "User", "login": "rita", "databaseId": 2}
BOT = {"__typename": "Bot", "login": "copilot", "databaseId": 198982749}


def page(*nodes: Any, total: int | None = None, count: str = "totalCount", **info: Any) -> dict[str, Any]:
    return {
        count: len(nodes) if total is None else total,
        "pageInfo": {"hasNextPage": False, "endCursor": None, **info},
        "nodes": list(nodes),
    }


def commit(oid: str = HEAD) -> dict[str, Any]:
    actor = {"name": "Olga", "email": "olga@acme.example", "user": OLGA}
    signature = {"isValid": True, "wasSignedByGitHub": False, "signer": OLGA}
    authors = {"totalCount": 1, "nodes": [actor]}
    return {
        "commit": {
            "oid": oid,
            "author": actor,
            "committer": actor,
            "authors": authors,
            "signature": signature,
        }
    }


def review(number: int = 9, state: str = "APPROVED", author: Any = RITA) -> dict[str, Any]:
    return {
        "fullDatabaseId": str(number), "state": state, "submittedAt": "2026-01-01T00:00:00Z",
        "authorCanPushToRepository": True, "author": author, "commit": {"oid": HEAD},
    }  # fmt: skip


def answer() -> dict[str, Any]:
    return {
        "repository": {
            "databaseId": 5, "name": "shop", "owner": {"login": "acme", "databaseId": 9},
            "defaultBranchRef": {"name": "main", "target": {"oid": BASE}},
            "policy": {"__typename": "Blob", "oid": "c" * 40, "byteSize": 3, "isBinary": False, "isTruncated": False,
                       "text": "version: 1"},
            "pullRequest": {
                "number": 7, "state": "OPEN", "isDraft": False, "isCrossRepository": False,
                "createdAt": "2026-01-01T00:00:00Z", "author": OLGA, "baseRefName": "main", "baseRefOid": "0" * 40,
                "baseRef": {"target": {"oid": BASE}}, "headRefName": "feat", "headRefOid": HEAD,
                "headRef": {"associatedPullRequests": {"totalCount": 1, "nodes": [
                    {"number": 7, "state": "OPEN", "headRefOid": HEAD, "baseRefName": "main"}]}},
                "headRepository": {"databaseId": 5, "nameWithOwner": "acme/shop"}, "potentialMergeCommit": None,
                "assignees": {"totalCount": 0, "nodes": []},
                "reviewRequests": {"totalCount": 0, "nodes": []},
                "commits": page(commit()), "reviews": page(review()),
                "timelineItems": page(count="filteredCount"),
            },
            "head": {"__typename": "Commit", "oid": HEAD,
                     "associatedPullRequests": {"totalCount": 1, "nodes": [
                         {"number": 8, "state": "OPEN", "headRefOid": HEAD, "baseRefName": "release/1"}]},
                     "checkSuites": {"totalCount": 1, "nodes": [{"app": {"databaseId": 42}, "checkRuns": {
                         "totalCount": 1, "nodes": [{"databaseId": 77, "name": "foureyes", "status": "COMPLETED",
                                                     "conclusion": "SUCCESS", "externalId": "x", "startedAt": None}]}}]}},
        },
        "rateLimit": {"cost": 1, "remaining": 4999, "resetAt": "2026-01-01T00:00:00Z"},
    }  # fmt: skip

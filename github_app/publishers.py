"""Which Apps published a check of our name in a repository lately: one of them should be ours."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from foureyes.github_app.client import InstallationClient
from foureyes.github_app.publish import NAME
from foureyes.github_app.pull_query import understood

RECENT = 10
"""Pull requests whose heads are asked."""

_ACTIONS = "github-actions"


@dataclass(frozen=True)
class Publisher:
    """`name` is the App's slug, as its address on GitHub has it; `permissions`: what it is registered with."""

    id: int
    name: str
    permissions: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_workflow(self) -> bool:
        """Any job of this name publishes under GitHub's own App: whoever may push can write one."""
        return self.name == _ACTIONS


def publishers(client: InstallationClient, slug: str) -> tuple[Publisher, ...]:
    """By number. Raises GitHubError."""
    asked = {"state": "all", "sort": "updated", "direction": "desc", "per_page": str(RECENT)}
    pulls = client.get(f"/repos/{slug}/pulls", asked)
    found: dict[int, Publisher] = {}
    for head in dict.fromkeys(understood(lambda: [str(pull["head"]["sha"]) for pull in pulls])):
        checks = {"check_name": NAME, "filter": "latest"}
        data = client.get(f"/repos/{slug}/commits/{head}/check-runs", checks)
        found |= understood(partial(_apps, data))
    return tuple(found[number] for number in sorted(found))


def _apps(data: Any) -> dict[int, Publisher]:
    # of an App that was deleted nothing is left in its checks
    apps = [run["app"] for run in data["check_runs"] if run["app"] is not None]
    return {
        int(app["id"]): Publisher(
            int(app["id"]), str(app.get("slug") or app["name"]), dict(app["permissions"])
        )
        for app in apps
    }

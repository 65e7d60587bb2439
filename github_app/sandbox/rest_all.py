"""REST with every operation that the sandbox answers: importing their modules registers them."""

from foureyes.github_app.sandbox import (
    rest_apps,
    rest_checks,
    rest_issues,
    rest_people,
    rest_pulls,
    rest_repositories,
    rest_rulesets,
    rest_statuses,
)
from foureyes.github_app.sandbox.rest import respond

MODULES = (
    rest_apps,
    rest_checks,
    rest_issues,
    rest_people,
    rest_pulls,
    rest_repositories,
    rest_rulesets,
    rest_statuses,
)

__all__ = ["MODULES", "respond"]

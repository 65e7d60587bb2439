"""What a policy asks of the App beyond its minimal permissions, and whether the App could have it at all."""

from collections.abc import Iterator, Mapping

from foureyes.github_app import alert_issues, review_requests
from foureyes.shared.finding import Finding, State
from foureyes.shared.policy import Policy

Asks = Mapping[str, str]
"""Key of the policy -> permission that it needs `write` of."""


def optional_permissions(policy: Policy) -> Asks:
    wanted = {
        "request_reviewers": (policy.request_reviewers, review_requests.PERMISSION),
        "alert_issues": (policy.alert_issues, alert_issues.PERMISSION),
    }
    return {key: permission for key, (asked, permission) in wanted.items() if asked}


def permission_findings(asks: Asks, granted: Mapping[str, str] | None) -> Iterator[Finding]:
    """`granted`: what the App is registered with; None: it published nothing here from which that could be told."""
    for key, permission in asks.items():
        if granted is None:
            what = f"`{key}` needs the App's permission `{permission}: write`; no check of the App tells if it has it"
            yield Finding(key, State.UNKNOWN, what)
        elif granted.get(permission) in ("write", "admin"):
            what = (
                f"the App asks for `{permission}: write`; it works where the installation has accepted that"
            )
            yield Finding(key, State.GOOD, what)
        else:
            what = f"`{key}` is off: the App does not have `{permission}: write`"
            mend = f"add `{permission}: write` in the App's settings on GitHub, then accept it in each organisation"
            yield Finding(key, State.PROBLEM, what, mend)

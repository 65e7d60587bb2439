"""Whether single commits can land where the policy judges only what they come to (`squash_only`)."""

from collections.abc import Iterable

from foureyes.github_app.answer_values import flag
from foureyes.github_app.branch_rules import BranchRules
from foureyes.github_app.client import InstallationClient
from foureyes.github_app.pull_query import understood
from foureyes.shared.finding import Finding, State
from foureyes.shared.markup import both
from foureyes.shared.policy import Policy

SUBJECT = "squash"
_OTHERS = {"allow_merge_commit": "merge commits", "allow_rebase_merge": "rebases"}


def squash_findings(
    client: InstallationClient, slug: str, policy: Policy | None, branches: Iterable[BranchRules], gh: str
) -> tuple[Finding, ...]:
    """`gh` as the mend starts. Raises GitHubError."""
    if policy is None or not policy.squash_only:
        return ()
    good = Finding(SUBJECT, State.GOOD, "only squashes land, as `squash_only` in the policy says")
    if all(rules.squashes for rules in branches):
        return (good,)
    data = client.get(f"/repos/{slug}")
    told = understood(lambda: {name: data.get(name) for name in _OTHERS})
    if None in told.values():
        return (
            Finding(SUBJECT, State.UNKNOWN, "this token may not see which ways of merging GitHub allows"),
        )
    allowed = understood(lambda: [words for name, words in _OTHERS.items() if flag(told[name])])
    if not allowed:
        return (good,)
    what = (
        f"the policy says `squash_only`, so that a commit which a later one undoes is not judged; GitHub allows "
        f"{both(allowed)} too, with which it lands"
    )
    off = " ".join(f"-F {name}=false" for name in _OTHERS)
    return (Finding(SUBJECT, State.PROBLEM, what, f"{gh} -X PATCH repos/{slug} {off}"),)

"""Owners: which touched systems lack one among those who approved, and who could still be it.

An owner is an account, not a person: else who may write aliases could make owners of a floor's systems.
"""

from collections.abc import Iterator

from foureyes.shared.case import Case, known
from foureyes.shared.people import Account
from foureyes.shared.protection import Hit


def missing(case: Case) -> tuple[Hit, ...]:
    """Hits whose tier asks for an owner when no account that approved is one."""
    approved = {account.id for account in (*case.approvals.counted, *case.approvals.also)}
    return tuple(
        hit
        for hit in case.protection.hits
        if case.policy.tiers[hit.tier].owner
        and not hit.implicit
        and not any(account.id in approved for account in _named(case, hit))
    )


def able(case: Case, hit: Hit) -> tuple[Account, ...]:
    """Owners who could still approve and count, also with a second account of somebody who counts already, or to lift
    what they asked for.
    """
    people = case.people
    out = {people.same(tied.account) for tied in case.excluded}
    found = {
        account.id: account
        for account in _named(case, hit)
        if account.id in people.rostered
        and account.id not in people.machines
        and people.same(account) not in out
    }
    return tuple(sorted(found.values(), key=lambda account: (account.login.casefold(), account.id)))


def _named(case: Case, hit: Hit) -> Iterator[Account]:
    members = known(case.facts.roster).members
    return (account for name in hit.owners for account in members.get(name, ()))

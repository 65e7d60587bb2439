"""The organisation's floor: a policy that holds in all of its repositories, below which none of them can go.

`combine` makes one policy of the two that is never easier to satisfy than the floor alone: protected paths and gated
branches are the union, roster and exemptions the intersection, counts the larger, `stale` the stricter.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from foureyes.shared.facts import Fact, Known, Unknown
from foureyes.shared.policy import Floor, Mode, Policy, Stale, System, Tier
from foureyes.shared.policy_text import PolicyError, read_policy

_MODES: tuple[Mode, ...] = ("observe", "enforce", "forbid")
_STALE: tuple[Stale, ...] = ("protected", "change", "head")


@lru_cache(maxsize=64)
def parse_floor(text: str) -> Policy:
    """The policy language, without `!` patterns, which would leave a gap in it. Raises PolicyError."""
    return read_policy(text, floor=True).policy


def ruling(floor: Fact[str], policy: Policy) -> Fact[Policy]:
    """The policy that a change is judged by. `floor` is the text of the organisation's file, "" where it has none."""
    if isinstance(floor, Unknown):
        return floor
    if not floor.value:
        return Known(policy)
    try:
        return Known(combine(parse_floor(floor.value), policy))
    except PolicyError as error:
        problem = error.problems[0]
        return Unknown(f"line {problem.line}, column {problem.column}: {problem.message}")


def combine(floor: Policy, policy: Policy) -> Policy:
    changes: dict[str, Any] = {
        "mode": max(floor.mode, policy.mode, key=_MODES.index),
        # the floor's come last, so that no `!` pattern of the repository takes one out
        "branches": (*policy.branches, *floor.branches),
        "machine_users": tuple(dict.fromkeys((*policy.machine_users, *floor.machine_users))),
        "aliases": _aliases(floor, policy),
        "squash_only": floor.squash_only and policy.squash_only,
        "trust_software_keys": floor.trust_software_keys and policy.trust_software_keys,
        "request_reviewers": floor.request_reviewers or policy.request_reviewers,
        "alert_issues": floor.alert_issues or policy.alert_issues,
        "systems": dict(_systems(floor, policy)),
        "tiers": {number: _stricter(tier, policy.tiers[number]) for number, tier in floor.tiers.items()},
        "floor": Floor(roster=floor.roster, automation=floor.automation),
    }
    return policy.model_copy(update=changes)


def _aliases(floor: Policy, policy: Policy) -> dict[str, tuple[str, ...]]:
    merged = dict(policy.aliases)
    for login, others in floor.aliases.items():
        merged[login] = tuple(dict.fromkeys((*merged.get(login, ()), *others)))
    return merged


def _systems(floor: Policy, policy: Policy) -> Iterator[tuple[str, System]]:
    yield from ((name, _owned(system, policy)) for name, system in policy.systems.items())
    for name, system in floor.systems.items():
        # no name of a file can hold a space
        yield f"{name} of the organisation", _owned(system, floor)


def _owned(system: System, by: Policy) -> System:
    """Where the other file asks for an owner on this tier and this one names none, its whole roster are owners."""
    return system if system.owners else system.model_copy(update={"owners": by.roster})


def _stricter(one: Tier, other: Tier) -> Tier:
    return Tier(
        ai=max(one.ai, other.ai),
        unattested=max(one.unattested, other.unattested),
        human=max(one.human, other.human),
        owner=one.owner or other.owner,
        stale=max(one.stale, other.stale, key=_STALE.index),
    )

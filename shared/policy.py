"""The policy language as values. `policy_text` reads the file into these; docs/policy.md is their reference.

The JSON Schema for editors is made from these same types (`json_schema`).
"""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Mode = Literal["observe", "enforce", "forbid"]
Stale = Literal["change", "protected", "head"]
TrailerStyle = Literal["assisted-by", "co-authored-by", "generated-by", "none"]
Count = Annotated[int, Field(ge=0, le=20)]
TierNumber = Annotated[int, Field(ge=0, le=3)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Tier(_Part):
    """How many humans a change to a system of this tier waits for, by the class of the change."""

    ai: Count
    unattested: Count
    human: Count
    owner: bool = False
    """One of the humans must be an owner of the system."""
    stale: Stale = "change"
    """What an approval stands on: the whole change, its protected part, or the exact commit."""


class System(_Part):
    """A named set of paths. `paths` are gitignore patterns, the last that matches decides."""

    paths: tuple[str, ...]
    tier: TierNumber = 1
    owners: tuple[str, ...] = ()


class Automation(_Part):
    """An App whose own, GitHub-verified commits need fewer approvals on these paths, until a date."""

    app: int
    paths: tuple[str, ...]
    approvals: Annotated[int, Field(ge=1, le=20)] = 1
    owner: str
    until: date


DEFAULT_TIERS: dict[int, Tier] = {
    0: Tier(ai=2, unattested=2, human=1, owner=True, stale="change"),
    1: Tier(ai=2, unattested=2, human=1, stale="change"),
    2: Tier(ai=1, unattested=1, human=0, stale="protected"),
    3: Tier(ai=0, unattested=0, human=0, stale="protected"),
}


class Policy(_Part):
    """What a policy file says, every default filled in. The short form's `protected` list is the system
    `protected` of tier 1.
    """

    version: Literal[1]
    mode: Mode = "enforce"
    branches: tuple[str, ...] = ()
    """Patterns of gated branches; empty: the default branch."""
    roster: tuple[str, ...]
    """`@org/team` or `@login`."""
    machine_users: tuple[str, ...] = ()
    aliases: dict[str, tuple[str, ...]] = {}
    """Login -> other logins of the same person."""
    systems: dict[str, System]
    tiers: dict[int, Tier] = DEFAULT_TIERS
    automation: dict[str, Automation] = {}
    squash_only: bool = False
    """Single commits of a range are never deployable, so only the net change is judged."""
    trust_software_keys: bool = False
    """A `human` record counts without a touch of a hardware key."""
    trailers: TrailerStyle = "assisted-by"


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the policy file, for editors."""
    raise NotImplementedError

"""The policy language as values. `policy_text` reads the file into these; docs/policy.md is their reference.

`Policy` is what rules ask: every default filled in. `PolicyFile` is the file as it may be written; the JSON Schema
for editors is made from it.
"""

from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from foureyes.shared.policy_fields import (
    AppId,
    Approvals,
    BranchPattern,
    Count,
    FileTierNumber,
    Handle,
    Login,
    Mode,
    PathPattern,
    Stale,
    SystemName,
    TierNumber,
    TrailerStyle,
    Version,
)

__all__ = [
    "DEFAULT_TIERS",
    "SHORT_FORM_SYSTEM",
    "Automation",
    "FileTier",
    "Floor",
    "Mode",
    "Policy",
    "PolicyFile",
    "Stale",
    "System",
    "Tier",
    "TrailerStyle",
    "json_schema",
]

SHORT_FORM_SYSTEM = "protected"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


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
    """A named set of paths."""

    paths: tuple[PathPattern, ...]
    """Gitignore patterns; the last that matches decides."""
    tier: TierNumber = 1
    """0 is the strictest, 3 is the one where nobody waits."""
    owners: tuple[Handle, ...] = ()
    """`@org/team` or `@login`."""


class Automation(_Part):
    """An App whose own, GitHub-verified commits need fewer approvals on these paths, until a date."""

    app: AppId
    """The App's numeric id."""
    paths: tuple[PathPattern, ...]
    """Every path of the change must be one of these."""
    approvals: Approvals = 1
    owner: Handle
    """Who answers for the exemption."""
    until: date
    """The last day of the exemption."""


DEFAULT_TIERS: dict[int, Tier] = {
    0: Tier(ai=2, unattested=2, human=1, owner=True, stale="change"),
    1: Tier(ai=2, unattested=2, human=1, stale="change"),
    2: Tier(ai=1, unattested=1, human=0, stale="protected"),
    3: Tier(ai=0, unattested=0, human=0, stale="protected"),
}


class _Settings(_Part):
    """What the file and the policy share."""

    version: Version
    mode: Mode = "enforce"
    """`observe` publishes a neutral check, `forbid` refuses agent-written changes."""
    branches: tuple[BranchPattern, ...] = ()
    """Patterns of gated branches; none: the default branch."""
    roster: tuple[Handle, ...]
    """Who may approve: `@org/team` or `@login`."""
    machine_users: tuple[Login, ...] = ()
    """Accounts of type User that no person works with: they never approve."""
    aliases: dict[Login, tuple[Login, ...]] = {}
    """Login -> other logins of the same person."""
    automation: dict[SystemName, Automation] = {}
    """Name -> an App whose own changes to some paths need fewer approvals, until a date."""
    squash_only: bool = False
    """Single commits of a range are never deployable, so only the net change is judged."""
    trust_software_keys: bool = False
    """A `human` record counts without a touch of a hardware key."""
    request_reviewers: bool = False
    """Ask as many people for a review as are missing, the least loaded first."""
    alert_issues: bool = False
    """Open an issue for each alert."""
    trailers: TrailerStyle = "assisted-by"
    """How the hooks name the agent in a commit message."""


class Floor(_Part):
    """What an organisation's floor allows at most: nobody else approves, nothing else is exempt."""

    roster: tuple[Handle, ...]
    automation: dict[SystemName, Automation]


class Policy(_Settings):
    """What a policy file says, every default filled in. The short form's `protected` list is the system `protected`
    of tier 1.
    """

    systems: dict[SystemName, System]
    tiers: dict[TierNumber, Tier] = DEFAULT_TIERS
    floor: Floor | None = None
    """Set where the policy was combined with the organisation's; no file says it."""


def _without_defaults(schema: dict[str, Any]) -> None:
    for part in schema["properties"].values():
        part.pop("default", None)


class FileTier(_Part):
    """What the file changes of a tier. What it does not name keeps its default."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)

    ai: Count = 0
    """Humans that an agent-written change waits for."""
    unattested: Count = 0
    """Humans that a change without a valid record waits for."""
    human: Count = 0
    """Humans that a change waits for whose signed records say that no agent took part."""
    owner: bool = False
    """One of them must be an owner of the system."""
    stale: Stale = "change"
    """What an approval stands on: the whole change, its protected part, or the exact commit."""

    def over(self, default: Tier) -> Tier:
        return default.model_copy(update=self.model_dump(include=self.model_fields_set))


class PolicyFile(_Settings):
    """.github/foureyes.yml"""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["protected"]}, {"required": ["systems"]}]},
    )

    protected: tuple[PathPattern, ...] = ()
    """Short form: the paths of one system of tier 1."""
    systems: dict[SystemName, System] = {}
    """Name -> a set of paths with a tier and owners."""
    tiers: Annotated[
        dict[FileTierNumber, FileTier],
        Field(json_schema_extra={"propertyNames": {"enum": ["0", "1", "2"]}}),
    ] = {}
    """Tier -> what is changed of its counts."""

    def policy(self) -> Policy:
        systems = dict(self.systems)
        if self.protected:
            systems[SHORT_FORM_SYSTEM] = System(paths=self.protected)
        shared = {name: getattr(self, name) for name in _Settings.model_fields}
        return Policy(**shared, systems=systems, tiers=self.merged_tiers())

    def merged_tiers(self) -> dict[int, Tier]:
        return {
            number: self.tiers[number].over(tier) if number in self.tiers else tier
            for number, tier in DEFAULT_TIERS.items()
        }


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the policy file, for editors."""
    schema = PolicyFile.model_json_schema()
    _strict(schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "foureyes policy"}


def _strict(part: Any) -> None:
    """Names that break their pattern are refused, and nothing repeats its key as a title."""
    if isinstance(part, list):
        for item in part:
            _strict(item)
    if isinstance(part, dict):
        if "patternProperties" in part:
            part["additionalProperties"] = False
        if isinstance(part.get("title"), str):
            del part["title"]
        for item in part.values():
            _strict(item)

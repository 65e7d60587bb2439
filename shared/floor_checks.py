"""What a policy and its organisation's floor cannot do together, although each of them is in order."""

from collections.abc import Iterator

from foureyes.shared.markup import both, count
from foureyes.shared.policy import Policy


def problems_together(ruling: Policy) -> Iterator[str]:
    """Of the two combined. Where a team is on a roster, nobody here knows who is on both."""
    if ruling.floor is None:
        return
    rosters = (ruling.roster, ruling.floor.roster)
    if any("/" in name for roster in rosters for name in roster):
        return
    own, floor = ({name.casefold(): name for name in roster} for roster in rosters)
    on_both = sorted(name for key, name in own.items() if key in floor)
    for number in sorted({system.tier for system in ruling.systems.values()}):
        tier = ruling.tiers[number]
        asked = max(tier.ai, tier.unattested, tier.human)
        if asked > len(on_both):
            who = f"on both rosters {'is' if len(on_both) == 1 else 'are'} {both(on_both) or 'nobody'}"
            yield f"tier {number} asks for {count(asked, 'human')}, and {who}"

"""Every name that a policy uses for people."""

from foureyes.shared.policy import Policy


def names(policy: Policy) -> tuple[str, ...]:
    """`@org/team` and `@login`, each once: the roster, owners, machine users, aliases, and who answers for a bot."""
    found: list[str] = [*policy.roster, *policy.machine_users]
    if policy.floor is not None:
        found += policy.floor.roster
    for system in policy.systems.values():
        found += system.owners
    for automation in policy.automation.values():
        found.append(automation.owner)
    for login, others in policy.aliases.items():
        found += [login, *others]
    return tuple(dict.fromkeys(name if name.startswith("@") else f"@{name}" for name in found))

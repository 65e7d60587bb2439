"""A policy's line for branches as GitHub's rulesets write it: gitignore's patterns against Ruby's fnmatch. Pure."""

import re

_OTHERWISE = re.compile(r"[\[\]{}\\]")
"""What the two languages read differently, or may."""


def ruleset_names(line: str) -> tuple[str, ...]:
    """Patterns for all that the line gates, and for nothing else: merging into a branch that is not gated would wait
    for a check that never comes. Empty where there are none.
    """
    if line.startswith("!") or _OTHERWISE.search(line):
        return ()
    plain = f"refs/heads/{line.strip('/')}"
    below = plain if plain.endswith("/**") else f"{plain}/**"
    alone = () if line.endswith(("/", "/**")) or line == "**" else (plain,)
    return (*alone, f"{below}/*")


def example(line: str) -> str:
    """A name that the line gates."""
    parts = line.strip("/").replace("?", "x").split("/")
    named = "/".join("new" if part == "**" else part.replace("*", "new") for part in parts)
    return f"{named}/new" if line.endswith("/") else named

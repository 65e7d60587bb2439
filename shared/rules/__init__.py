"""The rules, in the order in which their answers are shown. A rule that is not in this tuple does not exist."""

from typing import Any

from foureyes.shared.rule import Rule
from foureyes.shared.rules import mergeable, no_agents, recorded, shown, two_humans

RULES: tuple[Rule[Any], ...] = (
    mergeable.RULE,
    shown.RULE,
    no_agents.RULE,
    recorded.RULE,
    two_humans.RULE,
)

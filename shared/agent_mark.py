"""One sign of an agent on a commit."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AgentMark:
    """One sign that an agent took part. `evidence` False: any text, which may add scrutiny and never remove it."""

    agent: str
    """The catalogue's id, `claude-code`."""
    how: str
    """`record`, `trailer`, `author`, `committer`, `body`, `bot`."""
    model: str = ""
    session: str = ""
    evidence: bool = False


UNNAMED = "unknown"
"""In place of an agent's id, where a record tells of an agent without saying which."""

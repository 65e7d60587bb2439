"""One sign of an agent on a commit."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AgentMark:
    """One sign that an agent took part. `evidence` False: any text, which may add scrutiny and never remove it."""

    agent: str
    """The catalogue's id, `claude-code`."""
    how: str
    """`record`, `trailer`, `author`, `committer`, `body`, `bot`, `note`, `unread note`."""
    model: str = ""
    session: str = ""
    evidence: bool = False


UNNAMED = "unnamed-ai"
"""The catalogue's id for an agent of which no more is told than that there was one."""

NOTE = "note"
"""How an agent is known that only another tool's note on the commit names."""

UNREAD_NOTE = "unread note"
"""How one may be named: there is, or was, a note that could not be read."""

"""Signs of agents in very many commits: the same answers as `Catalogue.find_marks`, at the speed of a history.

Most messages hold no text that any sign needs, and a text search tells so; most people made more than one commit.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from foureyes.shared.agent_marks import DISCLOSURES, find
from foureyes.shared.agents import Catalogue
from foureyes.shared.facts import AgentMark
from foureyes.shared.people import Identity

_NOBODY = Identity("", "")
_NO_REPLY = "@users.noreply.github.com"
_NO_LITERAL = re.compile(r"\[[^]]\]|\[[^]]*\]|[*?]")


class HistorySigns:
    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._needed = tuple(sorted(needed_texts(catalogue), key=len))
        self._of_people = lru_cache(maxsize=65536)(self._find_people)

    def find(self, message: bytes, author: Identity, committer: Identity) -> tuple[AgentMark, ...]:
        """`message` is UTF-8, as far as it is text at all."""
        marks = self._of_people(author, committer)
        text = message.decode("utf-8", "replace")
        folded = text.casefold()
        if not any(needed in folded for needed in self._needed):
            return marks
        return marks + find(self._catalogue, text, _NOBODY, _NOBODY)

    def _find_people(self, author: Identity, committer: Identity) -> tuple[AgentMark, ...]:
        return find(self._catalogue, "", author, committer)


def needed_texts(catalogue: Catalogue) -> frozenset[str]:
    """A message without any of these, case folded, has no sign of an agent. An empty one, of a glob that has no
    text of its own, is in every message.
    """
    return frozenset(_needed(catalogue))


def _needed(catalogue: Catalogue) -> Iterator[str]:
    yield from DISCLOSURES
    yield _NO_REPLY
    for agent in catalogue.agents:
        yield from (sign.text.casefold() for sign in (*agent.addresses, *agent.trailers))
        # The longest part of a glob that stands for itself.
        yield from (max(_NO_LITERAL.split(sign.text), key=len).casefold() for sign in agent.lines)

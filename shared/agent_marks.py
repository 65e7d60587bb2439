"""Signs of an agent in a commit itself: who it says made it, and what its message says.

All of it is text that anyone can write: a claim, which may add scrutiny and never removes it. The whole message is
read, indented lines too, because a squash moves trailers out of the block in which git looks for them.
"""

import re
from collections.abc import Iterator
from fnmatch import translate
from typing import TYPE_CHECKING, NamedTuple, Protocol

from foureyes.shared.agents import Agent, Catalogue, glob

if TYPE_CHECKING:
    from foureyes.shared.agent_mark import AgentMark

# Texts, compiled by the first message that asks for them: most lack what they look for, and somebody waits.
_NO_REPLY = r"(?:([0-9]{1,19})\+)?([^@]+)@users\.noreply\.github\.com"
_TRAILER = r"[ \t>*]*([A-Za-z][A-Za-z0-9-]*)[ \t]*:[ \t]*(\S.*)"
_MAKERS = {"co-authored-by", "co-developed-by", "signed-off-by"}
DISCLOSURES = frozenset({"assisted-by", "generated-by", "ai-assisted-by"})
"""Keys after which an agent, or a model, may stand without an address."""

_DECORATION = r"[^\w\[]+"
_SPLIT_ADDRESS = r"([^<]*)(?:<([^>]*)>)?.*"
_LONGEST_LINE = 1000


class CommitSigns:
    """The signs of all agents, by what is looked up: a history is read by the hundred thousand commits."""

    def __init__(self, agents: tuple[Agent, ...]) -> None:
        self.addresses: dict[str, str] = {}
        self.trailers: dict[str, list[tuple[str, str]]] = {}
        """By key, case folded: agents, and what the value must be."""
        for agent in agents:
            for sign in agent.addresses:
                self.addresses.setdefault(sign.text.casefold(), agent.id)
            for sign in agent.trailers:
                self.trailers.setdefault(sign.text.casefold(), []).append((agent.id, sign.value))
        self.author_suffixes = [(sign.text, agent.id) for agent in agents for sign in agent.author_suffixes]
        self.lines = [(agent.id, sign.text) for agent in agents for sign in agent.lines]
        self.any_line = re.compile("|".join(translate(pattern) for _, pattern in self.lines) or "(?!)")
        names = [(sign.text, agent.id) for agent in agents for sign in agent.names]
        names += [(f"{agent.id}:", agent.id) for agent in agents if agent.kind != "automation"]
        self.names = sorted(names, key=lambda pair: -len(pair[0]))
        """Longest first; those that end in a colon are ids, after which a model follows."""


class Named(Protocol):
    """Whoever a commit says made it."""

    @property
    def name(self) -> str: ...

    @property
    def email(self) -> str: ...


class _Found(NamedTuple):
    agent: str
    how: str
    model: str = ""


def find(catalogue: Catalogue, message: str, author: Named, committer: Named) -> "tuple[AgentMark, ...]":
    """One mark for each agent and place: `author`, `committer`, `trailer` or `body`."""
    from foureyes.shared.agent_mark import AgentMark

    found: dict[tuple[str, str], _Found] = {}
    for mark in _all(catalogue, message, author, committer):
        known = found.get((mark.agent, mark.how))
        if known is None or (mark.model and not known.model):
            found[mark.agent, mark.how] = mark
    return tuple(AgentMark(*mark) for mark in found.values())


def agents_in(catalogue: Catalogue, message: str, author: Named, committer: Named) -> tuple[str, ...]:
    """The agents of these marks alone."""
    return tuple(dict.fromkeys(mark.agent for mark in _all(catalogue, message, author, committer)))


def _all(catalogue: Catalogue, message: str, author: Named, committer: Named) -> Iterator[_Found]:
    for how, named in (("author", author), ("committer", committer)):
        agent = _maker(catalogue, named)
        if agent:
            yield _Found(agent, how)
    index = catalogue.commit_signs
    for line in message.splitlines():
        line = line[:_LONGEST_LINE]
        trailer = re.fullmatch(_TRAILER, line) if ":" in line else None
        if trailer:
            yield from _of_trailer(catalogue, trailer[1].casefold(), trailer[2].strip())
        text = line.strip()
        if not text[:1].isalnum() and (decoration := re.match(_DECORATION, text)):
            text = text[decoration.end() :]
        if index.any_line.fullmatch(text):
            found = (agent for agent, pattern in index.lines if glob(pattern).fullmatch(text))
            yield from (_Found(agent, "body") for agent in found)


def _maker(catalogue: Catalogue, identity: Named) -> str | None:
    for suffix, agent in catalogue.commit_signs.author_suffixes:
        if identity.name.endswith(suffix):
            return agent
    return by_address(catalogue, identity.email)


def by_address(catalogue: Catalogue, email: str) -> str | None:
    """The agent behind an exact address, or behind the account of one that GitHub hands out."""
    address = email.strip().casefold()
    agent = catalogue.commit_signs.addresses.get(address)
    if agent is not None:
        return agent
    account = re.fullmatch(_NO_REPLY, address) if address.endswith("@users.noreply.github.com") else None
    if account is None:
        return None
    return catalogue.is_agent_account(int(account[1]) if account[1] else None, account[2])


def _of_trailer(catalogue: Catalogue, key: str, value: str) -> Iterator[_Found]:
    for agent, pattern in catalogue.commit_signs.trailers.get(key, ()):
        if glob(pattern).fullmatch(value):
            yield _Found(agent, "trailer")
    if key not in _MAKERS | DISCLOSURES:
        return
    split = re.fullmatch(_SPLIT_ADDRESS, value)
    name, email = (split[1].strip(), split[2] or "") if split else (value, "")
    # Some write a model before the address, inside the brackets.
    maker = by_address(catalogue, email.split()[-1]) if email.split() else None
    if maker:
        yield _Found(maker, "trailer", model=_model_beside(catalogue.by_id[maker], name))
    elif key in DISCLOSURES:
        named = _named(catalogue, name)
        if named:
            yield _Found(named[0], "trailer", model=named[1])


def _model_beside(agent: Agent, name: str) -> str:
    """The model in a co-author's name: `aider (openai/x)`, `Claude Opus 5.5`."""
    for sign in sorted(agent.names, key=lambda sign: -len(sign.text)):
        rest = _rest(name, sign.text)
        if rest:
            return rest.strip("():, ")
    return ""


def _rest(value: str, name: str) -> str | None:
    """What follows a name at the beginning of a value; None if it does not begin with that whole name."""
    if not value.casefold().startswith(name.casefold()):
        return None
    rest = value[len(name) :]
    return rest if not rest or (not rest[0].isalnum() and rest[0] not in "-_.") else None


def _named(catalogue: Catalogue, value: str) -> tuple[str, str] | None:
    """Agent and model of a disclosure: `claude-code:opus`, `Claude Code (opus)`, `Opus 4.7 via Crush`, `Claude Opus
    4.7`, `gpt-5`. A name that is followed by just any word is a person's: `Claude Dioudonnat`.
    """
    before, via, tool = value.partition(" via ")
    if via and (found := _named(catalogue, tool)):
        return found[0], before.strip()
    for name, agent in catalogue.commit_signs.names:
        rest = _rest(value, name.removesuffix(":"))
        if rest is None or (name.endswith(":") and not rest.startswith(":")):
            continue
        model = rest.strip()
        if not model:
            return agent, ""
        if model[0] in ":(":
            return agent, model.strip("():, ")
        if _is_model(catalogue, model) or re.match(r"v?[0-9]", model):
            return agent, model
    if not _is_model(catalogue, value, alone=True):
        return None
    from foureyes.shared.agent_mark import UNNAMED  # a reader waits for what it brings

    return UNNAMED, value


def _is_model(catalogue: Catalogue, text: str, *, alone: bool = False) -> bool:
    """Whether a text begins with a model's name; one that stands alone has a number in it, as models do."""
    first = text.split()[0].casefold() if text.split() else ""
    if alone and not re.search(r"[0-9]", text):
        return False
    return any(glob(pattern).fullmatch(first) for pattern in catalogue.models)

"""Signs of an agent in a commit itself: who it says made it, and what its message says.

All of it is text that anyone can write: a claim, which may add scrutiny and never removes it. The whole message is
read, indented lines too, because a squash moves trailers out of the block in which git looks for them.
"""

import re
from collections.abc import Iterator

from foureyes.shared.agents import Agent, Catalogue, glob
from foureyes.shared.facts import AgentMark
from foureyes.shared.people import Identity

_NO_REPLY = re.compile(r"(?:([0-9]{1,19})\+)?([^@]+)@users\.noreply\.github\.com", re.IGNORECASE)
_TRAILER = re.compile(r"[ \t>*]*([A-Za-z][A-Za-z0-9-]*)[ \t]*:[ \t]*(\S.*)")
_MAKERS = {"co-authored-by", "co-developed-by", "signed-off-by"}
_DISCLOSURES = {"assisted-by", "generated-by", "ai-assisted-by"}
_DECORATION = re.compile(r"^[^\w\[]+")
_SPLIT_ADDRESS = re.compile(r"([^<]*)(?:<([^>]*)>)?.*")
_LONGEST_LINE = 1000


def find(catalogue: Catalogue, message: str, author: Identity, committer: Identity) -> tuple[AgentMark, ...]:
    """One mark for each agent and place: `author`, `committer`, `trailer` or `body`."""
    found: dict[tuple[str, str], AgentMark] = {}
    for mark in _all(catalogue, message, author, committer):
        known = found.get((mark.agent, mark.how))
        if known is None or (mark.model and not known.model):
            found[mark.agent, mark.how] = mark
    return tuple(found.values())


def _all(catalogue: Catalogue, message: str, author: Identity, committer: Identity) -> Iterator[AgentMark]:
    for how, identity in (("author", author), ("committer", committer)):
        agent = _maker(catalogue, identity)
        if agent:
            yield AgentMark(agent, how)
    for line in message.splitlines():
        line = line[:_LONGEST_LINE]
        trailer = _TRAILER.fullmatch(line)
        if trailer:
            yield from _of_trailer(catalogue, trailer[1].casefold(), trailer[2].strip())
        text = _DECORATION.sub("", line.strip())
        for entry in catalogue.agents:
            if any(glob(sign.text).fullmatch(text) for sign in entry.lines):
                yield AgentMark(entry.id, "body")


def _maker(catalogue: Catalogue, identity: Identity) -> str | None:
    for entry in catalogue.agents:
        if any(identity.name.endswith(sign.text) for sign in entry.author_suffixes):
            return entry.id
    return by_address(catalogue, identity.email)


def by_address(catalogue: Catalogue, email: str) -> str | None:
    """The agent behind an exact address, or behind the account of one that GitHub hands out."""
    address = email.strip().casefold()
    for entry in catalogue.agents:
        if any(sign.text.casefold() == address for sign in entry.addresses):
            return entry.id
    account = _NO_REPLY.fullmatch(address)
    if account is None:
        return None
    return catalogue.is_agent_account(int(account[1]) if account[1] else None, account[2])


def _of_trailer(catalogue: Catalogue, key: str, value: str) -> Iterator[AgentMark]:
    for entry in catalogue.agents:
        if any(sign.text.casefold() == key and glob(sign.value).fullmatch(value) for sign in entry.trailers):
            yield AgentMark(entry.id, "trailer")
    if key not in _MAKERS | _DISCLOSURES:
        return
    split = _SPLIT_ADDRESS.fullmatch(value)
    name, email = (split[1].strip(), split[2] or "") if split else (value, "")
    # Some write a model before the address, inside the brackets.
    agent = by_address(catalogue, email.split()[-1]) if email.split() else None
    if agent:
        yield AgentMark(agent, "trailer", model=_model_beside(catalogue.by_id[agent], name))
    elif key in _DISCLOSURES:
        named = _named(catalogue, name)
        if named:
            yield AgentMark(named[0], "trailer", model=named[1])


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
    names = [(sign.text, entry.id) for entry in catalogue.agents for sign in entry.names]
    names += [(f"{entry.id}:", entry.id) for entry in catalogue.agents if entry.kind != "automation"]
    for name, agent in sorted(names, key=lambda pair: -len(pair[0])):
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
    return ("unnamed-ai", value) if _is_model(catalogue, value, alone=True) else None


def _is_model(catalogue: Catalogue, text: str, *, alone: bool = False) -> bool:
    """Whether a text begins with a model's name; one that stands alone has a number in it, as models do."""
    first = text.split()[0].casefold() if text.split() else ""
    if alone and not re.search(r"[0-9]", text):
        return False
    return any(glob(pattern).fullmatch(first) for pattern in catalogue.models)

"""Trailers of a commit message, wherever they stand: git sees only those of the last paragraph, but a squash indents
them, and tools write them in the middle.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from foureyes.shared.policy import TrailerStyle

PROVENANCE_ID = "Provenance-Id"
CO_AUTHOR_KEYS = frozenset({"co-authored-by", "co-developed-by"})
"""Lower case. Keys that name a co-author; the second one is Linux's."""
NAMING_KEYS = frozenset({"assisted-by", "co-authored-by", "generated-by"})
"""Lower case. Keys in which an agent names itself."""

_KEY = re.compile(r"(?P<indent>[ \t]*)(?P<key>[A-Za-z0-9-]+)[ \t]*:(?P<value>.*)", re.DOTALL)
_ADDRESS = re.compile(r"<\s*([^<>\s]+)\s*>")
_WORDS_OF_GIT = ("Signed-off-by: ", "(cherry picked from commit ")
_MOST_CONTINUATIONS = 100
"""Lines that are folded into one value: a message can hold a million."""

_UNWANTED = re.compile(r"[\x00-\x1f\x7f<>]+")


@dataclass(frozen=True)
class Trailer:
    """Continuation lines are folded into the value with one space."""

    key: str
    value: str
    in_block: bool
    """Git itself takes it for a trailer."""


def parse_trailers(message: str) -> tuple[Trailer, ...]:
    """All lines of the form `Key: value`, in order, indented ones and those outside git's block too.

    A line that continues another one and looks like a trailer itself is given as well: more is only more scrutiny.
    """
    lines = [line.removesuffix("\r") for line in message.split("\n")]
    start, end = _block(lines)
    found = []
    for at, line in enumerate(lines):
        parts = _KEY.fullmatch(line)
        if parts is None:
            continue
        in_block = start <= at < end and not parts["indent"]
        stop = min(end if in_block else len(lines), at + 1 + _MOST_CONTINUATIONS)
        more = _continuations(lines[at + 1 : stop], parts["indent"])
        value = " ".join(part for part in (parts["value"].strip(), *more) if part)
        found.append(Trailer(parts["key"], value, in_block))
    return tuple(found)


def provenance_ids(message: str) -> tuple[str, ...]:
    """Every Provenance-Id, each once: several after a squash."""
    wanted = PROVENANCE_ID.lower()
    values = (trailer.value for trailer in parse_trailers(message) if trailer.key.lower() == wanted)
    return tuple(dict.fromkeys(value for value in values if value))


def already_named(message: str, agent_addresses: Collection[str], agents: Collection[str] = ()) -> bool:
    """Whether the agent has named itself: a naming trailer with exactly one of its addresses, or whose value is, up
    to the first colon, one of `agents` (ids or names). Case does not matter.
    """
    addresses = {address.lower() for address in agent_addresses}
    names = {name.lower() for name in agents}
    for trailer in parse_trailers(message):
        if trailer.key.lower() not in NAMING_KEYS:
            continue
        value = trailer.value.lower()
        if addresses.intersection(_ADDRESS.findall(value)) or value.partition(":")[0].strip() in names:
            return True
    return False


def render_agent_trailers(
    style: "TrailerStyle", agent: str, model: str, provenance_id: str, *, name: str = "", address: str = ""
) -> tuple[str, ...]:
    """The lines that an agent's commit gets, without newlines. `Signed-off-by` is never one of them.

    `name` and `address` are for `co-authored-by`, which needs an address: without one it falls back to
    `assisted-by`. An empty `provenance_id` gives no id line.
    """
    who, what = _plain(agent), _plain(model)
    named = f"{who}:{what}" if what else who
    lines = []
    if style == "co-authored-by" and address:
        shown = f"{_plain(name or agent)} ({what})" if what else _plain(name or agent)
        lines.append(f"Co-authored-by: {shown} <{_plain(address)}>")
    elif style == "generated-by":
        lines.append(f"Generated-by: {named}")
    elif style != "none":
        lines.append(f"Assisted-by: {named}")
    if provenance_id:
        lines.append(f"{PROVENANCE_ID}: {_plain(provenance_id)}")
    return tuple(lines)


def _plain(text: str) -> str:
    """One line, no angle brackets: a model's name must not become a trailer or an address of its own."""
    return _UNWANTED.sub(" ", text).strip()


def _continuations(following: Sequence[str], indent: str) -> Iterator[str]:
    for line in following:
        text = line.strip()
        if not text or not line.startswith((indent + " ", indent + "\t")):
            return
        yield text


def _block(lines: Sequence[str]) -> tuple[int, int]:
    """First line and line after the last of git's trailer block, as git-interpret-trailers(1) describes it for
    `--no-divider`; (0, 0) if there is none. The first paragraph is the title and never one.
    """
    end = len(lines)
    while end and (not lines[end - 1].strip() or lines[end - 1].startswith("#")):
        end -= 1
    start = end
    while start and lines[start - 1].strip():
        start -= 1
    if start in (0, end):
        return (0, 0)
    return (start, end) if _is_block(lines[start:end]) else (0, 0)


def _is_block(lines: Sequence[str]) -> bool:
    """All trailers; or one that git itself writes, and at least a quarter trailers."""
    trailers = others = 0
    by_git = after_trailer = False
    for line in lines:
        if line.startswith("#"):
            after_trailer = False
        elif line.startswith(_WORDS_OF_GIT):
            trailers, by_git, after_trailer = trailers + 1, True, True
        elif line[0].isspace():
            others += not after_trailer
        elif _KEY.fullmatch(line):
            trailers, after_trailer = trailers + 1, True
        else:
            others, after_trailer = others + 1, False
    return (by_git and trailers * 3 >= others) or (trailers > 0 and others == 0)

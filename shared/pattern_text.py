"""One pattern, read as gitignore reads it and translated to a regular expression that cannot be hung.

Names of files are chosen by the author of a pull request, so matching must take time linear in the name. Two
choices make it so: a `*` in the middle takes the first place where the text up to the next `*` fits and never
reconsiders (atomic groups), which is complete because that text has a fixed length; and `**` does the same with
whole components.

Forms that git accepts but that match nothing, or not what they seem to say, are errors with a hint.
"""

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TypeAlias

from foureyes.shared.paths import fold, unseen
from foureyes.shared.pattern_class import PatternProblem, read_class

MAX_LENGTH = 1024

_END = r"(?=/|\Z)"
_ANY_COMPONENT = r"(?:[^/]++/)"


@dataclass(frozen=True)
class Literal:
    text: str


@dataclass(frozen=True)
class Single:
    """One character out of a set, as regular expression; never a slash."""

    regex: str


class Star:
    """Any characters of one component, or none."""


STAR = Star()
ANY = Single("[^/]")
Token: TypeAlias = Literal | Single | Star
Component: TypeAlias = tuple[Token, ...] | None
"""None is `**`: any number of components."""


@dataclass(frozen=True)
class Pattern:
    """`components` are from the root of the repository; a pattern that floats begins with `**`."""

    text: str
    negative: bool
    dir_only: bool
    components: tuple[Component, ...]

    @cached_property
    def literals(self) -> tuple[str | None, ...]:
        """For each component its text, folded, if it has no wildcard."""
        return tuple(map(_literal, self.components))

    @cached_property
    def prefix(self) -> str:
        """The leading components that have no wildcard, folded and joined by slashes."""
        texts: list[str] = []
        for text in self.literals:
            if text is None:
                break
            texts.append(text)
        return "/".join(texts)

    @cached_property
    def spelled_prefix(self) -> str:
        """`prefix` as it is written in the policy."""
        depth = self.prefix.count("/") + 1 if self.prefix else 0
        return "/".join(t.text for c in self.components[:depth] if c for t in c if isinstance(t, Literal))

    @cached_property
    def has_class(self) -> bool:
        return any(isinstance(t, Single) and t.regex != ANY.regex for c in self.components if c for t in c)

    @cached_property
    def needle(self) -> str:
        """The longest text that every ASCII path must hold, folded, to match."""
        texts = [fold(t.text) for c in self.components if c for t in c if isinstance(t, Literal)]
        return max(texts, key=len, default="")

    @cached_property
    def exact(self) -> "Expression":
        return Expression(self, folded=False)

    @cached_property
    def folded(self) -> "Expression":
        """For folded paths: finds what `exact` would find in another spelling of the name."""
        return Expression(self, folded=True)


class Expression:
    """The regular expressions of one pattern, compiled when first asked for. A path here is plain text
    (`paths.plain`), in which a directory ends in a slash.
    """

    def __init__(self, pattern: Pattern, *, folded: bool) -> None:
        self._pattern = pattern
        self._folded = folded

    @cached_property
    def at_or_above(self) -> re.Pattern[str]:
        """`.match`: the pattern matches this path or a directory that it lies in."""
        return self._compile(_whole(self._pattern, self._folded) + ("/" if self._pattern.dir_only else ""))

    @cached_property
    def at(self) -> re.Pattern[str]:
        """`.match`: the pattern matches this very file or directory."""
        if self._pattern.components[-1] is None:
            return self.at_or_above
        end = r"/\Z" if self._pattern.dir_only else r"/?\Z"
        return self._compile(_whole(self._pattern, self._folded) + end)

    @cached_property
    def steps(self) -> tuple[re.Pattern[str] | None, ...]:
        """One expression for each component, for `.match` on the component's name; None is `**`."""
        return tuple(
            None if component is None else self._compile(_component(component, self._folded))
            for component in self._pattern.components
        )

    def _compile(self, regex: str) -> re.Pattern[str]:
        return re.compile(regex, re.DOTALL | (re.IGNORECASE if self._folded else 0))


@lru_cache(maxsize=8192)
def parse(text: str) -> Pattern:
    """Raises PatternProblem."""
    _refuse(text)
    rest = _trimmed(text)
    negative = rest.startswith("!")
    rest = rest[negative:]
    dir_only = rest.endswith("/")
    rest = rest.removesuffix("/")
    anchored = "/" in rest
    pieces = _split(rest.removeprefix("/"))
    components = tuple(map(_read_component, pieces))
    _refuse_components(components, pieces, dir_only=dir_only)
    if not anchored and components[0] is not None:
        components = (None, *components)
    return Pattern(text, negative, dir_only, _collapsed(components))


def _refuse(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise PatternProblem(
            f"the pattern is longer than {MAX_LENGTH:,} characters", "use shorter patterns, one a line"
        )
    if any(ord(c) < 32 or c == "\x7f" or "\ud800" <= c <= "\udfff" for c in text):
        raise PatternProblem("the pattern holds a control character", "? stands for any one character")
    if found := unseen(text):
        hint = "take it out, or write ? for it: ? stands for any one character"
        raise PatternProblem(f"the pattern holds a character that cannot be seen (U+{ord(found):04X})", hint)
    if not text.strip(" !/"):
        raise PatternProblem("the pattern is empty", 'everything is "**"')
    if text.startswith("#"):
        raise PatternProblem(
            "a pattern that begins with # is a comment in gitignore", r"write \# for the character"
        )


def _trimmed(text: str) -> str:
    """Without trailing spaces, as git does it; a backslash keeps the space behind it."""
    end = len(text.rstrip(" "))
    backslashes = end - len(text[:end].rstrip("\\"))
    return text[: end + 1] if backslashes % 2 and end < len(text) else text[:end]


def _split(text: str) -> list[str]:
    if r"\/" in text.replace(r"\\", ""):
        raise PatternProblem("a backslash stands before a slash", "write the slash alone")
    return text.split("/")


def _read_component(piece: str) -> Component:
    if piece.strip("*") == "" and len(piece) > 1:
        return None
    if piece in {"", ".", ".."}:
        shown = f"the component {piece!r}" if piece else "an empty component"
        raise PatternProblem(
            f"{shown} never matches", "write the path from the repository's root, as git shows it"
        )
    tokens: list[Token] = []
    at = 0
    while at < len(piece):
        token, at = _token(piece, at)
        if isinstance(token, Literal) and tokens and isinstance(tokens[-1], Literal):
            token = Literal(tokens.pop().text + token.text)  # type: ignore[union-attr]
        elif token is STAR and tokens and tokens[-1] is STAR:
            raise PatternProblem("`**` is glued to other text", "put slashes around it, or write a single *")
        tokens.append(token)
    return tuple(tokens)


def _token(piece: str, at: int) -> tuple[Token, int]:
    match piece[at]:
        case "*":
            return STAR, at + 1
        case "?":
            return ANY, at + 1
        case "[":
            regex, end = read_class(piece, at)
            return Single(regex), end
        case "\\":
            if at + 1 == len(piece):
                raise PatternProblem("the pattern ends in a backslash", r"write \\ for the character")
            return Literal(piece[at + 1]), at + 2
        case character:
            return Literal(character), at + 1


def _refuse_components(components: tuple[Component, ...], pieces: list[str], *, dir_only: bool) -> None:
    if dir_only and components[-1] is None:
        before = "/".join(pieces[:-1])
        wanted = f"`{before}/**` for all of it" if before else "`**` for everything"
        raise PatternProblem(
            "a trailing `**/` leaves out the files beside the directories", f"write {wanted}"
        )


def _collapsed(components: tuple[Component, ...]) -> tuple[Component, ...]:
    """`a/**/**/b` is `a/**/b`."""
    kept = [
        c
        for c, before in zip(components, ((), *components), strict=False)
        if c is not None or before is not None
    ]
    return tuple(kept)


def _literal(component: Component) -> str | None:
    if component is not None and len(component) == 1 and isinstance(component[0], Literal):
        return fold(component[0].text)
    return None


def _whole(pattern: Pattern, folded: bool) -> str:
    """From the root to the end of the last component."""
    groups: list[list[str]] = [[]]
    for component in pattern.components:
        if component is None:
            groups.append([])
        else:
            groups[-1].append(_component(component, folded))
    first, *others = ("/".join(group) for group in groups)
    if not others:
        return first
    *middle, last = others
    regex = f"{first}/" if first else ""
    regex += "".join(f"(?>{_ANY_COMPONENT}*?{group}/)" for group in middle)
    return regex + (f"{_ANY_COMPONENT}*?{last}" if last else "[^/]")


def _component(tokens: tuple[Token, ...], folded: bool) -> str:
    chunks = [""]
    for token in tokens:
        if isinstance(token, Star):
            chunks.append("")
        elif isinstance(token, Single):
            chunks[-1] += token.regex
        else:
            chunks[-1] += re.escape(fold(token.text) if folded else token.text)
    first, *others = chunks
    if not others:
        return f"{first}{_END}"
    *middle, last = others
    regex = first + "".join(f"(?>[^/]*?{chunk})" for chunk in middle)
    return f"(?>{regex}[^/]*{last}{_END})" if last else f"(?>{regex}[^/]*+)"

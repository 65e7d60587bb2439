"""Which patterns protect a path: gitignore's semantics, in time linear in the path.

As in gitignore, the last pattern that matches decides, a pattern that matches a directory holds for all below it,
and nothing can be taken out below a protected directory: `infra/**` then `!infra/docs/**` takes out nothing,
`!infra/docs/` between them does. On top of it, a positive pattern also finds other spellings of a name (case,
composed or not), while a `!` pattern takes out only the exact one.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import accumulate

from foureyes.shared import paths
from foureyes.shared.pattern_class import PatternProblem
from foureyes.shared.pattern_text import Literal, Pattern, parse

__all__ = ["PatternError", "PatternSets", "Patterns"]


class PatternError(ValueError):
    """`index` is the place in the list of lines; `hint` says what to write instead."""

    def __init__(self, index: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.index = index
        self.message = message
        self.hint = hint


class Subject:
    """A path made ready for matching."""

    def __init__(self, path: str) -> None:
        self.plain = paths.plain(path)
        self.folded = paths.fold(self.plain)
        self.ascii = self.plain.isascii()
        self.names = self.folded.split("/")

    @cached_property
    def parents(self) -> tuple[str, ...]:
        """Folded: the first directory, ..., the path itself."""
        return tuple(accumulate(self.names, "{}/{}".format))

    @cached_property
    def extensions(self) -> frozenset[str]:
        return frozenset([name.rpartition(".")[2] for name in self.names])

    def levels(self) -> Iterator[tuple[str, str]]:
        """(plain, folded) of each directory, with its slash, and of the path itself, from the top."""
        at = folded_at = 0
        while (at := self.plain.find("/", at) + 1) > 0:
            folded_at = self.folded.find("/", folded_at) + 1
            yield self.plain[:at], self.folded[:folded_at]
        yield self.plain, self.folded


@lru_cache(maxsize=64)
def _subject(path: str) -> Subject:
    """Kept for a moment: many lists are asked about one path after the other."""
    return Subject(path)


@dataclass(frozen=True, slots=True)
class _Line:
    """A pattern as it stands in a set."""

    owner: int
    number: int
    pattern: Pattern

    def reaches(self, subject: Subject) -> bool:
        """Matches the path or a directory above it. For a positive pattern."""
        pattern = self.pattern
        if pattern.folded.at_or_above.match(subject.folded):
            return True
        # In ASCII folding changes no character's place, so only a class can tell the spellings apart.
        if subject.ascii and not pattern.has_class:
            return False
        return pattern.exact.at_or_above.match(subject.plain) is not None

    def is_at(self, level: tuple[str, str]) -> bool:
        if self.pattern.exact.at.match(level[0]):
            return True
        return not self.pattern.negative and bool(self.pattern.folded.at.match(level[1]))


@dataclass
class _Index:
    """Lines by a text that every path they match must have: leading directories, the name of a component, the
    extension of a component. What has none of them is tried on every path.
    """

    by_prefix: dict[str, list[_Line]] = field(default_factory=lambda: defaultdict(list))
    by_name: dict[str, list[_Line]] = field(default_factory=lambda: defaultdict(list))
    by_extension: dict[str, list[_Line]] = field(default_factory=lambda: defaultdict(list))
    rest: list[tuple[str, _Line]] = field(default_factory=list)
    """With a text that an ASCII path must hold."""

    def add(self, line: _Line) -> None:
        pattern = line.pattern
        if pattern.prefix:
            self.by_prefix[pattern.prefix].append(line)
        elif name := next(filter(None, pattern.literals), None):
            self.by_name[name].append(line)
        elif (extension := _extension(pattern)) is not None:
            self.by_extension[extension].append(line)
        else:
            self.rest.append((pattern.needle, line))

    def candidates(self, subject: Subject) -> list[_Line]:
        found: list[_Line] = []
        if self.by_prefix:
            for parent in subject.parents:
                if parent in self.by_prefix:
                    found += self.by_prefix[parent]
        if self.by_name:
            for name in set(subject.names):
                if name in self.by_name:
                    found += self.by_name[name]
        if self.by_extension:
            for extension in subject.extensions:
                if extension in self.by_extension:
                    found += self.by_extension[extension]
        if self.rest:
            text, ascii_only = subject.folded, subject.ascii
            found += [line for needle, line in self.rest if not ascii_only or needle in text]
        return found


def _extension(pattern: Pattern) -> str | None:
    """What stands behind the last dot of the last component, folded."""
    last = pattern.components[-1]
    if last and isinstance(last[-1], Literal) and "." in last[-1].text:
        return paths.fold(last[-1].text).rpartition(".")[2]
    return None


class PatternSets:
    """Several named lists of patterns with one index: the way to ask many systems about many paths."""

    def __init__(self, sets: Mapping[str, Sequence[Pattern]]) -> None:
        self._names = tuple(sets)
        self._positive = _Index()
        self._negative: dict[int, _Index] = {}
        self._by_first: dict[str, list[_Line]] = defaultdict(list)
        self._anywhere: list[_Line] = []
        for owner, patterns in enumerate(sets.values()):
            for number, pattern in enumerate(patterns):
                self._add(_Line(owner, number, pattern))

    @classmethod
    def compile(cls, sets: Mapping[str, Sequence[str]]) -> "PatternSets":
        """Raises PatternError."""
        return cls({name: _parsed(lines) for name, lines in sets.items()})

    def _add(self, line: _Line) -> None:
        if line.pattern.negative:
            self._negative.setdefault(line.owner, _Index()).add(line)
            return
        self._positive.add(line)
        first = line.pattern.literals[0]
        if first is None:
            self._anywhere.append(line)
        else:
            self._by_first[first].append(line)

    def matching(self, path: str) -> tuple[str, ...]:
        """The names of the sets that protect this file, in the order given."""
        return self._named(self._owners(_subject(path)))

    def possibly_below(self, path: str) -> tuple[str, ...]:
        """The names of the sets that could protect a path below this one, were it a directory. Errs towards yes:
        `!` patterns are not asked, and a pattern that floats (`*.tf`) may match below any directory.
        """
        subject = _subject(path)
        lines = [*self._anywhere, *self._by_first.get(subject.names[0], ())]
        found: set[int] = set()
        for line in lines:
            if line.owner not in found and _may_match_below(line.pattern, subject):
                found.add(line.owner)
        return self._named(found)

    def _named(self, owners: Iterable[int]) -> tuple[str, ...]:
        return tuple(self._names[owner] for owner in sorted(owners))

    def _owners(self, subject: Subject) -> set[int]:
        found: set[int] = set()
        contested: dict[int, list[_Line]] = {}
        for line in self._positive.candidates(subject):
            if line.owner in found or not line.reaches(subject):
                continue
            if line.owner in self._negative:
                contested.setdefault(line.owner, []).append(line)
            else:
                found.add(line.owner)
        for owner, lines in contested.items():
            lines.extend(self._negative[owner].candidates(subject))
            if _last_match_protects(lines, subject):
                found.add(owner)
        return found


class Patterns:
    """One list of patterns."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._sets = PatternSets({"": patterns})

    @classmethod
    def compile(cls, lines: Sequence[str]) -> "Patterns":
        """Raises PatternError."""
        return cls(_parsed(lines))

    def match(self, path: str) -> bool:
        """Is the file, symlink or submodule at `path` protected? A path that ends in a slash is a directory: then,
        is it protected as a whole, so that nothing below it can be taken out? Raises ValueError on no path text.
        """
        return bool(self._sets.matching(path))

    def may_match_below(self, path: str) -> bool:
        """Could a path below `path` be protected, were it a directory?"""
        return bool(self._sets.possibly_below(path))


def _parsed(lines: Sequence[str]) -> tuple[Pattern, ...]:
    patterns: list[Pattern] = []
    for index, line in enumerate(lines):
        try:
            patterns.append(parse(line))
        except PatternProblem as problem:
            raise PatternError(index, str(problem), problem.hint) from None
    return tuple(patterns)


def _last_match_protects(lines: list[_Line], subject: Subject) -> bool:
    """From the top: the first directory whose last match is positive settles it for all below."""
    lines.sort(key=lambda line: line.number, reverse=True)
    for level in subject.levels():
        last = next((line for line in lines if line.is_at(level)), None)
        if last is not None and not last.pattern.negative:
            return True
    return False


def _may_match_below(pattern: Pattern, subject: Subject) -> bool:
    plain = subject.plain.split("/")
    steps = zip(pattern.exact.steps, pattern.folded.steps, plain, subject.names, strict=False)
    for exact, folded, name, folded_name in steps:
        if exact is None or folded is None:
            return True
        if not exact.match(name) and not folded.match(folded_name):
            return False
    return True

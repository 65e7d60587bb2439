"""Which systems a change touches: those that the policy names, and those that protect the gate itself."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from foureyes.shared import paths
from foureyes.shared.facts import Change, Touch
from foureyes.shared.patterns import PatternSets

if TYPE_CHECKING:
    from foureyes.shared.policy import Policy  # a push must not wait for pydantic

_SYMLINK, _SUBMODULE = "120000", "160000"


@dataclass(frozen=True)
class Guard:
    """A system that protects paths. `implicit`: the policy need not name it, and it needs no owner.

    `stands_in`: a symlink or submodule that could take the place of one of its directories is protected too.
    """

    name: str
    tier: int
    patterns: tuple[str, ...]
    owners: tuple[str, ...] = ()
    implicit: bool = False
    stands_in: bool = True


@dataclass(frozen=True)
class Hit:
    """A system that the change touches, with the touched paths in order of name."""

    system: str
    tier: int
    paths: tuple[str, ...]
    owners: tuple[str, ...] = ()
    implicit: bool = False


@dataclass(frozen=True)
class Protection:
    hits: tuple[Hit, ...]
    """Strictest tier first, then by name."""

    @property
    def tiers(self) -> tuple[int, ...]:
        return tuple(sorted({hit.tier for hit in self.hits}))

    @property
    def paths(self) -> frozenset[str]:
        """Paths that someone waits for: tiers 0 to 2."""
        return frozenset(path for hit in self.hits if hit.tier < 3 for path in hit.paths)


_IMPLICIT = (
    Guard(
        "the gate itself",
        0,
        (
            "/.github/foureyes.yml",
            "/.github/foureyes-floor.yml",
            "/CODEOWNERS",
            "/.github/CODEOWNERS",
            "/docs/CODEOWNERS",
            "/.github/workflows/",
            "/.github/actions/",
        ),
        implicit=True,
    ),
    Guard(
        "hooks of the repository",
        1,
        (
            "/.husky/",
            "/.githooks/",
            "/.pre-commit-config.yaml",
            "/prek.toml",
            "/lefthook.yml",
            "/.lefthook.yml",
        ),
        implicit=True,
    ),
    Guard("git settings", 1, (".gitattributes", ".gitmodules"), implicit=True, stands_in=False),
    Guard(
        "agent settings",
        2,
        (
            "/.claude/",
            "/.codex/",
            "/.cursor/",
            "/.gemini/",
            "/.opencode/",
            "/.github/copilot-instructions.md",
            "/.github/instructions/",
            "/.github/hooks/",
        ),
        implicit=True,
    ),
    Guard(
        "agent instructions",
        2,
        ("CLAUDE.md", "AGENTS.md", "GEMINI.md", ".cursorrules", ".windsurfrules", ".clinerules"),
        implicit=True,
        stands_in=False,
    ),
)
_ODD = Guard("unusual names", 1, (), implicit=True)
"""A name that no honest change needs is protected wherever it stands: see `paths.is_odd`."""


def protect(policy: "Policy", changes: Iterable[Change], touched: Iterable[Touch] = ()) -> Protection:
    """Every system that the net change or, unless `squash_only`, one of its single commits touches."""
    guards = _guards(policy)
    found: dict[Guard, set[str]] = {}
    # once for all commits that touch it alike, and the net change: matching is what a judgement mostly costs
    for path, modes in dict.fromkeys(_entries(policy, changes, touched)):
        for guard in guards.covering(path, modes):
            found.setdefault(guard, set()).add(path)
    hits = (
        Hit(guard.name, guard.tier, tuple(sorted(touched_paths)), guard.owners, guard.implicit)
        for guard, touched_paths in found.items()
    )
    return Protection(tuple(sorted(hits, key=lambda hit: (hit.tier, hit.system))))


def may_touch(lists: Iterable[Sequence[str]], touched: Iterable[Touch]) -> bool:
    """Whether any of these paths could be one that somebody waits for, by the patterns of each system and by what is
    protected without being named: a quick look before a policy is read. Raises PatternError.
    """
    guards = _compiled(tuple(Guard(str(n), 0, tuple(lines)) for n, lines in enumerate(lists)))
    return any(True for t in touched for _ in guards.covering(t.path, (t.old_mode, t.new_mode)))


def protected_changes(policy: "Policy", changes: Iterable[Change]) -> tuple[Change, ...]:
    """The part of a change that someone waits for."""
    whole = tuple(changes)
    guarded = protect(policy, whole).paths
    return tuple(change for change in whole if change.path in guarded)


def _entries(
    policy: "Policy", changes: Iterable[Change], touched: Iterable[Touch]
) -> Iterator[tuple[str, tuple[str, str]]]:
    for change in changes:
        yield change.path, (change.old_mode, change.new_mode)
    if not policy.squash_only:
        for touch in touched:
            yield touch.path, (touch.old_mode, touch.new_mode)


@dataclass(frozen=True)
class _Guards:
    """All guards behind one index: asked path by path, 200 systems would cost a hundred times as much."""

    by_key: dict[str, Guard]
    index: PatternSets

    def covering(self, path: str, modes: tuple[str, str]) -> Iterator[Guard]:
        for key in self.index.matching(path):
            yield self.by_key[key]
        if _SYMLINK in modes or _SUBMODULE in modes:
            for key in self.index.possibly_below(path):
                if self.by_key[key].stands_in:
                    yield self.by_key[key]
        if paths.is_odd(path):
            yield _ODD


def _guards(policy: "Policy") -> _Guards:
    named = (Guard(name, s.tier, s.paths, s.owners) for name, s in sorted(policy.systems.items()))
    return _compiled(tuple(named))


@lru_cache(maxsize=64)
def _compiled(named: tuple[Guard, ...]) -> _Guards:
    by_key = {f"system {guard.name}": guard for guard in named}
    by_key |= {f"implicit {guard.name}": guard for guard in _IMPLICIT}
    return _Guards(by_key, PatternSets.compile({key: guard.patterns for key, guard in by_key.items()}))

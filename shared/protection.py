"""Which systems a change touches: those that the policy names, and those that protect the gate itself."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from foureyes.shared import paths
from foureyes.shared.facts import Change, Touch
from foureyes.shared.patterns import Patterns
from foureyes.shared.policy import Policy

_SYMLINK, _SUBMODULE = "120000", "160000"
UNUSUAL_NAMES = "unusual names"


@dataclass(frozen=True, eq=False)
class Guard:
    """A system with its patterns compiled. `implicit`: the policy need not name it, and it needs no owner."""

    name: str
    tier: int
    patterns: Patterns
    owners: tuple[str, ...] = ()
    implicit: bool = False

    def covers(self, path: str, modes: tuple[str, str]) -> bool:
        """Also true for a symlink or submodule that could stand in for a directory of this system."""
        if self.patterns.match(path):
            return True
        stand_in = _SYMLINK in modes or _SUBMODULE in modes
        return stand_in and self.patterns.may_match_below(path)


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
    (
        "the gate itself",
        0,
        (
            "/.github/foureyes.yml",
            "/CODEOWNERS",
            "/.github/CODEOWNERS",
            "/docs/CODEOWNERS",
            "/.github/workflows/",
            "/.github/actions/",
        ),
    ),
    (
        "git settings and hooks",
        1,
        (
            ".gitattributes",
            ".gitmodules",
            "/.husky/",
            "/.githooks/",
            "/.pre-commit-config.yaml",
            "/prek.toml",
            "/lefthook.yml",
            "/.lefthook.yml",
        ),
    ),
    (
        "agent instructions",
        2,
        (
            "CLAUDE.md",
            "AGENTS.md",
            "GEMINI.md",
            ".cursorrules",
            ".windsurfrules",
            ".clinerules",
            "/.claude/",
            "/.codex/",
            "/.cursor/",
            "/.gemini/",
            "/.opencode/",
            "/.github/copilot-instructions.md",
            "/.github/instructions/",
            "/.github/hooks/",
        ),
    ),
)


def protect(policy: Policy, changes: Iterable[Change], touched: Iterable[Touch] = ()) -> Protection:
    """Every system that the net change or, unless `squash_only`, one of its single commits touches."""
    found: dict[Guard, set[str]] = {}
    for path, modes in _entries(policy, changes, touched):
        for guard in _guards(policy):
            if guard.covers(path, modes):
                found.setdefault(guard, set()).add(path)
        if paths.is_odd(path):
            found.setdefault(_ODD, set()).add(path)
    hits = (
        Hit(guard.name, guard.tier, tuple(sorted(touched_paths)), guard.owners, guard.implicit)
        for guard, touched_paths in found.items()
    )
    return Protection(tuple(sorted(hits, key=lambda hit: (hit.tier, hit.system))))


def protected_changes(policy: Policy, changes: Iterable[Change]) -> tuple[Change, ...]:
    """The part of a change that someone waits for."""
    whole = tuple(changes)
    guarded = protect(policy, whole).paths
    return tuple(change for change in whole if change.path in guarded)


def _entries(
    policy: Policy, changes: Iterable[Change], touched: Iterable[Touch]
) -> Iterator[tuple[str, tuple[str, str]]]:
    for change in changes:
        yield change.path, (change.old_mode, change.new_mode)
    if not policy.squash_only:
        for touch in touched:
            yield touch.path, (touch.old_mode, touch.new_mode)


_ODD = Guard(UNUSUAL_NAMES, 1, Patterns.compile(("/.git",)), implicit=True)


def _guards(policy: Policy) -> tuple[Guard, ...]:
    systems = tuple((name, s.tier, s.paths, s.owners) for name, s in sorted(policy.systems.items()))
    return _compiled(systems)


@lru_cache(maxsize=64)
def _compiled(systems: tuple[tuple[str, int, tuple[str, ...], tuple[str, ...]], ...]) -> tuple[Guard, ...]:
    named = tuple(Guard(name, tier, Patterns.compile(lines), owners) for name, tier, lines, owners in systems)
    implicit = tuple(
        Guard(name, tier, Patterns.compile(lines), implicit=True) for name, tier, lines in _IMPLICIT
    )
    return named + implicit

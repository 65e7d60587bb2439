"""What is protected without being named, entry by entry; and which of it a link could stand in for."""

import pytest

from foureyes.shared.facts import Change
from foureyes.shared.policy import Policy, System
from foureyes.shared.protection import Hit, protect

NOTHING_NAMED = Policy(version=1, roster=("@olga",), systems={})
LINK, SUBMODULE, FILE = "120000", "160000", "100644"


def hits(path: str, mode: str = FILE, policy: Policy = NOTHING_NAMED) -> tuple[Hit, ...]:
    return protect(policy, [Change(path, "A", "000000", mode, "0" * 40, "1" * 40)]).hits


@pytest.mark.parametrize(
    ("path", "system", "tier"),
    [
        (".github/foureyes.yml", "the gate itself", 0),
        (".github/foureyes-floor.yml", "the gate itself", 0),
        ("CODEOWNERS", "the gate itself", 0),
        (".github/CODEOWNERS", "the gate itself", 0),
        ("docs/CODEOWNERS", "the gate itself", 0),
        (".github/workflows/ci.yml", "the gate itself", 0),
        (".github/actions/build/action.yml", "the gate itself", 0),
        (".husky/pre-commit", "hooks of the repository", 1),
        (".githooks/pre-push", "hooks of the repository", 1),
        (".pre-commit-config.yaml", "hooks of the repository", 1),
        ("prek.toml", "hooks of the repository", 1),
        ("lefthook.yml", "hooks of the repository", 1),
        (".lefthook.yml", "hooks of the repository", 1),
        (".gitattributes", "git settings", 1),
        ("a/b/.gitattributes", "git settings", 1),
        (".gitmodules", "git settings", 1),
        (".claude/settings.json", "agent settings", 2),
        (".codex/config.toml", "agent settings", 2),
        (".cursor/hooks.json", "agent settings", 2),
        (".gemini/settings.json", "agent settings", 2),
        (".opencode/x", "agent settings", 2),
        (".github/copilot-instructions.md", "agent settings", 2),
        (".github/instructions/x.md", "agent settings", 2),
        (".github/hooks/x.json", "agent settings", 2),
        ("CLAUDE.md", "agent instructions", 2),
        ("docs/AGENTS.md", "agent instructions", 2),
        ("GEMINI.md", "agent instructions", 2),
        (".cursorrules", "agent instructions", 2),
        (".windsurfrules", "agent instructions", 2),
        (".clinerules", "agent instructions", 2),
        ("src/a/../b", "unusual names", 1),
        ("src/.GIT/config", "unusual names", 1),
    ],
)
def test_what_is_protected_without_being_named(path: str, system: str, tier: int) -> None:
    assert hits(path) == (Hit(system, tier, (path,), implicit=True),)


@pytest.mark.parametrize(
    "path", ["README.md", "src/CODEOWNERS", "src/.github/workflows/ci.yml", "a/prek.toml"]
)
def test_what_is_not(path: str) -> None:
    assert hits(path) == ()


def test_a_link_is_protected_where_it_stands_in_for_a_folder_that_is() -> None:
    """Files with a name of their own at every depth make no link protected: each could hold one."""
    for mode in (LINK, SUBMODULE):
        assert {hit.system for hit in hits(".github", mode)} == {"the gate itself", "agent settings"}
        assert [hit.system for hit in hits(".husky", mode)] == ["hooks of the repository"]
        assert hits("src", mode) == ()


def test_nobody_waits_for_what_a_policy_only_names() -> None:
    systems = {f"s{tier}": System(paths=(f"{tier}/**",), tier=tier) for tier in (2, 3)}
    found = protect(
        Policy(version=1, roster=("@olga",), systems=systems),
        [Change(path, "A", "000000", FILE, "0" * 40, "1" * 40) for path in ("2/a", "3/a", "4/a")],
    )
    assert found.hits == (Hit("s2", 2, ("2/a",)), Hit("s3", 3, ("3/a",)))
    assert (found.tiers, found.paths) == ((2, 3), {"2/a"})

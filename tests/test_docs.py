"""Documentation as tests: what is documented exists, and what exists is documented."""

import re
import sys
import tomllib
from pathlib import Path

import pytest

from foureyes.hooks.cli import COMMANDS
from foureyes.shared.rules import RULES

CHECKOUT = Path(__file__).parent.parent
_TAKEN = {*sys.stdlib_module_names, "git", "github", "graphql", "flask", "click", "rich", "yaml", "requests"}
_TAKEN |= {"sqlalchemy", "alembic", "utils", "helpers", "manager", "common", "misc"}
PAGES = sorted([*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/*.md")])


def section(page: str, heading: str) -> str:
    text = (CHECKOUT / page).read_text()
    return text.split(f"\n{heading}\n")[1].split("\n## ")[0]


def test_every_rule_has_its_paragraph_in_the_policy_page_and_the_other_way_round():
    documented = re.findall(r"^### `([a-z_]+)`", section("docs/policy.md", "## Rules"), re.M)
    assert documented == [rule.name for rule in RULES]


def test_every_reason_code_is_documented_and_the_other_way_round():
    source = "".join(
        p.read_text() for p in [*CHECKOUT.glob("shared/rules/*.py"), CHECKOUT / "shared/evaluate.py"]
    )
    source += (CHECKOUT / "shared/verdict.py").read_text()
    in_code = set(re.findall(r'(?:Reason\(|_refuse\(\s*Outcome\.\w+,)\s*"([a-z-]+)"', source))
    in_code |= {"claimed", "no-record"}
    in_code |= set(re.findall(r'Exemption\("([a-z-]+)"', (CHECKOUT / "shared/exemption.py").read_text()))
    refusals = set(
        re.findall(r'Refused\(account, "([a-z-]+)"', (CHECKOUT / "shared/reviewers.py").read_text())
    )
    in_code |= {f"not-counted-{code}" for code in refusals}
    documented = set(re.findall(r"^- `([a-z-]+)`:", section("docs/policy.md", "## Rules"), re.M))
    assert documented == in_code


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?://|#|mailto:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def parts_of(page: Path) -> set[str]:
    """Its headings, as GitHub makes links of them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
    heads = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_to_parts_of_pages_lead_there(page):
    for target, part in re.findall(r"\]\((?!https?://)([^)#]*)#([^)]+)\)", page.read_text()):
        assert part in parts_of(page.parent / target if target else page), f"{page.name}: {target}#{part}"


def test_the_readme_names_only_commands_and_targets_that_exist():
    text = (CHECKOUT / "README.md").read_text()
    named = set(re.findall(r"(?:`|^ +|: +)foureyes ([a-z]+)\b", text, re.M))
    assert named <= set(COMMANDS), named - set(COMMANDS)
    targets = set(re.findall(r"^([a-z]+):", (CHECKOUT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"(?:`|^ +)make ([a-z]+)", text, re.M)) <= targets


def test_every_extra_is_named_as_people_install_it():
    extras = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(extras) == {"app", "postgres", "gunicorn", "sandbox", "dev"}


def test_modules_stay_small_and_no_name_shadows_a_library():
    for folder in ("shared", "hooks", "github_app"):
        for module in (CHECKOUT / folder).rglob("*.py"):
            assert len(module.read_text().splitlines()) <= 400, f"{module} is too long to be one idea"
            assert module.stem not in _TAKEN, f"{module} shadows a library or says nothing"

"""What the project's papers say about the project is so: named files exist, the example of a rule works."""

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from support_facts import POLICY, change, facts

from foureyes.shared.case import Case
from foureyes.shared.evaluate import VERSION
from foureyes.shared.facts import PullFacts
from foureyes.shared.rule import Rule
from foureyes.shared.verdict import Outcome

ROOT = Path(__file__).parents[2]
PAPERS = ("CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "docs/threat-model.md", "docs/decisions.md")
CASES = {f"G{number}" for number in range(1, 69)}


@pytest.mark.parametrize("paper", PAPERS)
def test_every_file_that_a_paper_names_exists(paper: str) -> None:
    text = (ROOT / paper).read_text("utf-8")
    named = set(re.findall(r"`((?:shared|hooks|github_app|tests|docs)/[\w./-]*)`", text))
    named |= set(re.findall(r"\]\(([\w./-]+)\)", text))
    here = {name for name in named if (ROOT / name).exists() or ((ROOT / paper).parent / name).exists()}
    assert named - here == set()


@pytest.mark.parametrize("paper", PAPERS)
def test_lines_are_short_enough_to_read_in_a_terminal(paper: str) -> None:
    lines = (ROOT / paper).read_text("utf-8").splitlines()
    assert [line for line in lines if len(line) > 130 and not line.startswith("|")] == []


def _example() -> tuple[Rule[Any], Callable[[int], Any]]:
    (source,) = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.DOTALL)
    module = ModuleType("example")
    exec(compile(source, "CONTRIBUTING.md", "exec"), vars(module))
    return module.RULE, module.Params


def test_the_example_of_a_rule_is_one() -> None:
    rule, params = _example()
    two = Case(facts(changes=(change(), change("infra/b.tf"))), POLICY)
    assert rule.check(two, params(2)).outcome is Outcome.PASS
    refused = rule.check(two, params(1))
    assert refused.outcome is Outcome.BLOCK
    assert refused.rule == rule.name == "reviewable"
    assert set(rule.needs) <= set(PullFacts.__dataclass_fields__)


def test_the_example_asks_for_every_fact_that_it_reads() -> None:
    rule, params = _example()
    hidden = facts(
        **{name: _Gone() for name in set(PullFacts.__dataclass_fields__) - {"pull", "at", *rule.needs}}
    )
    assert rule.check(Case(hidden, POLICY), params(9)).outcome is Outcome.PASS


class _Gone:
    why = "taken away by the test"


def test_threats_have_a_step_that_notices_and_cases_that_exist() -> None:
    text = (ROOT / "docs/threat-model.md").read_text("utf-8")
    rows = [
        line.strip("|").split("|")
        for line in text.splitlines()
        if line.startswith("| ") and "noticed by" not in line
    ]
    assert len(rows) > 40
    assert [row for row in rows if len(row) not in (3, 4) or not row[1].strip()] == []
    assert set(re.findall(r"\bG\d+\b", text)) <= CASES


def test_the_changelog_names_the_evaluator_of_this_version() -> None:
    newest = (ROOT / "CHANGELOG.md").read_text("utf-8").split("\n## ")[1]
    assert f"Evaluator version {VERSION}" in newest

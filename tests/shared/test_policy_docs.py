"""The reference and the schema say what the types say, both ways round."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from pydantic import BaseModel
from support_policy import FULL, SHORT

from foureyes.shared.policy import DEFAULT_TIERS, Automation, FileTier, PolicyFile, System, json_schema
from foureyes.shared.policy_text import PolicyError, parse_policy

TABLES: dict[str, type[BaseModel]] = {
    "## Keys": PolicyFile,
    "### A system": System,
    "### Tiers": FileTier,
    "### Automation": Automation,
}


@pytest.fixture
def page(checkout: Path) -> str:
    return (checkout / "docs" / "policy.md").read_text()


def section(page: str, heading: str) -> str:
    assert f"\n{heading}\n" in page
    return re.split(r"\n#+ ", page.split(f"\n{heading}\n")[1])[0]


@pytest.mark.parametrize("heading", TABLES)
def test_every_key_is_documented_and_nothing_else(page: str, heading: str) -> None:
    documented = re.findall(r"^\| `(\w+)` \|", section(page, heading), re.MULTILINE)
    assert sorted(documented) == sorted(TABLES[heading].model_fields)


def test_values_and_defaults_are_as_documented(page: str) -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", section(page, "## Keys"), re.MULTILINE))
    for name, part in json_schema()["properties"].items():
        allowed, default, _ = rows[name].split(" | ", 2)
        if "enum" in part:
            assert sorted(re.findall(r"`([\w-]+)`", allowed)) == sorted(part["enum"])
            assert default == f"`{part['default']}`"
        if part.get("type") == "boolean":
            assert default == f"`{str(part['default']).lower()}`"
        assert (default == "required") == (name in json_schema()["required"])


def test_the_table_of_tiers_is_the_defaults(page: str) -> None:
    rows = re.findall(
        r"^\| (\d) \| [^|]* \| (\d) \| (\d) \| (\d) \| ([^|]*) \| ([^|]*) \|$", page, re.MULTILINE
    )
    told = {int(number): (int(ai), int(unattested), int(human)) for number, ai, unattested, human, *_ in rows}
    assert told == {n: (tier.ai, tier.unattested, tier.human) for n, tier in DEFAULT_TIERS.items()}
    for number, *_, owner, stale in rows[:3]:
        tier = DEFAULT_TIERS[int(number)]
        assert (owner, stale) == (f"`{str(tier.owner).lower()}`", f"`{tier.stale}`")


def test_the_examples_of_the_page_are_the_ones_that_are_tested(page: str) -> None:
    assert re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[:2] == [SHORT, FULL]


BROKEN = """\
version: 1
roster: ["@acme/engineers"]
machine_user: [acme-release]
systems:
  payments: {paths: ["pay**"]}
  ledger: {paths: ["ledger/**"], tier: 0}
"""


def test_the_errors_of_the_page_are_the_ones_that_are_told(page: str) -> None:
    with pytest.raises(PolicyError) as refused:
        parse_policy(BROKEN)
    assert section(page, "## Errors").split("```\n")[1].splitlines() == str(refused.value).splitlines()


def test_the_patterns_of_the_page_are_patterns(page: str) -> None:
    for cell in re.findall(r"^\| (`.*`.*?) \|", section(page, "## Patterns"), re.MULTILINE):
        for pattern in re.findall(r"`([^`]+)`", cell):
            assert parse_policy(f'version: 1\nroster: ["@a/b"]\nprotected: [x, {json.dumps(pattern)}]\n')


def test_the_schema_file_is_current(checkout: Path) -> None:
    kept = json.loads((checkout / "docs" / "policy.schema.json").read_text())
    wanted = 'write it anew: python -c "import json; from foureyes.shared.policy import json_schema as s; print(json.dumps(s(), indent=2))"'
    assert kept == json_schema(), wanted


def as_json(value: Any) -> Any:
    """What an editor makes of the file: JSON has no days and no numbers as keys."""
    match value:
        case dict():
            return {str(key): as_json(part) for key, part in value.items()}
        case list():
            return [as_json(part) for part in value]
        case None | bool() | int():
            return value
        case _:
            return str(value)


def refusals(text: str) -> list[str]:
    validator = Draft202012Validator(json_schema())
    return [error.message for error in validator.iter_errors(as_json(yaml.safe_load(text)))]


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("text", [SHORT, FULL, f"{SHORT}tiers: {{1: {{stale: head}}}}\n"])
def test_the_schema_takes_what_the_parser_takes(text: str) -> None:
    assert parse_policy(text)
    assert refusals(text) == []


@pytest.mark.parametrize(
    "line",
    [
        "rooster: []",
        "mode: enfroce",
        "systems: {X: {paths: [a]}}",
        "systems: {x: {paths: [a], teir: 1}}",
        "systems: {x: {tier: 1}}",
        "systems: {x: {paths: [a], tier: 4}}",
        "tiers: {3: {ai: 1}}",
        "tiers: {1: {ai: two}}",
        'machine_users: ["@a"]',
        "branches: main",
        "automation: {r: {app: 1, paths: [a]}}",
    ],
)
def test_the_schema_refuses_what_the_parser_refuses(line: str) -> None:
    assert refusals(f"{SHORT}{line}\n")


@pytest.mark.parametrize("missing", ["version", "roster", "protected"])
def test_the_schema_asks_for_what_is_required(missing: str) -> None:
    assert refusals("".join(line for line in SHORT.splitlines(keepends=True) if not line.startswith(missing)))

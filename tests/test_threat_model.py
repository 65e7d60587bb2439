"""The threat model names modules and tests that there are, and the acceptance cases that its tests name."""

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent
PAGE = (CHECKOUT / "docs" / "threat-model.md").read_text()
SERVICE = PAGE.split("### The service\n")[1].split("\n## ")[0]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in SERVICE.splitlines()
    if line.startswith("| ")
][1:]


def named_in(cell: str) -> list[Path]:
    names = re.findall(r"`((?:tests/flow/)?test_\w+\.py)`", cell)
    return [CHECKOUT / (name if "/" in name else f"tests/github_app/{name}") for name in names]


def test_every_module_that_is_named_is_there():
    for name in re.findall(r"`((?:shared|github_app|hooks)/[a-z_/]+\.py)`", PAGE):
        assert (CHECKOUT / name).is_file(), name


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:40])
def test_each_threat_to_the_service_is_tried(row):
    *_, case, tried = row
    files = named_in(tried)
    assert files, "no test is named"
    assert all(file.is_file() for file in files), files
    # A case is shown by a test of that name, wherever it stands.
    for number in re.findall(r"G\d+", case):
        pattern = re.compile(rf"\b(?:test_)?{number}\b|{number}_", re.IGNORECASE)
        everywhere = [*CHECKOUT.glob("tests/**/test_*.py")]
        assert any(pattern.search(file.read_text()) for file in everywhere), f"no test names {number}"

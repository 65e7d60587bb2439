"""The map at the top of each part names every file that is there, once, and no other."""

import re
from collections import Counter
from importlib import import_module

import pytest
from support_git import CHECKOUT


@pytest.mark.parametrize("part", ["hooks", "github_app", "shared"])
def test_every_file_stands_in_the_map_of_its_part_once(part: str) -> None:
    told = import_module(f"foureyes.{part}").__doc__ or ""
    beginning = told.index("\n\n")
    lines = [line[19:] for line in told[beginning:].splitlines() if line.strip()]
    words = Counter(re.findall(r"[a-z_]+(?:\.sh)?", " ".join(lines)))
    folder = CHECKOUT / part
    files = {path.stem for path in folder.glob("*.py")} | {path.name for path in folder.glob("*.sh")}
    files -= {"__init__"}
    assert {name: words[name] for name in files if words[name] != 1} == {}
    folders = {path.name for path in folder.iterdir() if path.is_dir()}
    named = {word for word in words if "_" in word or word.endswith(".sh")}
    assert named - files - folders == set()


def test_every_module_of_the_core_can_be_imported() -> None:
    """Also one that only the other two halves use: the core's coverage is measured in its own tests."""
    names = [
        ".".join(path.relative_to(CHECKOUT).with_suffix("").parts) for path in CHECKOUT.glob("shared/**/*.py")
    ]
    for name in names:
        import_module(f"foureyes.{name}".removesuffix(".__init__"))
    assert "shared.finding" in names

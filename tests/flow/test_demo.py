"""The demo is a guard, not a show: it fails when a rule is taken out of the server, or the merge button's check is off.

G68: a guard that cannot fail is none.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from foureyes.shared.rules import RULES

CHECKOUT = Path(__file__).parent.parent.parent

# Loaded by every Python of the demo at its start; only the server's process loses the rule.
_WITHOUT_A_RULE = """
import sys
if "serve" in sys.argv:
    import foureyes.shared.rules as rules
    rules.RULES = tuple(rule for rule in rules.RULES if rule.name != {name!r})
"""


def demo(*options: object, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    ways = [str(way) for way in (path, CHECKOUT / ".types") if way]
    return subprocess.run(
        [sys.executable, "-c", "from foureyes.hooks.cli import main; main()", "demo", *map(str, options)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(ways)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_the_story_goes_as_told():
    done = demo()
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    for words in (
        "Passed: no protected path is touched",
        "Waiting: 0 of 2 humans. Next: @ana",
        "so this approval is shown but is not one of the two",
        "Waiting: 1 of 2 humans",
        "Passed: 2 humans approved this content",
        "1 commit has no record",
        "equal, to the byte",
        "What to try next",
    ):
        assert words in done.stdout


def test_G68_without_the_merge_check_the_story_fails():
    done = demo("--no-merge-check", "--json")
    assert done.returncode == 1
    assert "GitHub refuses the merge" in json.loads(done.stdout)["problem"]


@pytest.mark.parametrize("name", [rule.name for rule in RULES])
def test_G68_without_one_rule_the_story_fails(name, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(_WITHOUT_A_RULE.format(name=name))
    done = demo("--json", "--patience", 8, path=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    problem = json.loads(done.stdout)["problem"]
    assert f"the rule {name}" in problem or "last: completed/success: Passed: 0 humans" in problem


def test_it_plays_on_a_copy_of_ones_own_repository(tmp_path):
    repo = tmp_path / "my repo ü"
    subprocess.run(["git", "init", "-q", repo], check=True)
    for number in range(3):
        path = repo / "engine" / f"part{number}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{number}\n")
    subprocess.run(["git", "-C", repo, "add", "-A"], check=True)
    subprocess.run(["git", "-C", repo, "commit", "-q", "-m", "Mine"], check=True)
    before = subprocess.run(["git", "-C", repo, "for-each-ref"], check=True, capture_output=True).stdout
    done = demo("--repo", repo)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert "engine/part0.txt" in done.stdout
    assert (
        subprocess.run(["git", "-C", repo, "for-each-ref"], check=True, capture_output=True).stdout == before
    )


def test_a_folder_that_is_no_repository_is_refused_with_a_way_out(tmp_path):
    done = demo("--repo", tmp_path)
    assert done.returncode == 1
    assert "name a clone with at least one commit" in done.stderr

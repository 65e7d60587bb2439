"""The demo is a guard, not a show: it fails when a rule is taken out of the server, or the merge button's check is off.

G68: a guard that cannot fail is none.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from foureyes.github_app.sandbox.demo import _where_it_is
from foureyes.github_app.sandbox.demo_story import RULE_NAMES

CHECKOUT = Path(__file__).parent.parent.parent

# Loaded by every Python of the demo at its start; only the server's process loses the rule.
_WITHOUT_A_RULE = """
import sys
if "serve" in sys.argv:
    import foureyes.shared.rules as rules
    rules.RULES = tuple(rule for rule in rules.RULES if rule.name != {name!r})
"""


COMMAND = [sys.executable, "-c", "from foureyes.hooks.cli import main; main()", "demo"]


def demo(*options: object, path: Path | None = None, **over: str) -> subprocess.CompletedProcess[str]:
    ways = [str(way) for way in (path, CHECKOUT / ".types") if way]
    with tempfile.TemporaryDirectory() as logs:
        return subprocess.run(
            [*COMMAND, *map(str, options)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(ways), "TMPDIR": logs, **over},
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
        "the approval is shown but is not one of the two",
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


@pytest.mark.parametrize("name", RULE_NAMES)
def test_G68_without_one_rule_the_story_fails(name, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(_WITHOUT_A_RULE.format(name=name))
    done = demo("--json", "--patience", 120, path=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    problem = json.loads(done.stdout)["problem"]
    assert f"the rule {name}" in problem or "too early; got completed/success: Passed: 0 humans" in problem


def test_it_plays_on_a_copy_of_ones_own_repository(tmp_path):
    """Also of a shallow one, as a fast clone or a CI's is."""
    whole, repo = tmp_path / "whole", tmp_path / "my repo ü"
    subprocess.run(["git", "init", "-q", whole], check=True)
    for number in range(3):
        path = whole / "engine" / f"part{number}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{number}\n")
        subprocess.run(["git", "-C", whole, "add", "-A"], check=True)
        subprocess.run(["git", "-C", whole, "commit", "-q", "-m", "Mine"], check=True)
    subprocess.run(["git", "clone", "-q", "--depth=1", whole.as_uri(), repo], check=True)
    before = subprocess.run(["git", "-C", repo, "for-each-ref"], check=True, capture_output=True).stdout
    done = demo("--repo", repo)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert "engine/part0.txt" in done.stdout
    assert (
        subprocess.run(["git", "-C", repo, "for-each-ref"], check=True, capture_output=True).stdout == before
    )


def test_a_folder_that_is_no_repository_is_refused_with_a_way_out(tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir()
    done = demo("--repo", tmp_path, TMPDIR=str(kept))
    assert done.returncode == 1
    assert "name a clone with at least one commit" in done.stderr
    assert "NOT as told" not in done.stderr
    assert not list(kept.iterdir())


def test_what_a_process_of_it_lacks_is_said_as_that_process_says_it(tmp_path):
    done = demo(PATH=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("foureyes: the sandbox needs git, which is not here")


def test_stopped_half_way_nothing_is_left(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT / ".types"), "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        COMMAND, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        while not process.stdout.readline().startswith("1. "):
            pass
        log = next(tmp_path.glob("foureyes-demo-*/app.log"))
        process.terminate()
        assert process.wait(60) == 130
        assert not log.exists()
    assert not list(tmp_path.iterdir())


def test_what_to_try_next_can_be_typed(tmp_path, monkeypatch):
    program = tmp_path / "foureyes"
    program.write_text("")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", "/nowhere")
    assert _where_it_is(str(program)) == f', after   export PATH="{tmp_path}:$PATH"'
    monkeypatch.setenv("PATH", str(tmp_path))
    assert _where_it_is(str(program)) == ""
    assert _where_it_is("-c") == ""

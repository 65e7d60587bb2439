"""The seal: no test sees this machine's HOME, git configuration, keys, agents' markers or clock zone."""

import itertools
import os
from pathlib import Path

import pytest
import support_orphan
from hypothesis import Phase, settings

_KEPT = {"PATH", "LANG", "LC_ALL", "TMPDIR", "CI", "PYTHONPATH", "VIRTUAL_ENV", "PYTEST_XDIST_WORKER"}
_KEPT_PREFIXES = ("COV_", "COVERAGE_", "PYTEST_", "HYPOTHESIS_", "FOUREYES_TEST_")
_homes = itertools.count()

# Every run tries the same examples, so that a red run is red again; the long profile tries others each time.
settings.register_profile("alike", derandomize=True, deadline=None)
settings.register_profile("long", deadline=None)
# Of a mistake that was made on purpose nobody wants the smallest example.
settings.register_profile("mutate", derandomize=True, deadline=None, phases=(Phase.explicit, Phase.generate))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "alike"))


def pytest_configure(config: pytest.Config) -> None:
    if support_orphan.started_by_an_agent():
        support_orphan.leave(config)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    support_orphan.tell(session.config, exitstatus)


@pytest.fixture(autouse=True)
def seal(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty home, no system or global git configuration, fixed identity, no agent in the environment."""
    for name in list(os.environ):
        if name not in _KEPT and not name.startswith(_KEPT_PREFIXES):
            monkeypatch.delenv(name)
    # Not by mktemp, which looks through the folders of all tests before this one.
    home = tmp_path_factory.getbasetemp() / "homes" / str(next(_homes))
    home.mkdir(parents=True)
    (home / ".gitconfig").write_text(
        "[user]\n\tname = Test Person\n\temail = person@example.com\n[init]\n\tdefaultBranch = main\n"
        "[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n[commit]\n\tgpgsign = false\n"
    )
    for name, value in {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_EDITOR": "false",
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def checkout() -> Path:
    """The project's own folder."""
    return Path(__file__).parent.parent

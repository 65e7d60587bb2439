"""What git may use follows from the machine: all that can run at once fits into it."""

from pathlib import Path

import pytest

from foureyes.github_app.client import GitHub
from foureyes.github_app.deps import Mirrors
from foureyes.github_app.git_process import MIB
from foureyes.github_app.machine_memory import LEAST, MOST, git_memory, memory
from foureyes.github_app.settings import Settings
from foureyes.shared.facts import Repository


def put(root: Path, path: str, text: str) -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_the_container_that_we_run_in_decides(tmp_path: Path) -> None:
    put(tmp_path, "proc/self/cgroup", "0::/pods/one\n")
    put(tmp_path, "sys/fs/cgroup/pods/one/memory.max", "max\n")
    put(tmp_path, "sys/fs/cgroup/pods/memory.max", f"{2_048 * MIB}\n")
    assert memory(tmp_path) == 2_048 * MIB
    put(tmp_path, "sys/fs/cgroup/pods/one/memory.max", f"{1_024 * MIB}\n")
    assert memory(tmp_path) == 1_024 * MIB


def test_a_container_sees_its_own_group_as_the_only_one(tmp_path: Path) -> None:
    put(tmp_path, "proc/self/cgroup", "0::/\n")
    put(tmp_path, "sys/fs/cgroup/memory.max", f"{512 * MIB}\n")
    assert memory(tmp_path) == 512 * MIB


def test_older_control_groups_are_read_too(tmp_path: Path) -> None:
    put(tmp_path, "proc/self/cgroup", "5:cpu,cpuacct:/a\n4:memory:/docker/x\nodd\n")
    put(tmp_path, "sys/fs/cgroup/memory/memory.limit_in_bytes", f"{2**63 - 4096}\n")
    put(tmp_path, "sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes", f"{768 * MIB}\n")
    assert memory(tmp_path) == 768 * MIB


@pytest.mark.parametrize(
    ("machine", "workers", "one"),
    [(8_192, 4, 1_228), (8_192, 1, 3_072), (65_536, 4, 4_096), (1_024, 4, 256)],
)
def test_what_one_process_may_use(tmp_path: Path, machine: int, workers: int, one: int) -> None:
    put(tmp_path, "sys/fs/cgroup/memory.max", f"{machine * MIB}\n")
    put(tmp_path, "proc/self/cgroup", "0::/\n")
    assert git_memory(workers, tmp_path) // MIB == one
    assert LEAST <= git_memory(workers, tmp_path) <= MOST


def test_where_nothing_is_told_it_is_as_much_as_ever(tmp_path: Path) -> None:
    assert git_memory(4, tmp_path) == MOST


def test_this_machine_tells() -> None:
    assert 0 < memory() < MOST * 1024


def test_each_mirror_of_a_server_is_bound_by_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foureyes.github_app.machine_memory.memory", lambda _root: 8_192 * MIB)
    settings = Settings(0, "", (), workers=3)
    mirrors = Mirrors(tmp_path, settings)
    client = GitHub(settings).installation(7)
    assert mirrors.of(client, Repository(9, "acme", "shop")).bounds.memory == 1_536 * MIB

"""What one repository may take: disk, memory, time; and how a mirror that grew is kept small."""

import errno
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import Engine
from support_repository import Bare

from foureyes.github_app import git_process, mirror_bounds, storage, unused_mirrors
from foureyes.github_app.deps import Mirrors
from foureyes.github_app.git_process import MIB
from foureyes.github_app.mirror import GitError, Mirror, Remote, Trouble
from foureyes.github_app.mirror_bounds import Bounds, size
from foureyes.github_app.settings import Settings
from foureyes.github_app.sweep_tables import repository_swept
from foureyes.github_app.unused_mirrors import drop_unused


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def bare(tmp_path: Path) -> Bare:
    return Bare.make(tmp_path / "origin.git")


def mirror_of(bare: Bare, tmp_path: Path, **bounds: object) -> Mirror:
    remote = Remote(bare.url, protocols=("file",))
    return Mirror(tmp_path / "mirrors" / "7.git", remote, bounds=Bounds(**bounds))  # type: ignore[arg-type]


def fetched(mirror: Mirror, *oids: str) -> None:
    mirror.fetch([f"+{oid}:refs/foureyes-mirror/test/{oid}" for oid in oids])


def big(bare: Bare) -> str:
    return bare.blob(os.urandom(3 * MIB))


def test_what_is_larger_than_allowed_is_refused_with_what_to_do(bare: Bare, tmp_path: Path) -> None:
    clock = Clock()
    mirror = mirror_of(bare, tmp_path, disk=2 * MIB, clock=clock)
    blob = big(bare)
    head = bare.commit({"big": ("100644", blob)})
    fetched(mirror, head)
    with pytest.raises(GitError) as error:
        mirror.fetch_objects([blob])
    assert error.value.trouble is Trouble.TOO_BIG
    assert "MIB" in error.value.why
    assert size(mirror.folder) < MIB, "nothing half-done stays"
    assert mirror.missing([head]) == ()


def test_the_same_is_not_tried_again_for_a_while_and_all_else_is(
    bare: Bare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    mirror = mirror_of(bare, tmp_path, disk=2 * MIB, clock=clock)
    tried: list[object] = []
    real = git_process.run

    def counted(*args: object, **more: object) -> object:
        tried.append(args[1])
        return real(*args, **more)  # type: ignore[arg-type]

    blob, small = big(bare), bare.blob("small")
    head = bare.commit({"big": ("100644", blob), "small": ("100644", small)})
    fetched(mirror, head)
    monkeypatch.setattr(git_process, "run", counted)
    for pause in (60, 120, 240):
        for _ in range(2):
            with pytest.raises(GitError) as error:
                mirror.fetch_objects([blob])
            assert error.value.trouble is Trouble.TOO_BIG
        assert tried.count("fetch") == 1
        clock.now += pause
        tried.clear()
    mirror.fetch_objects([small])
    assert mirror.missing([small]) == ()


def test_memory_is_bounded_for_helpers_too(bare: Bare, tmp_path: Path) -> None:
    blob = big(bare)
    head = bare.commit({"big": ("100644", blob)})
    mirror = mirror_of(bare, tmp_path)
    fetched(mirror, head)
    mirror.fetch_objects([blob])
    mirror.bounds.memory = 1 * MIB
    with pytest.raises(GitError):
        mirror.fetch([f"+{head}:refs/foureyes-mirror/other"])


def bomb(bare: Bare) -> str:
    """A commit of 100,000 files in six objects."""
    tree = bare.tree({f"file-{number}": "x" for number in range(10)})
    for _ in range(4):
        entries = "".join(f"040000 tree {tree}\tfolder-{number}\n" for number in range(10))
        tree = bare.git("mktree", stdin=entries.encode())
    return bare.commit(tree)


def test_a_comparison_that_takes_too_much_is_not_made_again_for_a_while(
    bare: Bare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    mirror = mirror_of(bare, tmp_path, clock=clock)
    small, large = bare.commit({"a": "1"}), bomb(bare)
    fetched(mirror, small, large)
    mirror.bounds.memory = 16 * MIB
    ways = (
        lambda: mirror.diff(small, large, ["-r", "--raw", "-z"]),
        lambda: mirror.diff_pairs([(small, large)], ["-r", "--raw", "-z"]),
    )
    for compare in ways:
        with pytest.raises(GitError) as error:
            compare()
        assert error.value.trouble is Trouble.TOO_BIG
        with monkeypatch.context() as nothing_runs:
            nothing_runs.setattr(git_process, "run", None)
            with pytest.raises(GitError):
                compare()
        clock.now += 61
        with pytest.raises(GitError):
            compare()
    assert mirror.diff(small, small, ["-r"]) == b""


def test_what_the_system_ends_for_want_of_memory_is_too_big_and_no_damage(
    bare: Bare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken for damage, the mirror would be fetched anew, to end in the same way."""
    mirror = mirror_of(bare, tmp_path)
    head = bare.commit({"a": "1"})
    fetched(mirror, head)
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    for script in ("kill -9 $$", "echo 'error: index-pack died of signal 9' >&2; exit 128"):
        fake.write_text(f"#!/bin/sh\n{script}\n")
        fake.chmod(0o755)
        monkeypatch.setenv("PATH", f"{fake.parent}:/usr/bin:/bin")
        with pytest.raises(GitError) as error, mirror.rebuilt_if_damaged():
            mirror.range(head, [], 10)
        assert error.value.trouble is Trouble.TOO_BIG
        assert mirror.exists


def test_a_fetch_that_goes_on_keeps_what_it_has_while_another_question_is_refused(
    bare: Bare, tmp_path: Path
) -> None:
    mirror = mirror_of(bare, tmp_path)
    small, large = bare.commit({"a": "1"}), bomb(bare)
    fetched(mirror, small, large)
    half = mirror.folder / "objects" / "pack" / "tmp_pack_Half1"
    half.write_bytes(b"PACK")
    mirror.bounds.memory = 16 * MIB
    with pytest.raises(GitError):
        mirror.diff(small, large, ["-r", "--raw", "-z"])
    assert half.exists()
    mirror_bounds.drop_half_done(mirror.folder, time.time() - 86_400)
    assert half.exists()
    mirror_bounds.drop_half_done(mirror.folder)
    assert not half.exists()


def test_a_full_mirror_begins_anew_once_an_hour(bare: Bare, tmp_path: Path) -> None:
    clock = Clock()
    mirror = mirror_of(bare, tmp_path, clock=clock)
    old = big(bare)
    head = bare.commit({"big": ("100644", old)})
    fetched(mirror, head)
    mirror.fetch_objects([old])
    mirror.bounds.disk = 3 * MIB
    fetched(mirror, head)
    assert mirror.missing([old]) == (old,)
    assert mirror.missing([head]) == ()
    mirror.bounds.disk = 1
    with pytest.raises(GitError) as error:
        fetched(mirror, head)
    assert error.value.trouble is Trouble.TOO_BIG
    assert mirror.exists


def test_nobody_waits_long_for_anothers_fetch(bare: Bare, tmp_path: Path) -> None:
    mirror = mirror_of(bare, tmp_path, patience=0.01)
    head = bare.commit({"a": "1"})
    held, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with mirror._lock:
            held.set()
            leave.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(30)
    with pytest.raises(GitError) as error:
        fetched(mirror, head)
    assert error.value.trouble is Trouble.BUSY
    leave.set()
    thread.join()
    fetched(mirror, head)


def test_many_small_packs_become_one_and_nothing_that_was_fetched_is_lost(
    bare: Bare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror_bounds, "MOST_PACKS", 3)
    mirror = mirror_of(bare, tmp_path)
    heads = [bare.commit({"a": f"line {number}\n"}) for number in range(6)]
    blob = bare.blob("line 3\n")
    for head in heads:
        fetched(mirror, head)
    mirror.fetch_objects([blob])
    merged = mirror.automatic_merge(heads[0], heads[0]).tree
    packs = mirror.folder / "objects" / "pack"
    assert len(list(packs.glob("*.pack"))) > 3
    assert mirror.tidy()
    assert len(list(packs.glob("*.pack"))) <= 2
    assert not mirror.tidy()
    assert mirror.missing([*heads, blob, merged]) == ()
    assert mirror.objects([blob], "blob") == {blob: b"line 3\n"}
    other = bare.blob("line 4\n")
    assert mirror.missing([other]) == (other,)
    mirror.fetch_objects([other])
    assert mirror.missing([other]) == ()


def aged(mirror: Mirror, days: float) -> None:
    """As if nobody had used it for so long."""
    at = time.time() - days * 86_400
    for path in (mirror.folder / "HEAD", mirror.folder / "objects" / "pack"):
        os.utime(path, (at, at))


def test_what_nobody_uses_is_dropped_and_can_be_fetched_again(bare: Bare, tmp_path: Path) -> None:
    mirror = mirror_of(bare, tmp_path)
    head = bare.commit({"a": "1\n"})
    fetched(mirror, head)
    a_day_ago = time.time() - 86_400
    assert not mirror_bounds.drop_unused(mirror.folder, a_day_ago)
    aged(mirror, 2)
    assert mirror.missing([head]) == (), "a question alone is a use"
    assert not mirror_bounds.drop_unused(mirror.folder, a_day_ago)
    aged(mirror, 2)
    assert mirror_bounds.drop_unused(mirror.folder, a_day_ago)
    assert not mirror_bounds.drop_unused(mirror.folder, a_day_ago)
    assert list(mirror.folder.parent.iterdir()) == []
    assert mirror.missing([head]) == (head,)
    fetched(mirror, head)


def test_what_another_process_uses_is_not_dropped_however_old_its_mark(bare: Bare, tmp_path: Path) -> None:
    """A clock that was set forward makes everything old."""
    mirror = mirror_of(bare, tmp_path)
    head = bare.commit({"a": "1\n"})
    fetched(mirror, head)
    program = (
        "import sys; from pathlib import Path; from foureyes.github_app.mirror_bounds import in_use\n"
        "with in_use(Path(sys.argv[1])): print('in use', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(mirror.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"in use\n"
        assert not mirror_bounds.drop_unused(mirror.folder, time.time() + 86_400)
        other.communicate()
    assert mirror.missing([head]) == ()
    assert mirror_bounds.drop_unused(mirror.folder, time.time() + 86_400)


def test_of_a_disk_that_knows_no_locks_nothing_is_dropped(
    bare: Bare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = mirror_of(bare, tmp_path)
    head = bare.commit({"a": "1\n"})

    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(mirror_bounds, "flock", no_locks)
    fetched(mirror, head)
    assert not mirror_bounds.drop_unused(mirror.folder, time.time() + 60)
    assert mirror.missing([head]) == ()


def test_mirrors_outside_any_installation_go_after_a_day_and_all_after_a_month(
    sqlite_engine: Engine, bare: Bare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, folder = time.time(), tmp_path / "mirrors"
    head = bare.commit({"a": "1\n"})
    ages = {1: 0.5, 2: 2.0, 3: 29.0, 4: 31.0, 5: 31.0}
    for number, days in ages.items():
        mirror = Mirror(folder / f"{number}.git", mirror_of(bare, tmp_path).remote)
        fetched(mirror, head)
        aged(mirror, days)
    for name in ("discarded-x", "new-x"):
        (folder / name / "mirror").mkdir(parents=True)
        os.utime(folder / name, (now - 90_000, now - 90_000))
    (folder / "new-y").mkdir()
    with storage.writing(sqlite_engine) as conn:
        for number in (3, 4):
            row = {"repository_id": number, "installation_id": 7, "until": 1, "tip": head}
            conn.execute(repository_swept.insert().values(row))
    monkeypatch.setattr(unused_mirrors, "MOST", 2)
    assert drop_unused(folder, sqlite_engine, now) == 2
    assert sorted(path.name for path in folder.iterdir()) == ["1.git", "3.git", "5.git", "new-y"]
    assert drop_unused(folder, sqlite_engine, now) == 1
    assert sorted(path.name for path in folder.iterdir()) == ["1.git", "3.git", "new-y"]
    assert drop_unused(tmp_path / "nothing", sqlite_engine, now) == 0
    aged(Mirror(folder / "1.git", mirror_of(bare, tmp_path).remote), 2)
    Mirrors(folder, Settings(0, "", ())).tidy(sqlite_engine)
    assert sorted(path.name for path in folder.iterdir()) == ["3.git", "new-y"]


def test_what_merges_left_goes_after_a_day(bare: Bare, tmp_path: Path) -> None:
    mirror = mirror_of(bare, tmp_path)
    base = bare.commit({"a": "1\n", "b": "1\n"})
    one, other = bare.commit({"a": "2\n", "b": "1\n"}, base), bare.commit({"a": "1\n", "b": "2\n"}, base)
    fetched(mirror, base, one, other)
    tree = mirror.automatic_merge(one, other).tree
    assert mirror.missing([tree]) == ()
    mirror_bounds.drop_loose(mirror.folder, time.time() - 86_400)
    assert mirror.missing([tree]) == ()
    mirror_bounds.drop_loose(mirror.folder, time.time() + 60)
    assert mirror.missing([tree]) == (tree,)
    assert mirror.automatic_merge(one, other).tree == tree
    assert mirror.missing([base, one, other]) == ()

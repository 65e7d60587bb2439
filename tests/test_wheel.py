"""What people install: built through the sdist, one top-level name, every subpackage and data file, a working command."""

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest


def run(*command: object, cwd: Path | None = None) -> str:
    """Without this checkout on Python's path: only what is installed can answer."""
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=clean,
        cwd=cwd,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> tuple[Path, Path]:
    """(sdist, wheel): the wheel is built from the sdist, in a tree without this checkout."""
    checkout = Path(__file__).parent.parent
    out = tmp_path_factory.mktemp("dist")
    tracked = run(
        "git", "-C", checkout, "ls-files", "-z", "--cached", "--others", "--exclude-standard"
    ).split("\0")
    tree = tmp_path_factory.mktemp("tree")
    for name in filter(None, tracked):
        source, target = checkout / name, tree / name
        if source.is_file() and not source.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
    run(sys.executable, "-m", "build", "--outdir", out, tree)
    return next(out.glob("*.tar.gz")), next(out.glob("*.whl"))


def test_the_wheel_adds_one_name_and_holds_every_module_and_data_file(built, checkout):
    _, wheel = built
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"foureyes"}
    tracked = run("git", "-C", checkout, "ls-files", "-z", "shared", "hooks", "github_app").split("\0")
    wanted = {f"foureyes/{name}" for name in tracked if name}
    assert wanted <= set(names), sorted(wanted - set(names))


def test_the_sdist_holds_what_a_rebuild_and_a_reader_need(built):
    sdist, _ = built
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"app.yml", "Makefile", "README.md", "LICENSE", "docs/policy.md", "tests/conftest.py"} <= names


def test_it_installs_into_an_empty_environment_and_answers(built, tmp_path, checkout):
    _, wheel = built
    venv.create(tmp_path / "env", with_pip=False)
    pip = (sys.executable, "-m", "pip", "--python", tmp_path / "env" / "bin" / "python")
    install = (*pip, "install", "-q", "--disable-pip-version-check", "--no-compile")
    constraints = checkout / ".ci" / "constraints.txt"
    (site,) = (tmp_path / "env" / "lib").glob("python*/site-packages")
    before = {entry.name for entry in site.iterdir()}
    run(*install, "--no-deps", wheel)
    added = {entry.name for entry in site.iterdir()} - before
    assert {name for name in added if not name.endswith(".dist-info")} == {"foureyes"}
    run(*install, "-c", constraints, wheel)
    foureyes = tmp_path / "env" / "bin" / "foureyes"
    assert "Two humans look" in run(foureyes, "--help", cwd=tmp_path)
    with pytest.raises(AssertionError, match=r"pip install 'foureyes\[app\]'"):
        run(foureyes, "serve", cwd=tmp_path)

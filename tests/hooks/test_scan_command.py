"""The command as people meet it: text, JSON, the page, privacy, wrong use, and Ctrl-C."""

import json
import os
import re
import signal
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from support_git import commit, git, make_repo, python_env, run
from support_in_process import ended, said
from support_made_history import Made, make_history

from foureyes.hooks import scan_text

CLAUDE = b"\n\nCo-authored-by: Claude Opus 5 <noreply@anthropic.com>"
CODE = "from foureyes.hooks.cli import main; main()"


def scan(cwd: Path, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    status, out, told = ended(cwd, "scan", *arguments, env=env)
    return subprocess.CompletedProcess(arguments, status, out.encode(), told.encode())


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Three months; an agent deletes 40 lines in the last."""
    at = 1_760_000_000
    month = 31 * 86_400
    made = [
        Made(
            b"Olgas-title one", b"Olga Secretname <olga@example.com>", files={b"src/a/x": b"1\n" * 40}, at=at
        ),
        Made(
            b"two" + CLAUDE, b"Ben Hiddenname <ben@example.com>", files={b"src/a/y": b"1\n2\n"}, at=at + month
        ),
        Made(
            b"Olgas-title (#7)" + CLAUDE + b"\nSigned-off-by: Mia Thirdname <mia@example.com>",
            b"Olga Secretname <olga@example.com>",
            b"Raj Fourthname <raj@example.com>",
            files={b"src/a/x": None},
            at=at + 2 * month,
        ),
    ]
    make_history(tmp_path / "shop", made)
    return tmp_path / "shop"


def test_a_narrow_terminal_is_enough_however_long_the_names_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(scan_text, "columns", lambda: 80)
    long = f"services/{'a-long-name-' * 8}/x".encode()
    make_history(tmp_path / "shop", [Made(b"one (#1)" + CLAUDE, files={long: b"1\n"}, at=1_760_000_000)])
    text = scan(tmp_path / "shop").stdout.decode()
    assert "services/a-long-name-" in text
    assert [line for line in text.splitlines() if len(line) > 80 and "protected: [" not in line] == []


def test_what_a_newcomer_reads(shop: Path):
    done = scan(shop)
    text = done.stdout.decode()
    assert (done.returncode, done.stderr) == (0, b"")
    assert "shop (main): 3 commits, 2025-10-09 to 2025-12-10" in text
    assert "An agent is named in 67 % of the commits: 2 of 3." in text
    rows = {line.split()[0]: line.split() for line in text.split("\n") if line.strip()}
    assert rows["Claude"][2:8] == ["2", "67", "%", "2", "40", "trailer"]
    assert re.search(r"no record +1 +33 % +40 +0\n", text)
    assert re.search(r"2025-10 +0 % +0 of 1\n2025-11 +█+ +100 % +1 of 1\n2025-12 +█+ +100 % +1 of 1\n", text)
    assert 'protected: ["src/a/**"]' in text
    assert (
        "Of the last 1 merge (1 squash), 1 would have waited for two humans, were those folders protected"
        in text
    )
    assert re.search(
        r"40 lines, 1 whole file   [0-9a-f]{10}  2025-12-10  Claude Code, mostly in src/a/", text
    )
    assert "A lower bound" in text
    assert "\x1b" not in text


def test_people_are_named_only_where_they_were_asked_for(shop: Path, tmp_path: Path):
    page = tmp_path / "page.html"
    names = [
        "Secretname",
        "Hiddenname",
        "Thirdname",
        "Fourthname",
        "Olgas-title",
        "example.com",
        "Olga",
        "Ben ",
    ]
    text = (
        scan(shop, "--html", str(page)).stdout.decode()
        + scan(shop, "--json").stdout.decode()
        + page.read_text()
    )
    assert not [name for name in names if name in text]
    for arguments in (["--people"], ["--people", "--json"]):
        told = scan(shop, *arguments).stdout.decode()
        assert "Olga Secretname" in told
        assert "Olgas-title (#7)" in told
    scan(shop, "--people", "--html", str(page))
    assert "Olga Secretname" in page.read_text()


def test_the_json_is_one_value_on_stdout_whatever_else_is_asked(shop: Path, tmp_path: Path):
    done = scan(shop, "--json", "--html", str(tmp_path / "page.html"), "--top", "1")
    told = json.loads(done.stdout)
    assert told["complete"] is True
    assert [month["month"] for month in told["months"]] == ["2025-10", "2025-11", "2025-12"]
    assert len(told["largest_deletions"]) == 1
    assert "people" not in told
    assert (tmp_path / "page.html").is_file()


class Page(HTMLParser):
    """Every tag in its place, and every address that the page would ask for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [
            f"{k}={v}" for k, v in attrs if k in {"src", "href", "action", "data"} or k.startswith("on")
        ]
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_stands_alone_and_nothing_in_it_is_anyone_elses_markup(tmp_path: Path):
    bad = b"<script>alert(1)</script>\"'&<img src=x onerror=alert(1)>"
    made = [
        Made(
            b"%b%b" % (bad, CLAUDE),
            b"&lt;i'x\" <x@example.com>",
            files={bad.replace(b"/", b"|") + b"/f": b"1\n" * n},
            at=t,
        )
        for n, t in enumerate([1_700_000_000, 1_703_000_000, 1_706_000_000], start=1)
    ]
    made.append(Made(b"gone (#1)" + CLAUDE, files={bad.replace(b"/", b"|") + b"/f": None}, at=1_709_000_000))
    repo = tmp_path / "<b>shop"
    make_history(repo, made)
    file = tmp_path / "page.html"
    scan(repo, "--people", "--html", str(file))
    text = file.read_text()
    page = Page(text)
    assert page.open == []
    assert page.addresses == []
    assert not {"script", "img", "link", "iframe", "object"} & page.tags
    assert "&lt;script&gt;" in text
    assert "&lt;b&gt;shop" in text
    assert text.count("<svg") == 2
    assert not re.search(r"https?://|url\(|@import", text)


def test_the_page_of_an_empty_repository_and_of_one_without_agents(tmp_path: Path):
    empty = make_repo(tmp_path / "empty", first_commit=False)
    plain = make_repo(tmp_path / "plain")
    for repo, words in ((empty, "There are no commits here"), (plain, "no record")):
        done = scan(repo, "--html", "page.html")
        assert done.returncode == 0
        assert words in (repo / "page.html").read_text()
        Page((repo / "page.html").read_text())
    assert b"No commit names an agent." in scan(plain).stdout


def test_a_page_that_cannot_be_written_leaves_the_old_one(shop: Path, tmp_path: Path):
    done = scan(shop, "--html", str(tmp_path / "nowhere" / "page.html"))
    assert done.returncode == 1
    assert b"the page was not written" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--branch", "nowhere"], 2, "there is no branch, tag or commit `nowhere`"),
        (["--branch", "--all"], 2, "there is no branch"),
        (["--since", "banana"], 2, "`banana` is no date in the past"),
        (["--since", "tomorrow"], 2, "no date in the past"),
        (["--top", "0"], 2, "0 is not in the range"),
        (["--policy", "missing.yml"], 2, "missing.yml cannot be read: No such file or directory\n"),
        (["missing-folder"], 1, "is not a folder"),
        (["/"], 1, "not in a git repository"),
    ],
)
def test_wrong_use_is_told_in_one_sentence(shop: Path, arguments: list[str], code: int, words: str):
    done = scan(shop, *arguments)
    assert done.returncode == code
    assert words in done.stderr.decode()
    assert b"Traceback" not in done.stderr


def test_branches_tags_and_remote_branches_can_be_named(shop: Path, tmp_path: Path):
    git(shop, "branch", "old", "HEAD~1")
    git(shop, "tag", "-m", "v1", "v1", "HEAD~2")
    git(tmp_path, "clone", "-q", str(shop), "clone")
    clone = tmp_path / "clone"
    counts = {
        name: json.loads(said(clone, "scan", "--json", "--branch", name)) for name in ("old", "v1", "main")
    }
    assert {name: told["commits"] for name, told in counts.items()} == {"old": 2, "v1": 1, "main": 3}
    assert counts["old"]["branch"] == "old"


def test_a_scan_changes_nothing(shop: Path):
    def state() -> dict[str, float]:
        return {str(p): p.lstat().st_mtime_ns for p in shop.rglob("*")}

    before = state()
    scan(shop)
    assert state() == before


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks /proc whether a process waits")
@pytest.mark.parametrize("as_json", [True, False])
def test_ctrl_c_shows_what_was_read_until_then(as_json: bool, tmp_path: Path):
    """git is stopped in the middle of its answer by a stand-in that lets 3,000 fields of it through."""
    repo = tmp_path / "shop"
    make_history(repo, [Made(b"c%d" % n + CLAUDE) for n in range(2000)])
    real = run(["sh", "-c", "command -v git"], tmp_path).stdout.decode().strip()
    stand_in = tmp_path / "bin" / "git"
    stand_in.parent.mkdir()
    stand_in.write_text(
        f"#!{sys.executable}\n"
        "import os, subprocess, sys, time\n"
        f"if sys.argv[1] != 'log':\n    os.execv({real!r}, ['git', *sys.argv[1:]])\n"
        f"out = subprocess.run([{real!r}, *sys.argv[1:]], capture_output=True).stdout\n"
        "sys.stdout.buffer.write(b'\\0'.join(out.split(b'\\0')[:3000]) + b'\\0')\n"
        "sys.stdout.flush()\n"
        f"open({str(tmp_path / 'reached')!r}, 'w').close()\n"
        "time.sleep(600)\n"
    )
    stand_in.chmod(0o755)
    arguments = [sys.executable, "-c", CODE, "scan", *(["--json"] if as_json else [])]
    env = {**os.environ, **python_env(), "PATH": f"{stand_in.parent}:{os.environ['PATH']}"}
    child = subprocess.Popen(arguments, cwd=repo, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not (tmp_path / "reached").exists():
        assert child.poll() is None
    # What the stand-in wrote has to be read too; a process that waits for more of it sleeps.
    while "State:\tS" not in Path(f"/proc/{child.pid}/status").read_text():
        assert child.poll() is None
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, err) == (130, b"")
    if as_json:
        told = json.loads(out)
        assert told["complete"] is False
        assert 0 < told["commits"] < 2000
        assert told["classes"]["ai (claimed)"]["commits"] == told["commits"]
        assert told["merges"] is None
    else:
        assert re.search(r"Interrupted after the newest \d+ commits", out.decode())


def test_a_terminal_sees_colours_and_how_far_it_is(shop: Path):
    pty = pytest.importorskip("pty")
    leader, follower = pty.openpty()
    env = {**os.environ, **python_env(), "TERM": "xterm", "COLUMNS": "100"}
    child = subprocess.Popen(
        [sys.executable, "-c", CODE, "scan"], cwd=shop, env=env, stdout=follower, stderr=follower
    )
    os.close(follower)
    seen = b""
    while True:
        try:
            chunk = os.read(leader, 65536)
        except OSError:  # Linux's way to say that the other side is closed
            break
        if not chunk:
            break
        seen += chunk
    os.close(leader)
    assert child.wait() == 0
    assert b"reading" in seen
    assert b"\x1b[33m" in seen


def test_scan_works_inside_a_subfolder_and_on_a_path(shop: Path, tmp_path: Path):
    commit(shop, {"src/b/z": "1\n"}, "more")
    assert json.loads(said(tmp_path, "scan", "--json", "shop/src/b"))["commits"] == 4


def test_since_is_told_as_git_read_it(shop: Path):
    done = scan(shop, "--since", "2025-11-01 00:00 +0000")
    assert b"shop (main): 2 commits, 2025-11-09 to 2025-12-10, looked at since 2025-11-01" in done.stdout
    assert (
        json.loads(scan(shop, "--since", "2025-11-01 00:00 +0000", "--json").stdout)["since"] == "2025-11-01"
    )

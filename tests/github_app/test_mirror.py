"""The mirror against real git: what it fetches, what it refuses to believe, how it tells troubles apart."""

import base64
import http.server
import os
import threading
from pathlib import Path

import pytest
from support_repository import Bare

from foureyes.github_app.mirror import GitError, Mirror, Remote, Trouble, basic, is_ref

LINES = "".join(f"line {number}\n" for number in range(40))


def fetched(mirror: Mirror, *oids: str) -> None:
    mirror.fetch([f"+{oid}:refs/foureyes-mirror/test/{oid}" for oid in oids])


def object_types(mirror: Mirror) -> set[str]:
    import subprocess

    listed = subprocess.run(
        ["git", f"--git-dir={mirror.folder}", "cat-file", "--batch-check", "--batch-all-objects"],
        capture_output=True, check=True, text=True,
    )  # fmt: skip
    return {line.split()[1] for line in listed.stdout.splitlines()}


def test_fetch_brings_commits_and_trees_and_no_blob(bare: Bare, mirror: Mirror) -> None:
    head = bare.commit({"infra/a": LINES})
    assert mirror.missing([head]) == (head,)
    fetched(mirror, head)
    assert mirror.missing([head, "f" * 40]) == ("f" * 40,)
    assert object_types(mirror) == {"commit", "tree"}


def test_a_folder_can_be_named_from_where_the_server_was_started(
    bare: Bare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it is with the default of FOUREYES_DATA."""
    monkeypatch.chdir(tmp_path)
    mirror = Mirror(Path("foureyes-data/mirrors/7.git"), Remote(bare.url, protocols=("file",)))
    head = bare.commit({"infra/a": LINES})
    fetched(mirror, head)
    assert mirror.missing([head]) == ()
    assert (tmp_path / "foureyes-data" / "mirrors" / "7.git" / "HEAD").is_file()


def test_a_question_about_what_is_here_never_fetches(bare: Bare, mirror: Mirror) -> None:
    head = bare.commit({"a": LINES})
    fetched(mirror, head)
    blob = bare.blob(LINES)
    assert mirror.missing([blob]) == (blob,)
    assert object_types(mirror) == {"commit", "tree"}
    mirror.fetch_objects([blob])
    assert mirror.objects([blob], "blob") == {blob: LINES.encode()}


def test_patterns_that_match_nothing_are_normal_and_what_is_gone_is_pruned(
    bare: Bare, mirror: Mirror
) -> None:
    head = bare.commit({"a": "1"})
    bare.ref("refs/pull/1/head", head)
    bare.ref("refs/pull/1/merge", head)
    specs = [f"+{head}:refs/foureyes-mirror/head/1", "+refs/pull/1/*:refs/foureyes-mirror/pull/1/*"]
    specs.append("+refs/foureyes/b/0123*:refs/foureyes-mirror/b/0123*")
    mirror.fetch(specs)
    assert mirror.refs("pull/1") == {"head": head, "merge": head}
    bare.git("update-ref", "-d", "refs/pull/1/merge")
    mirror.fetch(specs)
    assert mirror.refs("pull/1") == {"head": head}
    assert mirror.refs("head") == {"1": head}


def test_G55_a_replace_ref_changes_nothing(bare: Bare, mirror: Mirror) -> None:
    base = bare.commit({"infra/a": "safe\n"})
    head = bare.commit({"infra/a": "dangerous\n"}, base)
    harmless = bare.commit({"infra/a": "safe\n"}, base)
    bare.ref(f"refs/replace/{head}", harmless)
    fetched(mirror, base, head)
    # even if one got here by some other way
    (mirror.folder / "refs" / "replace").mkdir(parents=True)
    (mirror.folder / "refs" / "replace" / head).write_text(f"{base}\n")
    assert b"infra/a" in mirror.diff(base, head, ("-r", "-z", "--raw"))
    assert (
        f"tree {bare.git('rev-parse', head + '^{tree}')}".encode() in mirror.objects([head], "commit")[head]
    )


def test_attributes_of_the_repository_do_not_steer_the_merge(bare: Bare, mirror: Mirror) -> None:
    attributes = "* merge=union -diff\n"
    root = bare.commit({".gitattributes": attributes, "f": "a\nb\nc\n"})
    ours = bare.commit({".gitattributes": attributes, "f": "a\nours\nc\n"}, root)
    theirs = bare.commit({".gitattributes": attributes, "f": "a\ntheirs\nc\n"}, root)
    bare.ref("refs/heads/main", ours)
    fetched(mirror, ours, theirs)
    assert not mirror.automatic_merge(ours, theirs).clean


def test_attributes_and_settings_of_the_machine_do_not_steer_the_merge(
    bare: Bare, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Path(os.environ["HOME"])
    (home / "attributes").write_text("* merge=union\n")
    (home / ".gitconfig").write_text(
        f"[core]\n\tattributesFile = {home}/attributes\n[merge]\n\trenames = false\n"
    )
    root = bare.commit({"f": "a\nb\nc\n"})
    ours = bare.commit({"f": "a\nours\nc\n"}, root)
    theirs = bare.commit({"f": "a\ntheirs\nc\n"}, root)
    monkeypatch.setenv("GIT_DIR", str(bare.path))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", "/nowhere")
    fetched(mirror, ours, theirs)
    assert not mirror.automatic_merge(ours, theirs).clean


def test_a_merge_of_both_sides_of_a_file_fetches_what_it_needs(bare: Bare, mirror: Mirror) -> None:
    root = bare.commit({"f": LINES})
    ours = bare.commit({"f": "first\n" + LINES}, root)
    theirs = bare.commit({"f": LINES + "last\n"}, root)
    fetched(mirror, ours, theirs)
    made = mirror.automatic_merge(ours, theirs)
    assert made.clean
    assert made.tree == bare.tree({"f": "first\n" + LINES + "last\n"})


def test_merge_bases_of_unrelated_histories_are_none(bare: Bare, mirror: Mirror) -> None:
    one, other = bare.commit({"a": "1"}), bare.commit({"b": "2"})
    fetched(mirror, one, other)
    assert mirror.merge_bases(one, other) == ()


def test_an_object_that_is_gone_is_told_from_a_dead_network(
    bare: Bare, mirror: Mirror, tmp_path: Path
) -> None:
    bare.ref("refs/heads/main", bare.commit({"a": "1"}))
    with pytest.raises(GitError) as gone:
        fetched(mirror, "e" * 40)
    assert gone.value.trouble is Trouble.NO_REF
    dead = Mirror(tmp_path / "mirrors" / "8.git", Remote("http://127.0.0.1:1/acme/shop.git"))
    with pytest.raises(GitError) as network:
        fetched(dead, "e" * 40)
    assert network.value.trouble is Trouble.NETWORK


def test_only_the_allowed_protocols_are_spoken(bare: Bare, tmp_path: Path) -> None:
    head = bare.commit({"a": "1"})
    mirror = Mirror(tmp_path / "mirrors" / "9.git", Remote(bare.url))
    with pytest.raises(GitError):
        fetched(mirror, head)
    helper = Mirror(tmp_path / "mirrors" / "10.git", Remote("ext::touch " + str(tmp_path / "ran")))
    with pytest.raises(GitError):
        fetched(helper, head)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "bad", ["--upload-pack=touch x", "HEAD", "-x", "main", "", "f" * 39, "f" * 40 + "\n"]
)
def test_only_object_ids_become_arguments(mirror: Mirror, bare: Bare, bad: str) -> None:
    head = bare.commit({"a": "1"})
    fetched(mirror, head)
    with pytest.raises(GitError):
        mirror.merge_bases(head, bad)
    with pytest.raises(GitError):
        mirror.automatic_merge(bad, head)


@pytest.mark.parametrize("name", ["main", "release/1.x", "füße", "a-b_c", "v1.0", "@"])
def test_branch_names_that_git_takes(name: str, bare: Bare) -> None:
    bare.git("check-ref-format", f"refs/heads/{name}")
    assert is_ref(name)


@pytest.mark.parametrize(
    "name", ["", "a b", "a:b", "a*", "a..b", "a~1", "^a", "a\\b", "a//b", "/a", "a/", "a.lock", "-a", "x\n"]
)
def test_what_is_no_branch_name_never_stands_in_a_refspec(name: str) -> None:
    assert not is_ref(name)


def test_a_damaged_mirror_is_thrown_away_and_comes_back(bare: Bare, mirror: Mirror) -> None:
    base = bare.commit({"a": "1"})
    head = bare.commit({"a": "2"}, base)
    fetched(mirror, base, head)
    for pack in (mirror.folder / "objects" / "pack").glob("*.pack"):
        pack.chmod(0o600)
        pack.write_bytes(b"PACK" + b"\0" * 40)
    with pytest.raises(GitError) as damaged, mirror.rebuilt_if_damaged():
        mirror.range(head, [base], 10)
    assert damaged.value.trouble is Trouble.SUSPECT
    assert not mirror.folder.exists()
    fetched(mirror, base, head)
    assert mirror.range(head, [base], 10) == (head,)
    assert sorted(path.name for path in mirror.folder.parent.iterdir()) == ["7.git"]


def test_a_folder_that_is_no_repository_is_replaced(bare: Bare, mirror: Mirror) -> None:
    mirror.folder.mkdir(parents=True)
    (mirror.folder / "rubbish").write_text("x")
    head = bare.commit({"a": "1"})
    fetched(mirror, head)
    assert mirror.missing([head]) == ()


def test_too_many_commits_is_an_error_and_not_a_part(bare: Bare, mirror: Mirror) -> None:
    base = bare.commit({"a": "0"})
    head = base
    for number in range(4):
        head = bare.commit({"a": str(number + 1)}, head)
    fetched(mirror, head)
    assert len(mirror.range(head, [base], 4)) == 4
    with pytest.raises(GitError) as error:
        mirror.range(head, [base], 3)
    assert error.value.trouble is Trouble.TOO_BIG


def test_an_answer_beyond_its_cap_is_an_error(bare: Bare, mirror: Mirror) -> None:
    blob = bare.blob(b"x" * 3_000_000)
    head = bare.commit({"big": ("100644", blob)})
    fetched(mirror, head)
    mirror.fetch_objects([blob])
    with pytest.raises(GitError) as error:
        mirror.objects([blob], "blob", cap=1_000_000)
    assert error.value.trouble is Trouble.TOO_BIG


def test_a_server_that_never_answers_ends_in_a_timeout(tmp_path: Path) -> None:
    stop = threading.Event()

    class Silent(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            stop.wait(30)

        def log_message(self, *_args: object) -> None:
            return None

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Silent)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/acme/shop.git"
        mirror = Mirror(tmp_path / "mirrors" / "1.git", Remote(url), timeout=1.0)
        with pytest.raises(GitError) as error:
            fetched(mirror, "e" * 40)
        assert error.value.trouble is Trouble.TIMEOUT
    finally:
        stop.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(("status", "trouble"), [(403, Trouble.DENIED), (302, Trouble.NETWORK)])
def test_the_token_travels_in_a_header_and_nowhere_else(
    tmp_path: Path, status: int, trouble: Trouble
) -> None:
    """Nor to another host, whoever points to it."""
    seen: list[tuple[str, str | None]] = []

    class Refusing(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append((str(self.headers.get("Host")), self.headers.get("Authorization")))
            self.send_response(status)
            self.send_header("Location", f"http://localhost:{server.server_port}{self.path}")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            return None

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    token = "ghs_123_secret.token"
    try:
        url = f"http://127.0.0.1:{server.server_port}/acme/shop.git"
        mirror = Mirror(tmp_path / "mirrors" / "1.git", Remote(url, lambda: basic(token)))
        with pytest.raises(GitError) as error:
            fetched(mirror, "e" * 40)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert error.value.trouble is trouble
    encoded = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    assert {*seen} == {(f"127.0.0.1:{server.server_port}", f"Basic {encoded}")}
    assert token not in error.value.why
    assert encoded not in error.value.why
    written = b"".join(path.read_bytes() for path in mirror.folder.rglob("*") if path.is_file())
    assert encoded.encode() not in written
    assert token.encode() not in written

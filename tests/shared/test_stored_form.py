"""What lies in a work tree and what git stores of it need not be the same bytes."""

import hashlib
from pathlib import Path

import pytest
from support_git import run

from foureyes.shared.stored_form import are_comparable, as_stored, blob_ids, pointer

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 3\n"
ABC = POINTER % hashlib.sha256(b"abc").hexdigest().encode()


@pytest.mark.parametrize("stored", [(None, ABC), (ABC, None), (b"before it was in LFS\n", ABC)])
def test_lfs_stores_a_pointer(stored: tuple[bytes | None, ...]):
    assert as_stored(b"abc", stored) == ABC
    assert as_stored(ABC, stored) == ABC, "where LFS is not set up, the pointer itself is edited"
    assert as_stored(b"", stored) == b""
    assert as_stored(None, stored) is None


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_text_that_git_converts_is_stored_as_utf8(encoding: str):
    there = "grün\nblau\n".encode(encoding)
    assert as_stored(there, (None, b"rot\n")) == "grün\nblau\n".encode()
    assert as_stored(there, (b"", there)) == there, "git does not convert it"
    assert as_stored(there, (None, None)) == there
    assert as_stored(there + b"\0", (b"rot\n",)), "half a character is no fault"
    for ordinary in (b"rot\n", "grün\n".encode("utf-16-le")):
        assert as_stored(ordinary, (b"rot\n",)) == ordinary


def test_contents_without_a_line_in_common_tell_nothing_of_each_other():
    base, committed = b"one\n\ntwo\n", b"one\n\nthree\n"
    assert are_comparable([b"nought\n", b"  three\r\n"], base, committed)
    assert are_comparable([b"two\n"], base, None)
    assert not are_comparable([b"eno\n\n", None, b""], base, committed)
    assert are_comparable([b"eno\n"], b"\n\n", b"\n")


def test_of_a_new_file_it_is_the_kind_that_tells():
    assert are_comparable([None, b"agent's\n"], None, b"all of it by a person\n")
    assert are_comparable([b"\0\1"], None, b"\0\2")
    assert not are_comparable([None, b"\0a\0g"], None, b"ag\n")
    assert not are_comparable([b"ag\n"], b"", b"\0ag")
    assert are_comparable([b"ag\n"], None, b"")


def test_ids_are_those_that_git_gives(tmp_path: Path):
    (tmp_path / "f").write_bytes(b"a\r\n\0")
    for kind in ("sha1", "sha256"):
        folder = tmp_path / kind
        run(["git", "init", "-q", f"--object-format={kind}", folder], tmp_path)
        oid = run(["git", "hash-object", "--no-filters", "../f"], folder).stdout.decode().strip()
        assert oid in blob_ids(b"a\r\n\0")


def test_a_pointer_is_told_by_the_hash_alone():
    content = b"large"
    there = (b"version https://git-lfs.github.com/spec/v1\n",)
    assert pointer(hashlib.sha256(content).hexdigest(), 5) == as_stored(content, there)

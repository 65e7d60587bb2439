"""A digest is hashlib's own, whichever of Python's parts made it."""

from hashlib import sha256

import pytest

from foureyes.hooks import digest


@pytest.mark.parametrize("length", [0, 1, 64 * 1024 - 1, 64 * 1024, 200_000])
def test_small_and_large_texts_have_hashlibs_digest(length: int):
    data = b"x" * length
    assert digest.sha256_hex(data) == sha256(data).hexdigest()


def test_a_python_without_its_own_takes_hashlibs(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(digest, "_OWN", ("no_such_module", "os"))
    assert digest.sha256_hex(b"x") == sha256(b"x").hexdigest()

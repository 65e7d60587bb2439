"""A path's text: exact, printable, and folded so that look-alikes meet."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from foureyes.shared import paths

RAW = st.binary(max_size=40) | st.text(max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass"))


@given(RAW)
@example(b"\\")
@example(b"\\x41")
@example("é\u202e\u200d".encode())
def test_every_path_survives_the_round_trip(raw: bytes) -> None:
    assert paths.encode(paths.decode(raw)) == raw


@given(RAW)
def test_the_text_holds_nothing_that_cannot_be_seen(raw: bytes) -> None:
    hidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    text = paths.decode(raw)
    assert [c for c in text if unicodedata.category(c) in hidden and c not in VISIBLE_FORMAT] == []


# Format characters that have a shape of their own: number and year signs, and hieroglyph or shorthand controls.
VISIBLE_FORMAT = {
    chr(c)
    for c in range(0x110000)
    if unicodedata.category(chr(c)) == "Cf"
    and unicodedata.name(chr(c), "").startswith(
        ("ARABIC", "SYRIAC", "KAITHI", "EGYPTIAN", "SHORTHAND", "MUSICAL SYMBOL")
    )
    and chr(c) != "\u061c"
}


@given(RAW, RAW)
def test_two_paths_never_share_a_text(one: bytes, other: bytes) -> None:
    assert (paths.decode(one) == paths.decode(other)) == (one == other)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"infra/main.tf", "infra/main.tf"),
        ("größe/ü".encode(), "größe/ü"),
        (b"a\\b", r"a\\b"),
        (b"a\nb", r"a\x0ab"),
        (b"a\xffb", r"a\xffb"),
        (b"\xc3", r"\xc3"),
        ("x\u202ey".encode(), r"x\xe2\x80\xaey"),
        (b"\xed\xa0\x80", r"\xed\xa0\x80"),
    ],
)
def test_decode(raw: bytes, text: str) -> None:
    assert paths.decode(raw) == text


@pytest.mark.parametrize(
    "text", ["a\\b", "\\", "\\x4", r"\x41", r"\xFF", "a\nb", "\udc80", r"\xc3\xa9", r"\u0041"]
)
def test_a_text_that_decode_never_gives_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        paths.encode(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Infra/A", "infra/a"),
        ("caf\u00e9", "cafe\u0301"),
        ("CAFE\u0301", "caf\u00e9"),
        ("straße", "STRASSE"),
        ("\u1fb3", "\u0391\u0345"),
        ("K", "k"),
    ],
)
def test_spellings_of_one_name_fold_together(one: str, other: str) -> None:
    assert paths.fold(one) == paths.fold(other)


@given(st.text(max_size=20))
def test_folding_twice_is_folding_once(text: str) -> None:
    once = paths.fold(text)
    assert paths.fold(once) == once


@given(st.text(max_size=20))
def test_folding_ignores_case_and_normal_form(text: str) -> None:
    wanted = paths.fold(text)
    assert {paths.fold(unicodedata.normalize(form, text)) for form in ("NFC", "NFD")} == {wanted}
    assert paths.fold(text.casefold()) == wanted


@given(st.text(max_size=20))
def test_folding_keeps_components_apart(text: str) -> None:
    assert paths.fold(text).split("/") == [paths.fold(part) for part in text.split("/")]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/a",
        "a//b",
        "a/",
        "./a",
        "a/../b",
        "a/..",
        "...",
        ".git/config",
        "a/.GIT/hooks/x",
        ".Git",
        "a/.git:x",
        "GIT~1/config",
        "PAYMEN~1/x",
        "a/infra~12/x",
        "docs/NETWOR~1.TF",
        "infra./a",
        "infra /a",
        "a/b.",
        r"a\\b",
        r"a\x0ab",
        r"a\xff",
        "a" * 4097,
        "é" * 2049,
    ],
)
def test_odd(path: str) -> None:
    assert paths.is_odd(path)


@pytest.mark.parametrize(
    "path",
    [
        "a",
        "infra/main.tf",
        ".github/foureyes.yml",
        ".gitignore",
        ".gitmodules",
        "a/git",
        "a b/c",
        "..a",
        "~1",
        "main.tf~",
        "main.tf.~1~",
        "a~b",
        "longer-than-eight~1",
        "notes~1.text",
        "größe",
        "a:b",
        "é" * 2048,
    ],
)
def test_not_odd(path: str) -> None:
    assert not paths.is_odd(path)

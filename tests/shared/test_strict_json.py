"""JSON that two readers could read differently is not read at all."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foureyes.shared.canonical import canonical_bytes
from foureyes.shared.strict_json import JsonError, read

_TEXT = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="".join(map(chr, range(32)))))
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | _TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(_TEXT, inner),
    max_leaves=20,
)


@given(_VALUES)
def test_what_canonical_writes_is_read_back(value):
    assert read(canonical_bytes(value)) == value == json.loads(canonical_bytes(value))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b'{"a":1,"a":2}', "same key twice"),
        (b'{"a":1,"\\u0061":2}', "same key twice"),
        (b"[1.0]", "not an integer"),
        (b"[1e3]", "not an integer"),
        (b"[NaN]", "not an integer"),
        (b"[-Infinity]", "not an integer"),
        (b"[9007199254740992]", "beyond"),
        (b"[-9007199254740992]", "beyond"),
        (b"[" + b"9" * 5000 + b"]", "not JSON"),
        (b'["\\ud800"]', "control characters"),
        (b'["\\u0000"]', "control characters"),
        (b'{"a\\nb":1}', "control characters"),
        (b"[" * 40 + b"]" * 40, "nested"),
        (b"[" * 100_000, "not JSON"),
        (b"\xef\xbb\xbf[]", "not JSON"),
        (b"\xff\xfe[\x00]\x00", "not JSON"),
        (b"[] x", "not JSON"),
        (b"", "not JSON"),
    ],
)
def test_refused(data, why):
    with pytest.raises(JsonError, match=why):
        read(data)


def test_wide_is_not_deep_and_neither_are_brackets_in_a_text():
    assert read(b'"' + b"[" * 40 + b'"') == "[" * 40
    assert read(b"[" + b"[[]]," * 40 + b"1]") == [[[]]] * 40 + [1]

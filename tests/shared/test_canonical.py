"""Canonical bytes: one spelling for each value, and nothing that another reader would read differently."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foureyes.shared.canonical import canonical_bytes, sha256_hex

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(values)
def test_bytes_read_back_to_the_same_value(value):
    assert json.loads(canonical_bytes(value)) == value


@given(st.dictionaries(st.text(), st.integers(0, 9), min_size=2))
def test_the_order_of_keys_does_not_matter(value):
    assert canonical_bytes(dict(reversed(value.items()))) == canonical_bytes(value)


@pytest.mark.parametrize("value", [1.5, 2**53, -(2**53), {1: "a"}, b"bytes", [object()]])
def test_what_has_no_canonical_form_is_refused(value):
    with pytest.raises(ValueError, match=r"canonical|2\*\*53|not text"):
        canonical_bytes(value)


def test_known_digest():
    assert canonical_bytes({"b": [1, None], "a": "é"}) == b'{"a":"\\u00e9","b":[1,null]}'
    assert sha256_hex(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

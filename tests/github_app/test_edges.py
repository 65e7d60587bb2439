"""Every parser of what others write, on bytes that nobody meant: nothing but the error that it may raise, no success."""

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support_fuzz import TARGETS

EXAMPLES = 60
SLIPS = 40


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_whole_is_taken_and_slips_of_it_do_no_harm(name: str) -> None:
    """Each whole example, then as it would be with bytes lost, doubled or changed."""
    slip = random.Random(name)
    for seed in TARGETS[name].seeds():
        assert TARGETS[name].check(seed), "the example is not what the other side writes"
        for _ in range(SLIPS):
            changed = bytearray(seed)
            for _ in range(slip.randint(1, 4)):
                at = slip.randrange(len(changed) + 1)
                changed[at : at + slip.randint(0, 3)] = slip.choice(
                    [
                        b"",
                        b"\0",
                        b"\xff",
                        b'"',
                        b"\n",
                        b"{",
                        b"9" * 20,
                        bytes(changed[at : at + 9]),
                        slip.randbytes(3),
                    ]
                )
            TARGETS[name].check(bytes(changed))


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=EXAMPLES)
@given(
    data=st.binary(max_size=200)
    | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
@example(data=b"")
def test_any_bytes_do_no_harm(name: str, data: bytes) -> None:
    TARGETS[name].check(data)

"""The quick look before a policy is read never misses what the policy protects."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foureyes.shared.facts import Touch
from foureyes.shared.policy import Policy, System
from foureyes.shared.protection import may_touch, protect

LISTS = (("infra/**", "!infra/README"), ("*.tf",), ("docs/", "!docs/a"), ("notes/**",))
POLICY = Policy(
    version=1,
    roster=("@olga",),
    systems={f"s{n}": System(paths=lines, tier=n) for n, lines in enumerate(LISTS)},
)
NAMES = st.sampled_from(
    ["infra", "docs", "a", "x.tf", "README", "INFRA", "notes", ".github", "CODEOWNERS", ".git"]
)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
MODES = st.sampled_from(["100644", "120000", "160000", "000000"])


def touch(path: str, mode: str = "100644") -> Touch:
    return Touch(path, "a" * 40, mode, mode)


@given(st.lists(st.tuples(PATHS, MODES), max_size=3))
def test_it_sees_whatever_a_policy_with_these_patterns_protects(entries: list[tuple[str, str]]) -> None:
    touched = [touch(path, mode) for path, mode in entries]
    assert may_touch(LISTS, touched) == bool(protect(POLICY, (), touched).hits)


@pytest.mark.parametrize(
    ("path", "mode", "sees"),
    [
        ("infra/x", "100644", True),
        ("infra/README", "100644", False),
        ("src/x", "100644", False),
        ("infra", "120000", True),
        ("CODEOWNERS", "100644", True),
        (r"a\x01", "100644", True),
    ],
)
def test_examples(path: str, mode: str, sees: bool) -> None:
    assert may_touch([["infra/**", "!infra/README"]], [touch(path, mode)]) is sees
    assert may_touch([], []) is False

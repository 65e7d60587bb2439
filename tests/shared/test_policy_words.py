"""Errors of the types in our words, and warnings that come along with errors."""

import pytest

from foureyes.shared.policy_problem import PolicyError
from foureyes.shared.policy_text import parse_policy, read_policy
from foureyes.shared.policy_words import words


def test_an_error_that_has_no_words_of_ours_is_told_all_the_same() -> None:
    error = {"type": "new_kind", "loc": ("systems", "x", "paths", 0), "msg": "something new", "input": 1}
    assert words(error, error["loc"]) == ("`systems.x.paths[0]`: something new", "")


def test_warnings_come_along_with_errors() -> None:
    text = 'version: 1\nroster: ["@acme/eng", "@acme/eng"]\nprotected: ["a/", "!a/b/"]\nmachine_user: [x]\n'
    with pytest.raises(PolicyError) as refused:
        parse_policy(text)
    assert [(p.line, p.column) for p in refused.value.problems] == [(4, 1)]
    assert [(p.line, p.column) for p in refused.value.warnings] == [(2, 23), (3, 19)]
    reading = read_policy(text.replace("machine_user: [x]\n", ""))
    assert reading.warnings == refused.value.warnings

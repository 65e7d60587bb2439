"""Patterns: gitignore's semantics as git itself answers, other spellings found, no time bomb, clear errors."""

import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support_check_ignore import CheckIgnore

from foureyes.shared.patterns import PatternError, Patterns, PatternSets

# Lower case only: our folding adds matches on purpose, and here git is the judge.
PIECES = [
    "a", "b", "c", "-", ".", ".tf", "*", "*", "?", "**", "/", "/", "/", "[ab]", "[!a]", "[a-c]", "[^b-c]",
    "[]a]", "[a-]", "[[:alpha:]]", r"[\]a]", r"\*", r"\a", r"\!", "**/", "/**", "/**/", " ",
]  # fmt: skip
NAMES = ["a", "b", "c", "ab", "ba", "abc", ".x", "a.tf", ".tf", "-", "*", "!a", "a b", "]", "]a"]
PATHS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map("/".join)


def many(names: list[str], depth: int) -> st.SearchStrategy[list[str]]:
    """40 paths from one number: to draw each name costs more than all that is tried with it."""

    def made(seed: int) -> list[str]:
        chance = random.Random(seed)
        lengths = (chance.randint(1, depth) for _ in range(40))
        return sorted({"/".join(chance.choices(names, k=length)) for length in lengths})

    return st.integers(0, 2**32).map(made)


def compiles(line: str) -> bool:
    try:
        Patterns.compile([line])
    except PatternError:
        return False
    return True


LINES = (
    st.tuples(st.sampled_from(["", "", "", "!"]), st.lists(st.sampled_from(PIECES), min_size=1, max_size=6))
    .map(lambda parts: parts[0] + "".join(parts[1]))
    .filter(compiles)
)
LISTS = st.lists(LINES, min_size=1, max_size=4)


@pytest.fixture(scope="module")
def git(tmp_path_factory: pytest.TempPathFactory) -> CheckIgnore:
    return CheckIgnore(tmp_path_factory.mktemp("ignore"))


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
@given(lines=LISTS, paths=many(NAMES, 4))
@example(lines=["a/**", "!a/b/**"], paths=["a/b/c", "a/b", "a"])
@example(lines=["a/**", "!a/b/", "!a/b/**"], paths=["a/b/c", "a/b", "a/c/b"])
@example(lines=["b[!a]b*", "a*/b"], paths=["b/b", "bab", "bcb/x", "a/b", "ab/b"])
@example(lines=["a/", "!a"], paths=["a", "a/b", "b/a/c"])
@example(lines=["a\\ ", "b "], paths=["a ", "a", "b", "b "])
def test_git_gives_the_same_answer(git: CheckIgnore, lines: list[str], paths: list[str]) -> None:
    ours = Patterns.compile(lines)
    assert {path for path in paths if ours.match(path)} == git.matched(lines, paths)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("infra/**", "infra/main.tf"),
        ("infra/**", "infra/a/b/c"),
        ("infra/", "infra/main.tf"),
        ("infra", "infra"),
        ("infra", "lib/infra/x"),
        ("/infra", "infra/x"),
        ("*.tf", "a/b/main.tf"),
        ("*.tf", ".tf"),
        ("a/**/b", "a/b"),
        ("a/**/b", "a/x/y/b"),
        ("**/package-lock.json", "package-lock.json"),
        ("**/package-lock.json", "web/package-lock.json"),
        ("[[:digit:]]x", "7x"),
        (r"\#a", "#a"),
        (r"\!a", "!a"),
        ("größe/?", "größe/é"),
        (r"a\\b", r"a\\b"),
        ("a?b", r"a\x0ab"),
        ("a?b", r"a\xffb"),
        ("[+-9]", "5"),
        # Only the name as it is spelled matches, none of its other spellings.
        ("x[!a]", "xA"),
        ("stra?e", "straße"),
        ("c*fe*", "c-fe\u0301"),
    ],
)
def test_matches(pattern: str, path: str) -> None:
    assert Patterns.compile([pattern]).match(path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("infra/**", "infra"),
        ("infra/", "infra"),
        ("infra/**", "infrastructure/x"),
        ("/infra", "lib/infra/x"),
        ("infra/*.tf", "infra/a/main.tf"),
        ("infra/*.tf", "lib/infra/main.tf"),
        ("*.tf", "a.tfvars"),
        ("b[!a]b", "b/b"),
        ("b[+-9]b", "b/b"),
        ("a?b", "a/b"),
        ("a/**/b", "ab"),
        (r"\*", "a"),
    ],
)
def test_does_not_match(pattern: str, path: str) -> None:
    assert not Patterns.compile([pattern]).match(path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("infra/**", "Infra/main.tf"),
        ("Infra/**", "infra/main.tf"),
        ("*.TF", "x.tf"),
        ("caf\u00e9/**", "cafe\u0301/x"),
        ("cafe\u0301/**", "caf\u00e9/x"),
        ("straße", "STRASSE"),
        ("[A-C]x", "bX"),
        ("a*Z", "Aqqz"),
    ],
)
def test_another_spelling_of_the_name_is_found(pattern: str, path: str) -> None:
    assert Patterns.compile([pattern]).match(path)


def test_only_the_exact_spelling_is_taken_out() -> None:
    patterns = Patterns.compile(["*.tf", "!Test.tf"])
    assert not patterns.match("Test.tf")
    assert patterns.match("test.tf")
    assert patterns.match("TEST.TF")


def test_below_a_protected_directory_nothing_is_taken_out() -> None:
    assert Patterns.compile(["infra/**", "!infra/docs/**"]).match("infra/docs/a.md")
    opened = Patterns.compile(["infra/**", "!infra/docs/", "!infra/docs/**"])
    assert not opened.match("infra/docs/a.md")
    assert opened.match("infra/main.tf")


TEXT_PATHS = st.lists(
    st.text(
        st.characters(blacklist_characters="/\\", blacklist_categories=("Cc", "Cf", "Cs")),
        min_size=1,
        max_size=4,
    ),
    min_size=1,
    max_size=3,
).map("/".join)
WILD_LINES = (
    st.lists(
        st.sampled_from([*PIECES, "A", "É", "e\u0301", "ß", "K", "[A-Z]", "[!A]"]), min_size=1, max_size=5
    )
    .map("".join)
    .filter(compiles)
)
# `?` and classes are one byte to git and one character to us.
PLAIN_LINES = (
    st.lists(
        st.sampled_from(
            [piece for piece in [*PIECES, "A", "É", "e\u0301", "ß", "K"] if not set(piece) & {"?", "["}]
        ),
        min_size=1,
        max_size=5,
    )
    .map("".join)
    .filter(compiles)
)
PARTS = ["A", "a", "é", "e\u0301", "É", "ß", "SS", "K", "k", "b", ".tf"]
SPELLED = st.lists(
    st.lists(st.sampled_from(PARTS), min_size=1, max_size=3).map("".join), min_size=1, max_size=3
).map("/".join)
SPELLINGS = [*PARTS, *(one + two for one in PARTS for two in PARTS)]


@settings(deadline=None)
@given(lines=st.lists(WILD_LINES, min_size=1, max_size=4), path=PATHS | SPELLED, data=st.data())
def test_one_more_positive_pattern_never_unprotects(lines: list[str], path: str, data: st.DataObject) -> None:
    negated = [f"!{line}" if data.draw(st.booleans()) else line for line in lines]
    negated = [line for line in negated if compiles(line)]
    added = data.draw(WILD_LINES.filter(lambda line: not line.startswith("!")))
    place = data.draw(st.integers(0, len(negated)))
    more = [*negated[:place], added, *negated[place:]]
    assert Patterns.compile(more).match(path) >= Patterns.compile(negated).match(path)


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
@given(lines=st.lists(PLAIN_LINES, min_size=1, max_size=3), paths=many(SPELLINGS, 3))
def test_folding_never_unprotects(git: CheckIgnore, lines: list[str], paths: list[str]) -> None:
    ours = Patterns.compile(lines)
    assert {path for path in paths if ours.match(path)} >= git.matched(lines, paths)


@settings(deadline=None)
@given(lines=LISTS, paths=many(NAMES, 4))
def test_what_matches_may_be_below_each_directory_of_it(lines: list[str], paths: list[str]) -> None:
    patterns = Patterns.compile(lines)
    for path in filter(patterns.match, paths):
        parts = path.split("/")
        for end in range(1, len(parts)):
            assert patterns.may_match_below("/".join(parts[:end]))


@pytest.mark.parametrize(
    "path", ["infra", "INFRA", "services", "services/payments", "infra/a/b", "services/x/db/deep"]
)
def test_an_entry_that_could_stand_in_for_a_directory(path: str) -> None:
    assert Patterns.compile(
        ["infra/**", "services/payments/*.py", "services/*/db/", "!infra/**"]
    ).may_match_below(path)


@pytest.mark.parametrize("path", ["docs", "infrastructure", "services/docs/x", "services/x/cache"])
def test_an_entry_that_could_not(path: str) -> None:
    assert not Patterns.compile(["infra/**", "services/payments/*.py", "services/*/db/"]).may_match_below(
        path
    )


def test_a_pattern_that_floats_may_match_below_any_directory() -> None:
    assert Patterns.compile(["*.tf"]).may_match_below("docs")


@settings(deadline=None)
@given(sets=st.dictionaries(st.text("xyz", min_size=1, max_size=3), LISTS, max_size=4), path=PATHS | SPELLED)
def test_many_sets_answer_as_each_alone(sets: dict[str, list[str]], path: str) -> None:
    together = PatternSets.compile(sets)
    alone = {name: Patterns.compile(lines) for name, lines in sets.items()}
    assert together.matching(path) == tuple(name for name in sets if alone[name].match(path))
    assert together.possibly_below(path) == tuple(name for name in sets if alone[name].may_match_below(path))


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("", "empty", "**"),
        ("  ", "empty", "**"),
        ("!", "empty", "**"),
        ("/", "empty", "**"),
        ("#x", "comment", r"\#"),
        ("a\x00b", "control character", "?"),
        ("a\nb", "control character", "?"),
        ("infra\u200b/**", "cannot be seen (U+200B)", "?"),
        ("\u202einfra", "cannot be seen (U+202E)", "?"),
        ("a" * 1025, "1,024", "shorter"),
        ("[a", "not closed", r"\["),
        ("[]", "not closed", r"\["),
        ("[a/b]", "not closed", r"\["),
        ("[z-a]", "range z-a", "a-z"),
        ("[[:word:]]", "[:word:]", "alnum"),
        ("a\\", "backslash", r"\\"),
        (r"a\/b", "backslash", "alone"),
        ("infra/**/", "trailing", "`infra/**`"),
        ("**/", "trailing", "`**`"),
        ("a**", "glued", "slashes"),
        ("a**/b", "glued", "slashes"),
        ("./infra", "'.'", "root"),
        ("infra/../x", "'..'", "root"),
        ("infra//x", "empty component", "root"),
        ("\udc80", "control character", "?"),
    ],
)
def test_a_pattern_that_would_not_do_what_it_says_is_refused(line: str, message: str, hint: str) -> None:
    with pytest.raises(PatternError) as refused:
        Patterns.compile(["fine", line])
    assert refused.value.index == 1
    assert message in refused.value.message
    assert hint in refused.value.hint


@settings(deadline=None)
@given(
    st.text(max_size=30)
    | st.lists(st.sampled_from([*PIECES, "[", "]", "\\", "!", "#", "-", ":"]), max_size=8).map("".join)
)
def test_any_text_is_a_pattern_or_refused(line: str) -> None:
    try:
        patterns = Patterns.compile([line])
    except PatternError:
        return
    patterns.match("a/b.tf")
    patterns.may_match_below("a")


HOSTILE = """
import sys
from foureyes.shared.patterns import Patterns
shapes = ["*-" * 100 + ".tf", "*a" * 400 + "b", "**/a*/" * 100 + "b", "[a-z]*" * 150 + "[0-9]", "*?" * 300 + "-",
          "**/*a*b/**/c*" + "/**/*a*c" * 50, "a/**/" * 150 + "z", "*[!b]" * 200 + "b"]
names = ["-" * 255, "a" * 4095, "a/" * 2047 + "c", ("a" * 200 + "/") * 20 + "x", ("ab/" * 1365), "É" * 2000]
for shape in shapes:
    patterns = Patterns.compile([shape, "!nothing"])
    for name in names:
        patterns.match(name)
        patterns.may_match_below(name)
print("done")
"""


def test_no_file_name_hangs_the_matcher(checkout: Path) -> None:
    """A matcher that reconsiders its stars needs longer than the universe for any one of these pairs; the limit is
    far above what a slow machine needs.
    """
    ended = subprocess.run(
        [sys.executable, "-c", HOSTILE],
        capture_output=True,
        text=True,
        timeout=120,
        env={"PYTHONPATH": str(checkout / ".types"), "PATH": "/usr/bin:/bin"},
    )
    assert ended.stdout == "done\n", ended.stderr


def test_a_named_class_that_is_not_closed_is_a_set_of_its_own_characters():
    pattern = Patterns.compile(["a[[:digit]"])
    assert pattern.match("a:")
    assert pattern.match("a[")
    assert not pattern.match("a1")

"""YAML without surprises: what is accepted, what is refused, and where it is said to stand."""

from datetime import date

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from foureyes.shared import yaml_nodes
from foureyes.shared.yaml_nodes import read_yaml


@pytest.fixture(params=["C", "Python"], autouse=True)
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both parsers that PyYAML may have."""
    chosen = yaml.SafeLoader if request.param == "Python" else getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    monkeypatch.setattr(yaml_nodes, "_LOADER", chosen)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-12", -12),
        ("2027-06-30", date(2027, 6, 30)),
        ("main", "main"),
        ("infra/**", "infra/**"),
        ("release-1.2", "release-1.2"),
        ("1.2.x", "1.2.x"),
        ("nightly", "nightly"),
        ('"on"', "on"),
        ("'010'", "010"),
        ('"2027-06-30"', "2027-06-30"),
        ('"a\\tb"', "a\tb"),
        ("größe", "größe"),
    ],
)
def test_what_a_scalar_means(text: str, value: object) -> None:
    document = read_yaml(f"a: {text}")
    assert document.problems == []
    assert document.value == {"a": value}
    assert type(document.value["a"]) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "on", "off", "Yes", "no", "y", "N", "True", "FALSE", "Null", "NULL", "010", "0x1f", "0o17", "0b1", "1_000",
        "+1", "1.5", "1.", ".5", "1e3", "6.02e+23", ".inf", "-.INF", ".nan", "nan", "1:30", "190:20:30.15", "=", "<<",
        "2027-6-3", "2027-06-30T10:00:00Z", "2027-06-30 10:00", "2027-02-30", "9" * 16, "-0x1F",
    ],
)  # fmt: skip
def test_what_readers_disagree_on_is_refused(text: str) -> None:
    document = read_yaml(f"a: {text}\nb: 1")
    (problem,) = document.problems
    assert (problem.line, problem.column) == (1, 4)
    assert problem.hint
    assert document.broken == {("a",)}
    assert document.complete


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("a: 1\nb: 2\na: 3", 3, 1, "twice"),
        ("a: &x 1", 1, 4, "anchor"),
        ("a: *x", 1, 4, "alias"),
        ("a: !x 1", 1, 4, "tag"),
        ("a: !!int 3", 1, 4, "!!int"),
        ("a: !infra", 1, 4, "tag"),
        ("a: 1\n---\na: 2", 2, 1, "second document"),
        ("%TAG ! x\n---\na: 1", 1, 1, "directives"),
        ("? [a]\n: 1", 1, 3, "key"),
        ("true: 1", 1, 1, "key"),
        ("? ~\n: 1", 1, 3, "key"),
        ("&x a: 1", 1, 1, "anchors"),
        ("<<: {a: 1}", 1, 1, "`<<`"),
        ("a: [@acme/x]", 1, 5, "quotes"),
        ("a: [*.tf]", 1, 5, "special"),
        ("a:\n\tb: 1", 2, 1, "tab"),
        ("a: b: c", 1, 5, "colon"),
        ('a: "b', 1, 4, "quote"),
        ("a: {b\n", 2, 1, "bracket"),
        ("a: [b,\n  c\nd: 1\n", 3, 2, "the bracket on line 1, column 4 is not closed before here"),
        ("a: [!infra]", 1, 5, "quotes"),
        ("a: 1\nb\n  - c\n", 2, 1, "a colon is missing"),
        ("a: 1\n\ufeffb: 2", 2, 1, "U+FEFF"),
        ("a: x\x00", 1, 5, "U+0000"),
        ("a: 1\nb: \ud800", 2, 4, "U+D800"),
        ("a: " + "[" * 30 + "]" * 30, 1, 24, "nested"),
        ("[" * 200_000, 1, 22, "nested"),
        ("a: " + "x" * 262_144, 1, 1, "256 KiB"),
    ],
)
def test_problems_and_their_place(text: str, line: int, column: int, message: str) -> None:
    first = read_yaml(text).problems[0]
    assert (first.line, first.column) == (line, column)
    assert message in str(first)


def test_an_alias_bomb_is_refused_before_it_is_built() -> None:
    layers = "".join(f"k{n}: &k{n} [*k{n - 1}, *k{n - 1}]\n" for n in range(1, 25))
    bomb = f"k0: &k0 [x, x]\n{layers}"
    assert read_yaml(bomb).problems
    assert all("anchor" in p.message or "alias" in p.message for p in read_yaml(bomb).problems)


def test_a_file_full_of_problems_is_not_read_to_its_end() -> None:
    document = read_yaml("a: on\n" * 20_000)
    assert len(document.problems) == yaml_nodes.MAX_PROBLEMS
    assert not document.complete


def test_where_things_stand() -> None:
    document = read_yaml("a:\n  b: [1,\n      2]\nc: 3\n")
    assert document.where(("a", "b", 1)) == (3, 7)
    assert document.where(("a", "b")) == (2, 6)
    assert document.where(("a", "b"), at_key=True) == (2, 3)
    assert document.where(("a", "missing", "deep")) == (1, 1)
    assert document.where(("nowhere",)) == (1, 1)


_TEXTS = st.text() | st.text(alphabet="ab:{}[]&*!-?|>'\"# \n\t,@%1.")


@given(_TEXTS)
def test_any_text_is_read_or_refused(text: str) -> None:
    document = read_yaml(text)
    assert document.complete or document.problems


@given(_TEXTS)
def test_what_is_read_without_a_problem_is_what_yaml_says(text: str) -> None:
    """Against PyYAML's own construction, scalars aside that YAML 1.1 reads as something else."""
    document = read_yaml(text)
    if document.problems:
        return
    assert document.value == _as_ours(yaml.load(text, Loader=yaml_nodes._LOADER))


def _as_ours(value: object) -> object:
    match value:
        case list():
            return tuple(map(_as_ours, value))
        case dict():
            return {key: _as_ours(part) for key, part in value.items()}
        case _:
            return value


def test_an_error_without_a_place_is_told_at_the_beginning():
    problem = yaml_nodes._syntax_problem(yaml.YAMLError("out of memory"), "a: b")
    assert (problem.line, problem.column) == (1, 1)
    assert "out of memory" in problem.message

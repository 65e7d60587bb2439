"""Insertion into and removal from the text of JSON with comments; each text is made together with what it says."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foureyes.hooks import json_text
from foureyes.hooks.json_text import Node

# Removed before the standard library reads a text, so that it can be the judge.
COMMENTS = ["/*c1*/", '//c2 "{[,\n', "/* c3\n , ] } */"]
SPACES = ["", " ", "\n", "\n  ", "\t", "\r\n    "]
gaps = st.lists(st.sampled_from(SPACES + COMMENTS), max_size=2).map("".join)
plain = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()
).map(lambda value: (value, json.dumps(value)))


@st.composite
def containers(draw: st.DrawFn, children: st.SearchStrategy[tuple[Any, str]]) -> tuple[Any, str]:
    named = draw(st.booleans())
    parts = draw(st.lists(children, max_size=4))
    keys = draw(st.lists(st.text(max_size=5), min_size=len(parts), max_size=len(parts), unique=True))
    texts = []
    for key, (_, text) in zip(keys, parts, strict=True):
        name = f"{json.dumps(key)}{draw(gaps)}:{draw(gaps)}" if named else ""
        texts.append(f"{draw(gaps)}{name}{text}{draw(gaps)}")
    inside = ",".join(texts) + ("," + draw(gaps) if texts and draw(st.booleans()) else "")
    if not texts:
        inside = draw(gaps)
    value = dict(zip(keys, (v for v, _ in parts), strict=True)) if named else [v for v, _ in parts]
    return value, ("{%s}" if named else "[%s]") % inside


documents = st.recursive(plain, containers, max_leaves=12)
roots = st.tuples(gaps, containers(documents), gaps).map(lambda t: (t[1][0], t[0] + t[1][1] + t[2]))


def judged(text: str) -> Any:
    for comment in COMMENTS:
        text = text.replace(comment.rstrip("\n"), "")
    plain = re.sub(r'("(?:[^"\\]|\\.)*")|,(?=\s*[\]}])', lambda found: found[1] or "", text)
    return json.loads(plain)


def all_containers(node: Node) -> list[Node]:
    mine = [node] if isinstance(node.value, dict | list) else []
    return mine + [one for child in node.children for one in all_containers(child)]


@given(roots)
@settings(deadline=None)
def test_a_text_is_read_as_it_was_made(made: tuple[Any, str]) -> None:
    value, text = made
    assert judged(text) == value
    assert json_text.parse(text).value == value


@given(roots, st.data())
@settings(deadline=None)
def test_what_is_inserted_is_all_that_changes_and_goes_to_the_byte(
    made: tuple[Any, str], data: st.DataObject
) -> None:
    _, text = made
    nodes = all_containers(json_text.parse(text))
    number = data.draw(st.integers(0, len(nodes) - 1))
    node = nodes[number]
    new = data.draw(st.sampled_from([{"a": [1, {"b": "x, ] }"}]}, [], "y", 7]))
    key = "a new key" if isinstance(node.value, dict) else None
    changed = json_text.insert(text, node, new, key)
    expected = all_containers(json_text.parse(text))[number]
    if isinstance(expected.value, dict):
        expected.value["a new key"] = new
    else:
        expected.value.append(new)
    assert judged(changed) == json_text.parse(changed).value
    again = next(c for c in all_containers(json_text.parse(changed)) if c.start == node.start)
    assert again.value == expected.value
    left = json_text.remove(changed, again, len(again.children) - 1)
    if node.children:
        assert left == text
    else:  # only how an empty pair of brackets was spaced may be lost
        assert "".join(left.split()) == "".join(text.split())


@given(roots, st.data())
@settings(deadline=None)
def test_removing_any_child_leaves_the_others(made: tuple[Any, str], data: st.DataObject) -> None:
    _, text = made
    nodes = [node for node in all_containers(json_text.parse(text)) if node.children]
    if not nodes:
        return
    node = data.draw(st.sampled_from(nodes))
    index = data.draw(st.integers(0, len(node.children) - 1))
    left = json_text.remove(text, node, index)
    again = next(c for c in all_containers(json_text.parse(left)) if c.start == node.start)
    if isinstance(node.value, dict):
        assert again.value == {k: v for n, (k, v) in enumerate(node.value.items()) if n != index}
    else:
        assert again.value == node.value[:index] + node.value[index + 1 :]


def test_the_indentation_is_the_files_own() -> None:
    text = '{\n\t"a": 1\n}\n'
    changed = json_text.insert(text, json_text.parse(text), [{"x": 1}], "b")
    assert changed == '{\n\t"a": 1,\n\t"b": [\n\t\t{\n\t\t\t"x": 1\n\t\t}\n\t]\n}\n'


def test_one_line_stays_one_line() -> None:
    text = '{"a": 1, "b": {"c": [1, 2]}}'
    root = json_text.parse(text)
    listed = root.children[1].children[0]
    assert json_text.insert(text, listed, {"d": 3}) == '{"a": 1, "b": {"c": [1, 2, {"d": 3}]}}'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1 2]",
        '{"a" 1}',
        "{a: 1}",
        "[1]]",
        '"\n"',
        "nope",
        "[01]",
        "[" * 5000,
        "{,}",
        "[1,,2]",
        "/* x",
        "'a'",
    ],
)
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        json_text.parse(text)


@pytest.mark.parametrize("text", ['{"a": 1, // why\r}', '{"a":\r1, // why\r}', '{"a": 1 // why\r}'])
def test_a_lone_carriage_return_ends_a_comment_and_nothing_is_put_into_one(text: str) -> None:
    node = json_text.parse(text)
    assert json_text.parse(json_text.insert(text, node, [1], "b")).value == {"a": 1, "b": [1]}

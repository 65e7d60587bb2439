"""git-ai's notes: whose sessions wrote lines; anything else names nobody."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foureyes.shared.git_ai_note import NotedAgent, is_readable, parse_note

SESSION = "s_00112233445566"


def note(attested: str, **about: object) -> bytes:
    about = {"schema_version": "authorship/3.0.0", "prompts": {}, **about}
    return f"{attested}---\n{json.dumps(about, indent=2)}\n".encode()


def session(tool: str, model: str = "") -> dict[str, object]:
    return {"agent_id": {"tool": tool, "id": "abc", "model": model}}


def test_a_session_with_lines_is_an_agents() -> None:
    data = note(
        f'src/a.py\n  {SESSION}::t_aabbccddeeff00 1-4,9\n"with space.py"\n  {SESSION}::t_11 7\n',
        sessions={SESSION: session("cursor", "gpt-5")},
    )
    assert parse_note(data) == (NotedAgent("cursor", "gpt-5"),)


def test_an_older_note_calls_it_a_prompt() -> None:
    assert parse_note(note("a\n  0123456789abcdef 1\n", prompts={"0123456789abcdef": session("claude")})) == (
        NotedAgent("claude", ""),
    )


def test_a_session_without_lines_and_a_person_are_nobodys_agents() -> None:
    people = {"h_00112233445566": {"author": "Olga <olga@example.com>"}}
    data = note("a\n  h_00112233445566 1-2\n", sessions={SESSION: session("cursor")}, humans=people)
    assert parse_note(data) == ()


@pytest.mark.parametrize(
    ("key", "about"),
    [
        ("s_1::t_1", {}),
        ("s_1", {"sessions": ["s_1"]}),
        ("s_1::t_1", {"sessions": {"s_1": "x"}}),
        ("s_1::t_1", {"sessions": {"s_1": {"agent_id": "x"}, "s_2": session("x")}}),
        ("82ac861", {}),
        ("601fa7cb531db267", {"prompts": {}}),
        ("8c2f1d6e-0d3b-4c57-9a53-3f0c1f1c9b11", {}),
    ],
)
def test_a_session_that_the_note_does_not_describe_is_some_agents(key: str, about: dict[str, object]) -> None:
    """144 of 10,685 notes of git-ai's own repository describe none of their sessions."""
    assert parse_note(note(f"a\n  {key} 1\n", **about)) == (NotedAgent("", ""),)
    assert parse_note(note("a\n  h_1 1\n  a_person 2\n", **about)) == ()


def test_a_note_that_names_nobody_is_read_all_the_same_and_one_of_another_form_is_not() -> None:
    assert is_readable(note(""))
    assert not is_readable(note("", schema_version="authorship/4.0.0"))
    assert not is_readable(b"")


def test_a_file_with_the_dividers_name_does_not_hide_the_sessions() -> None:
    data = note(f"---\n  {SESSION}::t_1 1\nb\n  {SESSION}::t_1 2\n", sessions={SESSION: session("amp")})
    assert parse_note(data) == (NotedAgent("amp", ""),)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"---\n",
        b"a\n  s_1::t_1 1\n---\nnot json",
        b"a\n  s_1::t_1 1\n---\n[]",
        b"a\n  s_1 1\n---\n" + b"[" * 100_000,
        note("a\n  s_1::t_1 1\n", schema_version="authorship/4.0.0", sessions={"s_1": session("x")}),
        note("a\n  s_1::t_1\n", sessions={"s_1": session("x")}),
    ],
)
def test_what_does_not_say_so_names_nobody(data: bytes) -> None:
    assert parse_note(data) == ()


@given(st.binary())
def test_any_bytes_are_read_without_an_error(data: bytes) -> None:
    parse_note(data + b"\n---\n" + data)

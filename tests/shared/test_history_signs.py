"""Reading very many messages finds what reading each one slowly finds, and nothing else."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from foureyes.shared.agents import Agent, Catalogue, Sign, parse_catalogue
from foureyes.shared.history_signs import HistorySigns, needed_texts
from foureyes.shared.people import Identity

CATALOGUE = parse_catalogue((Path(__file__).parents[2] / "shared" / "agents.json").read_text())
SIGNS = HistorySigns(CATALOGUE)
PERSON = Identity("Test Person", "person@example.com")
TEXTS = sorted(
    {sign.text for agent in CATALOGUE.agents for sign in (*agent.addresses, *agent.names, *agent.trailers)}
    | {sign.text.replace("[[]", "[").replace("*", "x") for agent in CATALOGUE.agents for sign in agent.lines}
    | {account.login for agent in CATALOGUE.agents for account in agent.accounts}
    | {"https://claude.ai/code/session_1", "https://ampcode.com/threads/T-1", "198982749+", "Cursor", "gpt-5"}
)
KEYS = [
    "Co-authored-by",
    "CO-AUTHORED-BY",
    "Signed-off-by",
    "Assisted-by",
    "Generated-by",
    "Made-with",
    "Amp-Thread-ID",
]
GLUE = [
    " ",
    "\n",
    ": ",
    " <",
    ">",
    "@users.noreply.github.com",
    "\t",
    "*",
    "é",
    "\u212a",
    "\u017f",
    "\r\n",
    "x",
    "via ",
]
messages = st.lists(st.sampled_from([*TEXTS, *KEYS, *GLUE]), max_size=12).map("".join)
lines = st.tuples(st.sampled_from(KEYS), messages).map(lambda pair: f"Subject\n\n  {pair[0]}: {pair[1]}")


@given(messages | lines | st.text())
def test_the_quick_way_finds_what_the_slow_way_finds(message: str) -> None:
    data = message.encode("utf-8", "surrogatepass")
    slow = CATALOGUE.find_marks(data.decode("utf-8", "replace"), PERSON, PERSON)
    assert SIGNS.find(data, PERSON, PERSON) == slow


@given(st.sampled_from(TEXTS), st.sampled_from(TEXTS))
def test_people_are_looked_at_beside_the_message(name: str, email: str) -> None:
    who = Identity(f"{name} (aider)" if name == "aider" else name, email)
    assert SIGNS.find(b"", who, PERSON) == CATALOGUE.find_marks("", who, PERSON)
    assert SIGNS.find(b"", PERSON, who) == CATALOGUE.find_marks("", PERSON, who)


def test_a_message_that_is_not_text_is_read_as_far_as_it_is() -> None:
    (mark,) = SIGNS.find(b"\xff\xfe\nCo-authored-by: \xe9 <noreply@anthropic.com>\n", PERSON, PERSON)
    assert (mark.agent, mark.how) == ("claude-code", "trailer")


def test_most_messages_are_passed_over_by_a_text_search() -> None:
    message = "fix the build for windows\n\nSigned-off-by: Olga Example <olga@example.com>\n"
    assert not any(text in message.casefold() for text in needed_texts(CATALOGUE))


def test_a_sign_without_a_text_of_its_own_makes_every_message_be_read() -> None:
    agent = Agent("x", "X", "X", "local", lines=(Sign("[A-Z]*", "docs"),))
    signs = HistorySigns(Catalogue((agent,), ()))
    assert [mark.agent for mark in signs.find(b"Zebra", PERSON, PERSON)] == ["x"]


def test_the_tool_behind_a_model_is_named_without_an_address_too() -> None:
    (mark,) = SIGNS.find(b"S\n\nAssisted-by: Opus 4.7 via Crush\n", PERSON, PERSON)
    assert (mark.agent, mark.model) == ("crush", "Opus 4.7")


def test_one_mark_for_each_place_with_the_model_where_one_line_tells_it() -> None:
    message = (
        b"S\n\nCo-authored-by: Claude <noreply@anthropic.com>\nCo-authored-by: Claude Opus 5 <noreply@anthropic.com>\n"
        b"Co-authored-by: Claude Sonnet 4 <noreply@anthropic.com>\n"
    )
    assert [(mark.how, mark.model) for mark in SIGNS.find(message, PERSON, PERSON)] == [("trailer", "Opus 5")]

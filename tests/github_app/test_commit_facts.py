"""Who stands in a commit's message, whatever its maker wrote there. In this process."""

from importlib.resources import files

import pytest

from foureyes.github_app.commit_facts import Behind, Names, build
from foureyes.github_app.pull_query import Actor, CommitPeople
from foureyes.github_app.range import RawCommit
from foureyes.github_app.records import Checked
from foureyes.shared.agent_mark import UNNAMED, AgentMark
from foureyes.shared.agents import parse_catalogue
from foureyes.shared.facts import CommitFacts, RecordFact, RecordState
from foureyes.shared.people import Account, Identity

CATALOGUE = parse_catalogue((files("foureyes.shared") / "agents.json").read_text("utf-8"))
OLGA, SAM = Account(1, "olga"), Account(3, "sam")
BY = Identity("Olga", "olga@acme.example")
NO_RECORD = RecordFact(RecordState.MISSING)


def built(message: str, record: RecordFact = NO_RECORD) -> CommitFacts:
    olga = Actor(BY, OLGA)
    people = CommitPeople("c" * 40, olga, olga, (olga,), None, by_github=False)
    names = Names()
    names.add(SAM, "sam@acme.example")
    behind = Behind(CATALOGUE, names, {}, (), "", frozenset(), frozenset(), frozenset(), lambda claim: None)
    raw = RawCommit("c" * 40, "d" * 40, (), BY, BY, message)
    return build(raw, people, Checked(record), behind)


def co_authors(message: str) -> list[tuple[str, str, str]]:
    """Name, address and login of each."""
    return [
        (one.identity.name, one.identity.email, one.account.login if one.account else "")
        for one in built(message).co_authors
    ]


@pytest.mark.parametrize(
    "trailer",
    [
        "Co-authored-by: Sam <sam@acme.example>",
        "CO-AUTHORED-BY:Sam<SAM@acme.example>",
        "  Co-authored-by : Sam < sam@acme.example >",
        "Co-authored-by: Sam\n <sam@acme.example>",
        "Co-authored-by: Olga <Sam <sam@acme.example>",
        "Co-authored-by: Sam <sam@acme.example> and more\n\nlast words",
    ],
)
def test_G11_a_co_author_however_it_is_written(trailer: str) -> None:
    found = co_authors(f"Title\n\ntext\n{trailer}\n")
    assert [(name, email.casefold(), login) for name, email, login in found] == [
        ("Sam", "sam@acme.example", "sam")
    ]


@pytest.mark.parametrize("trailer", ["Co-authored-by: Sam", "Co-authored-by: Olga <OLGA@acme.example>"])
def test_no_address_is_nobody_and_the_author_is_not_their_own_co_author(trailer: str) -> None:
    assert co_authors(f"Title\n\n{trailer}\n") == []


@pytest.mark.parametrize(
    ("message", "count"),
    [
        ("Co-authored-by: " + "a" * 4_000_000, 0),
        ("Co-authored-by: " + "<a" * 2_000_000, 0),
        ("\n".join(f"Co-authored-by: A <a{n}@x.example>" for n in range(3_000)), 3_000),
    ],
    ids=["a line without an address", "many that do not end", "many"],
)
def test_a_message_made_to_hold_the_server_up_does_not(message: str, count: int) -> None:
    """In time that grows with the square of these, the server would stand still for hours."""
    assert len(co_authors(f"Title\n\n{message}\n")) == count


def test_near_G6_a_human_record_of_a_commit_that_the_hooks_marked_as_an_agents_is_contradicted() -> None:
    human = RecordFact(RecordState.SIGNED, says="human")
    assert built("Title\n\nProvenance-Id: 0197-x\n", human).marks == (AgentMark(UNNAMED, "trailer"),)
    assert built("Title\n\nSigned-off-by: Olga <olga@acme.example>\n", human).marks == ()
    assert built("Title\n\nProvenance-Id: 0197-x\n", RecordFact(RecordState.SIGNED, says="ai")).marks == ()

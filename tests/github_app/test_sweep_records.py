"""Records that are published later: their ref raises no event, so that the sweep lists it by git."""

from collections.abc import Iterator

import pytest
from support_gate import SHOP, Gate, running_gate
from support_ssh import KeyFile, make_key
from support_sweep import Swept, age_reads, sweeping

from foureyes.github_app import storage
from foureyes.github_app.tables import work


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swept]:
    folder = tmp_path_factory.mktemp("records")
    with running_gate(folder) as gate:
        yield sweeping(gate)


@pytest.fixture(scope="module")
def key(swept: Swept, tmp_path_factory: pytest.TempPathFactory) -> KeyFile:
    made = make_key(tmp_path_factory.mktemp("key"))
    swept.gate.control(
        "POST", "keys", login="olga", key=made.public_line, kind="signing", created_at="2020-01-01T00:00:00Z"
    )
    return made


def looks_again_after(gate: Gate, head: str) -> int:
    """Seconds from the last look to the next that needs no reason."""
    with storage.reading(gate.engine) as conn:
        row = conn.execute(work.select().where(work.c.head == head)).one()
    return int((row.look_at - row.done_at) / 1000)


def test_a_record_that_arrives_later_is_found_and_its_head_alone_is_looked_at(
    swept: Swept, key: KeyFile
) -> None:
    gate = swept.gate
    head = gate.change({"infra/network.tf": "later\n"})
    number = gate.open("olga", "later", head)
    gate.open("olga", "other", gate.change({"infra/other.tf": "other\n"}))
    gate.settle()
    assert "no record" in (gate.check(number).title or "")
    assert looks_again_after(gate, head) == 3600, "nobody has to ask again and again"
    swept.round()
    gate.publish("olga", "later", head, key=key)
    age_reads(gate)
    before = swept.sweeper.woken["records"]
    swept.round()
    assert swept.sweeper.woken["records"] == before + 1
    assert "no record" not in (gate.check(number).title or "")


def test_a_record_that_is_taken_away_is_noticed_within_a_round(swept: Swept, key: KeyFile) -> None:
    gate = swept.gate
    head = gate.change({"infra/network.tf": "gone\n"})
    gate.publish("olga", "gone", head)
    number = gate.open("olga", "gone", head)
    swept.round()
    refs = gate.sandbox.world.repositories[SHOP].git
    ref = next(ref for ref in refs.refs("refs/foureyes/b/") if refs.refs()[ref])
    title = gate.check(number).title
    for each in list(refs.refs("refs/foureyes/b/")):
        refs.delete_ref(each)
    age_reads(gate)
    before = swept.sweeper.woken["records"]
    swept.round()
    assert swept.sweeper.woken["records"] > before
    assert gate.check(number).title == title, "what was seen once stays"
    assert ref not in refs.refs("refs/foureyes/b/")


def test_when_nothing_was_published_git_is_asked_once_for_a_repository_and_nothing_else(swept: Swept) -> None:
    gate = swept.gate
    gate.open("olga", "quiet", gate.change({"infra/network.tf": "quiet\n"}))
    swept.round()
    age_reads(gate)
    gate.forget_calls()
    before = swept.sweeper.woken["records"]
    swept.round()
    assert swept.sweeper.woken["records"] == before
    assert gate.calls["graphql"] == 1

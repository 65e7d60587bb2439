"""Everything that can go wrong between GitHub and the App, alone and in mixtures: it is only ever a delay.

FOUREYES_TEST_LONG tries many seeds (`make test-long`); FOUREYES_TEST_SEED says with which they begin.
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from support_faulty import ANSWERS, Faulty, play
from support_gate import Gate, running_gate

LONG = bool(os.environ.get("FOUREYES_TEST_LONG"))
FIRST = int(os.environ.get("FOUREYES_TEST_SEED", "1"))
SEEDS = range(FIRST, FIRST + (int(os.environ.get("FOUREYES_TEST_SEEDS", "60")) if LONG else 1))
ALONE = range(0, len(ANSWERS), 1 if LONG else 3)
WAYS = ("repeated", "late", "failed", "lost") if LONG else ("late",)
"""Of the others G36 and G37 have tests of their own in the normal run."""


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    with running_gate(tmp_path) as gate:
        gate.push("noor", "develop", gate.tip())
        yield gate


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    """One sandbox for all faults; each meets a pull request of its own."""
    with running_gate(tmp_path_factory.mktemp("alone")) as gate:
        yield Faulty(gate, random.Random(1))


@pytest.mark.parametrize("number", ALONE)
def test_each_fault_alone_is_a_delay(alone: Faulty, number: int) -> None:
    kind, match, how = ANSWERS[number]
    one = alone.open(f"infra/alone-{number}.tf")
    alone.deliver("now")
    alone.look()
    alone.gate.fault(kind, match, **how)
    while len(alone.approving(one)) < 2:
        alone.review(one)
    alone.deliver("now")
    alone.look()
    while len(alone.approving(one)) >= 2:
        alone.dismiss(one)
    alone.deliver("now")
    alone.gate.fault(kind, match, **how)
    alone.look()
    alone.gate.sandbox.world.faults.clear()
    alone.look()
    assert alone.wrong() == []
    assert alone.check_of(one) == "in_progress"
    alone.close(one)
    alone.deliver("now")
    alone.look()


@pytest.mark.parametrize("how", WAYS)
def test_each_way_of_a_delivery_alone_is_made_good(alone: Faulty, how: str) -> None:
    one = alone.open(f"infra/{how}.tf")
    alone.deliver(how, one)
    while len(alone.approving(one)) < 2:
        alone.review(one)
    alone.deliver(how, one)
    alone.hear_late()
    alone.end()
    assert alone.wrong() == []
    assert alone.check_of(one) == "success"
    while len(alone.approving(one)) >= 2:
        alone.dismiss(one)
    alone.deliver(how, one)
    alone.hear_late()
    alone.end()
    assert alone.wrong() == []
    assert alone.check_of(one) == "in_progress"


@pytest.mark.parametrize("seed", SEEDS)
def test_random_mixtures_over_random_histories_end_as_they_should(gate: Gate, seed: int) -> None:
    game = play(gate, seed, steps=30 if LONG else 14)
    assert game.wrong() == [], "\n".join([f"seed {seed}", *game.told])

"""G37: what no webhook told is found by the sweep. One sandbox for all; each test has pull requests of its own."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select
from support_gate import SHOP, Gate, running_gate
from support_sweep import Swept, age_reads, sweeping

from foureyes.github_app import storage
from foureyes.github_app.answer import Answer, GitHubError
from foureyes.github_app.sweep_query import Covered, ask_happened
from foureyes.github_app.sweep_tables import errand, pull_read, repository_swept
from foureyes.github_app.tables import work


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swept]:
    with running_gate(tmp_path_factory.mktemp("sweep")) as gate:
        yield sweeping(gate)


@pytest.fixture
def deaf(swept: Swept) -> Iterator[Gate]:
    """All webhooks are lost, from a state in which everything is known."""
    swept.gate.deaf = False
    swept.round()
    swept.gate.deaf = True
    swept.gate.forget_calls()
    yield swept.gate
    swept.gate.deaf = False


def opened(gate: Gate, branch: str, text: str = "changed\n") -> int:
    return gate.open("olga", branch, gate.change({"infra/network.tf": f"{branch} {text}"}))


def test_G37_a_pull_request_that_nobody_told_of_gets_its_check(swept: Swept, deaf: Gate) -> None:
    number = opened(deaf, "unheard")
    swept.round()
    assert deaf.verdict(number) == "in_progress"
    assert swept.sweeper.woken["pull request"] >= 1


def test_G37_lost_reviews_make_it_green_and_a_lost_dismissal_takes_that_back(
    swept: Swept, deaf: Gate
) -> None:
    number = opened(deaf, "reviews")
    swept.round()
    deaf.review("rita", number)
    review = deaf.review("sam", number)
    swept.round()
    assert deaf.verdict(number) == "success"
    path = f"/repos/{SHOP}/pulls/{number}/reviews/{review}/dismissals"
    deaf.as_person("noor", "PUT", path, {"message": "no"})
    swept.round()
    assert deaf.verdict(number) == "in_progress"


def test_G37_a_lost_push_moves_the_check_to_the_new_head(swept: Swept, deaf: Gate) -> None:
    number = opened(deaf, "pushed")
    for login in ("rita", "sam"):
        deaf.review(login, number)
    swept.round()
    old = deaf.pull(number).head
    assert deaf.verdict(number) == "success"
    deaf.push("olga", "pushed", deaf.change({"infra/network.tf": "other\n"}, old))
    swept.round()
    assert deaf.pull(number).head != old
    assert deaf.verdict(number) == "in_progress"


def test_G37_draft_retarget_and_close_take_a_success_back(swept: Swept, deaf: Gate) -> None:
    number = opened(deaf, "moved")
    for login in ("rita", "sam"):
        deaf.review(login, number)
    swept.round()
    assert deaf.verdict(number) == "success"
    deaf.control("POST", "draft", repository=SHOP, number=number, login="olga", draft=True)
    swept.round()
    assert deaf.verdict(number) != "success"
    deaf.control("POST", "draft", repository=SHOP, number=number, login="olga", draft=False)
    swept.round()
    assert deaf.verdict(number) == "success"
    deaf.as_person("noor", "PATCH", f"/repos/{SHOP}/pulls/{number}", {"state": "closed"})
    swept.round()
    assert deaf.verdict(number) == "cancelled"


def test_what_was_heard_to_be_closed_is_not_looked_at_again(swept: Swept) -> None:
    gate = swept.gate
    number = opened(gate, "closed")
    gate.settle()
    gate.as_person("noor", "PATCH", f"/repos/{SHOP}/pulls/{number}", {"state": "closed"})
    gate.settle()
    before = woken(gate, number)
    swept.round()
    assert woken(gate, number) == before


def woken(gate: Gate, number: int) -> int:
    """How often somebody was told to look at its head: other tests leave pull requests that are changed in the future."""
    with storage.reading(gate.engine) as conn:
        return int(conn.execute(select(work.c.gen).where(work.c.head == gate.pull(number).head)).scalar_one())


def test_a_policy_that_nobody_told_of_is_found_and_judged_by(swept: Swept, deaf: Gate) -> None:
    number = deaf.open("olga", "later", deaf.change({"docs/later.md": "text\n"}))
    swept.round()
    assert deaf.verdict(number) == "success"
    path = ".github/foureyes.yml"
    text = deaf.clone.git("show", f"{deaf.tip()}:{path}")
    stricter = deaf.change({path: text + "\n# another day\n"})
    deaf.push("noor", "main", stricter)
    before = swept.sweeper.woken["branch"]
    swept.round()
    assert swept.sweeper.woken["branch"] == before + 2
    with storage.reading(deaf.engine) as conn:
        row = conn.execute(select(repository_swept)).first()
    assert row is not None
    assert row.tip == stricter
    assert deaf.verdict(number) == "success"


def test_G37_another_default_branch_of_which_nobody_told_is_judged_by(swept: Swept, deaf: Gate) -> None:
    """Its last push was heard of, when it was one of many branches."""
    policy = (
        'version: 1\nbranches: [main, trunk]\nroster: ["@acme/engineers", "@acme/reviewers"]\n'
        'protected: ["docs/**"]\n'
    )
    deaf.deaf = False
    deaf.push("noor", "trunk", deaf.change({".github/foureyes.yml": policy}))
    deaf.settle()
    deaf.deaf = True
    number = deaf.open("olga", "by-main", deaf.change({"docs/by-main.md": "text\n"}))
    swept.round()
    assert deaf.verdict(number) == "success"
    age_reads(deaf)
    deaf.control("POST", "default-branch", repository=SHOP, branch="trunk")
    swept.round()
    assert deaf.verdict(number) == "in_progress"
    age_reads(deaf)
    deaf.control("POST", "default-branch", repository=SHOP, branch="main")
    swept.round()
    assert deaf.verdict(number) == "success"


def test_when_nothing_changed_next_to_nothing_is_asked(swept: Swept, deaf: Gate) -> None:
    """Installations, failed deliveries; the repositories, which GitHub says are the same; one query for what happened."""
    opened(deaf, "idle")
    swept.round()
    age_reads(deaf)
    swept.round()
    age_reads(deaf)  # what another test left to be looked at was read just now
    deaf.forget_calls()
    swept.round()
    assert dict(deaf.calls) == {
        "GET installations": 1, "GET deliveries": 1, "GET repositories": 1, "graphql": 1,
    }  # fmt: skip


def test_what_was_heard_and_read_is_not_looked_at_again(swept: Swept) -> None:
    gate = swept.gate
    number = opened(gate, "heard")
    gate.settle()
    age_reads(gate)
    before = swept.sweeper.woken["pull request"]
    swept.round()
    assert swept.sweeper.woken["pull request"] == before
    gate.deaf = True
    gate.control("POST", "settings", clock=120)
    try:
        gate.review("rita", number)
        swept.round()
    finally:
        gate.control("POST", "settings", clock=0)
        gate.deaf = False
    assert swept.sweeper.woken["pull request"] == before + 1
    assert "1 of 2" in (gate.check(number).title or "")


def test_a_suspended_installation_rests_and_is_looked_at_anew_when_it_is_back(
    swept: Swept, deaf: Gate
) -> None:
    number = opened(deaf, "rests")
    swept.round()
    deaf.control("POST", "suspend")
    swept.round()
    with storage.reading(deaf.engine) as conn:
        assert conn.execute(select(work.c.key).where(work.c.live)).all() == []
        assert conn.execute(select(work.c.key).where(work.c.gen > work.c.done_gen)).all() == []
        assert conn.execute(select(pull_read)).all() == []
        assert set(conn.execute(select(errand.c.key)).scalars()) == {"installations", "deliveries"}
    deaf.control("POST", "suspend", suspended=False)
    for login in ("rita", "sam"):
        deaf.review(login, number)
    swept.round()
    assert deaf.verdict(number) == "success"


@pytest.mark.parametrize("fault", [{"kind": "hang-up"}, {"kind": "status", "status": 502}])
def test_a_round_in_which_github_did_not_answer_is_not_done(
    swept: Swept, deaf: Gate, fault: dict[str, Any]
) -> None:
    deaf.fault(**{"match": "POST /api/graphql", "times": 9, **fault})
    swept.sweeper.begin()
    while swept.sweeper.turn():
        pass
    deaf.sandbox.world.faults.clear()
    with storage.reading(deaf.engine) as conn:
        row = conn.execute(select(errand).where(errand.c.key.startswith("pulls:"))).one()
    assert (row.tries, "api/graphql" in row.last_error) == (1, True)
    assert deaf.calls["graphql"] == 3, "the tries of one request"


def test_a_server_that_stops_leaves_its_turn_at_the_next_good_place(
    swept: Swept, deaf: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has to wait for the end of the errand's lease to go on."""
    deaf.control("POST", "repositories", repository="acme/second", files={"README.md": "second\n"})
    monkeypatch.setattr("foureyes.github_app.sweep_pulls.BATCH", 1)
    swept.sweeper.begin()
    with storage.writing(deaf.engine) as conn:
        conn.execute(errand.update().where(~errand.c.key.startswith("pulls:")).values(due_at=2**60))
    assert swept.sweeper.turn(lambda: True)
    with storage.reading(deaf.engine) as conn:
        row = conn.execute(select(errand).where(errand.c.key.startswith("pulls:"))).one()
    assert (row.lease_until, row.owner, row.place != "") == (0, "", True)
    with storage.writing(deaf.engine) as conn:
        conn.execute(errand.update().values(due_at=0))
    swept.round()
    # one repository more would cost the other tests a query more
    deaf.control("DELETE", "repositories", repository="acme/second")


def test_a_query_that_is_too_much_for_github_is_asked_in_parts(swept: Swept) -> None:
    asked: list[int] = []

    class Overloaded:
        def graphql_answer(self, _query: str, variables: dict[str, list[str]]) -> Answer:
            asked.append(len(variables["ids"]))
            if asked[-1] > 2:
                raise GitHubError("POST /graphql: 502", 502)
            return Answer(200, {}, {"nodes": [None] * asked[-1]})

    four = [Covered(number, f"R_{number}") for number in range(4)]
    assert list(ask_happened(Overloaded(), four)) == []  # type: ignore[arg-type]
    assert asked == [4, 2, 2]


def test_an_app_that_may_not_read_queues_is_told_all_the_rest(swept: Swept, deaf: Gate) -> None:
    client = swept.deps.github.installation(next(iter(deaf.sandbox.world.installations)))
    asked: list[object] = []

    class WithoutQueues:
        def graphql_answer(self, query: str, variables: dict[str, Any]) -> Answer:
            asked.append(variables["queues"])
            if variables["queues"]:
                raise GitHubError("GraphQL: Resource not accessible by integration", 200)
            return client.graphql_answer(query, variables)

    shop = deaf.sandbox.world.repositories[SHOP]
    node = client.get(f"/repos/{SHOP}")["node_id"]
    (found,) = ask_happened(WithoutQueues(), [Covered(shop.id, node)])  # type: ignore[arg-type]
    assert (found.slug, asked) == (SHOP, [True, False])

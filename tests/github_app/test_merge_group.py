"""A merge queue's groups, end to end: real commits made by the sandbox's queue, judged and let in or not."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from support_gate import SHOP, Gate, running_gate
from support_sweep import sweeping

from foureyes.github_app import alerts, asking, lanes, merge_group, storage, tables
from foureyes.github_app.client import GitHubError, InstallationClient
from foureyes.github_app.lanes import Retry
from foureyes.github_app.last_look import LastLook
from foureyes.github_app.pull_query import Ground, Shown, ask_head
from foureyes.github_app.queue_query import QueueEntry, ask_queue, group
from foureyes.github_app.sandbox import merge_queue, webhooks

QUEUE_RULE = {
    "type": "merge_queue",
    "parameters": {
        "check_response_timeout_minutes": 60, "grouping_strategy": "ALLGREEN", "max_entries_to_build": 5,
        "max_entries_to_merge": 5, "merge_method": "MERGE", "min_entries_to_merge": 1,
        "min_entries_to_merge_wait_minutes": 5,
    },
}  # fmt: skip


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    with running_gate(tmp_path) as gate:
        gate.sandbox.world.repositories[SHOP].rulesets[0].rules.append(QUEUE_RULE)
        yield gate


def approved(gate: Gate, branch: str, path: str, text: str = "x\n") -> int:
    number = gate.open("olga", branch, gate.change({path: text}))
    for login in ("rita", "sam"):
        gate.review(login, number)
    gate.settle()
    assert gate.verdict(number) == "success"
    return number


def enqueue(gate: Gate, number: int, method: str = "merge") -> str:
    """The commit that the queue made of it."""
    told = gate.control("POST", "queue", repository=SHOP, number=number, login="rita", method=method)
    return str(told["head"])


def advance(gate: Gate) -> list[int]:
    merged: list[int] = gate.control("POST", "queue-advance", repository=SHOP, branch="main")
    return merged


def said(gate: Gate, made: str) -> str:
    (run,) = gate.runs(made)
    return run.conclusion or run.status


@pytest.mark.parametrize("method", ["merge", "squash"])
def test_a_group_of_what_was_approved_is_let_in(gate: Gate, method: str) -> None:
    number = approved(gate, "feat", "infra/a.tf")
    made = enqueue(gate, number, method)
    gate.settle()
    assert said(gate, made) == "success"
    assert gate.runs(made)[0].title == f"Passed: #{number}, as approved"
    assert advance(gate) == [number]
    gate.settle()
    assert gate.tip() == made
    with storage.reading(gate.engine) as conn:
        assert alerts.listed(conn) == ()


def test_what_a_queue_rebases_commit_by_commit_is_let_in(gate: Gate) -> None:
    first = gate.change({"infra/a.tf": "1\n"}, message="one")
    number = gate.open("olga", "feat", gate.change({"infra/b.tf": "2\n"}, first, message="two"))
    for login in ("rita", "sam"):
        gate.review(login, number)
    gate.push("noor", "main", gate.change({"docs/other.md": "x\n"}))
    gate.settle()
    gate.deaf = True
    enqueue(gate, number)
    gate.deaf = False
    again = gate.change({"infra/a.tf": "1\n"}, message="one")
    made = gate.change({"infra/b.tf": "2\n"}, again, message="two")
    put_in_place_of(gate, made)
    gate.settle()
    assert said(gate, made) == "success"


@pytest.mark.parametrize("method", ["merge", "squash"])
def test_several_in_one_group_are_each_judged_on_what_comes_before(gate: Gate, method: str) -> None:
    one = approved(gate, "one", "infra/a.tf")
    two = approved(gate, "two", "infra/b.tf")
    first, second = enqueue(gate, one, method), enqueue(gate, two, method)
    gate.settle()
    assert [said(gate, made) for made in (first, second)] == ["success", "success"]
    assert gate.runs(second)[0].title == f"Passed: #{one} and #{two}, as approved"
    assert advance(gate) == [one, two]
    gate.settle()
    with storage.reading(gate.engine) as conn:
        assert alerts.listed(conn) == ()
        found = conn.execute(tables.landing.select().order_by(tables.landing.c.landed_at)).all()
    assert [row.finding for row in found][-2:] == ["decided", "decided"]


def test_an_approval_that_is_taken_back_in_the_queue_stops_the_group(gate: Gate) -> None:
    number = approved(gate, "feat", "infra/a.tf")
    made = enqueue(gate, number)
    gate.settle()
    assert said(gate, made) == "success"
    gate.review("rita", number, "REQUEST_CHANGES")
    gate.settle()
    assert said(gate, made) == "failure"
    assert advance(gate) == []


@pytest.mark.parametrize("text", ["y\n", "x\n"])
def test_a_head_that_moved_while_it_is_queued_stops_the_group(gate: Gate, text: str) -> None:
    """Also one of the same content: what the queue made of it is not what it is now."""
    number = approved(gate, "feat", "infra/a.tf")
    made = enqueue(gate, number)
    gate.settle()
    assert said(gate, made) == "success"
    gate.push("olga", "feat", gate.change({"infra/a.tf": text}, message="again"))
    gate.settle()
    assert said(gate, made) == "failure"
    assert advance(gate) == []


def test_who_waits_is_refused_for_a_queue_must_not_stand_still(gate: Gate) -> None:
    number = approved(gate, "feat", "infra/a.tf")
    gate.deaf = True
    review = gate.pull(number).reviews[0]
    gate.as_person(
        "noor", "PUT", f"/repos/{SHOP}/pulls/{number}/reviews/{review.id}/dismissals", {"message": "no"}
    )
    gate.deaf = False
    made = enqueue(gate, number)
    gate.settle()
    assert said(gate, made) == "failure"
    summary = gate.runs(made)[0].summary or ""
    assert f"#{number} does not pass" in summary
    assert "Waiting: 1 of 2 humans" in summary


def test_one_that_is_refused_is_taken_out_and_those_behind_it_are_judged_anew(gate: Gate) -> None:
    one = approved(gate, "one", "infra/a.tf")
    two = approved(gate, "two", "infra/b.tf")
    first, second = enqueue(gate, one), enqueue(gate, two)
    gate.review("rita", one, "REQUEST_CHANGES")
    gate.settle()
    assert [said(gate, made) for made in (first, second)] == ["failure", "failure"]
    shop = gate.sandbox.world.repositories[SHOP]
    advance(gate)
    (again,) = shop.queues["main"]
    gate.settle()
    assert (again.pull.number, said(gate, again.head)) == (two, "success")
    assert advance(gate) == [two]


def test_a_group_whose_tree_is_not_the_merge_of_its_heads_is_refused(gate: Gate) -> None:
    number = approved(gate, "feat", "infra/a.tf")
    gate.deaf = True
    enqueue(gate, number)
    gate.deaf = False
    shop = gate.sandbox.world.repositories[SHOP]
    (entry,) = shop.queues["main"]
    evil = gate.change({"infra/a.tf": "x\n", "infra/storage.tf": "sneaked in\n"}, entry.base, entry.pull_head)
    put_in_place_of(gate, evil)
    gate.settle()
    assert said(gate, evil) == "failure"
    assert advance(gate) == []


def test_a_group_with_commits_of_nobody_in_it_is_refused(gate: Gate) -> None:
    """Its tree is right; a commit that nobody asked for lies beneath."""
    number = approved(gate, "feat", "infra/a.tf")
    gate.deaf = True
    enqueue(gate, number)
    gate.deaf = False
    (entry,) = gate.sandbox.world.repositories[SHOP].queues["main"]
    stranger = gate.change({"infra/a.tf": "x\n"}, gate.pull(number).head, message="a stranger")
    tree = gate.clone.git("rev-parse", f"{entry.pull_head}^{{tree}}")
    assert gate.clone.git("rev-parse", f"{stranger}^{{tree}}") == tree
    evil = gate.change({"infra/a.tf": "x\n"}, entry.base, stranger)
    put_in_place_of(gate, evil)
    gate.settle()
    assert said(gate, evil) == "failure"
    assert "commits of no pull request" in (gate.runs(evil)[0].summary or "")


@pytest.mark.parametrize(
    ("change", "why"), [({"base": "release/1"}, "has moved"), ({"state": "closed"}, "is not open any more")]
)
def test_one_that_goes_elsewhere_or_is_closed_in_the_queue_stops_the_group(
    gate: Gate, change: dict[str, str], why: str
) -> None:
    """It passes by itself: nobody waits where it goes now."""
    gate.push("noor", "release/1", gate.tip())
    number = approved(gate, "feat", "infra/a.tf")
    made = enqueue(gate, number)
    gate.settle()
    assert said(gate, made) == "success"
    gate.as_person("olga", "PATCH", f"/repos/{SHOP}/pulls/{number}", change)
    gate.settle()
    assert said(gate, made) == "failure"
    assert f"#{number} {why}" in (gate.runs(made)[0].summary or "")


def test_a_group_that_is_not_built_on_the_branch_as_it_is_now_is_refused(gate: Gate) -> None:
    number = approved(gate, "feat", "infra/a.tf")
    made = enqueue(gate, number)
    gate.settle()
    gate.push("noor", "main", gate.change({"docs/other.md": "x\n"}))
    gate.review("ben", number, "COMMENT")
    gate.settle()
    assert said(gate, made) == "failure"
    assert "is not built on `main` as it is now" in (gate.runs(made)[0].summary or "")


def test_a_group_that_lacks_one_of_its_pull_requests_is_refused(gate: Gate) -> None:
    """The queue says that it is built on the other one."""
    one, two = approved(gate, "one", "infra/a.tf"), approved(gate, "two", "infra/b.tf")
    gate.deaf = True
    enqueue(gate, one), enqueue(gate, two)
    gate.deaf = False
    alone = gate.clone.merge(gate.tip(), gate.pull(two).head)
    put_in_place_of(gate, alone)
    gate.settle()
    assert said(gate, alone) == "failure"
    assert f"#{one} is not in it" in (gate.runs(alone)[0].summary or "")


def test_a_group_whose_commits_cannot_be_read_is_refused(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    number = approved(gate, "feat", "infra/a.tf")
    made = enqueue(gate, number)
    monkeypatch.setattr(merge_group, "bring", lambda _mirror, oids: frozenset(oids) - {made})
    gate.settle()
    assert said(gate, made) == "failure"
    assert "not all of its commits can be read" in (gate.runs(made)[0].summary or "")


def test_nothing_is_written_that_moved_meanwhile_or_that_another_worker_has(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = approved(gate, "feat", "infra/a.tf")
    made = enqueue(gate, number)
    monkeypatch.setattr(lanes, "backoff_ms", no_second_try)
    for name, stand_in in (
        ("look", lambda *_: LastLook(())),
        ("may_write", lambda *_: False),
        ("ask_head", lambda client, *asked: elsewhere(*ask_head(client, *asked))),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(merge_group, name, stand_in)
            with storage.writing(gate.engine) as conn:
                conn.execute(tables.work.update().values(due_at=0, not_before=0))
            gate.outcomes.clear()
            gate.settle()
            assert any(isinstance(outcome, Retry) for outcome in gate.outcomes)
            assert gate.runs(made) == []
    with storage.writing(gate.engine) as conn:
        conn.execute(tables.work.update().values(due_at=0, not_before=0))
    gate.settle()
    assert said(gate, made) == "success"


def elsewhere(ground: Ground, shown: Shown) -> tuple[Ground, Shown]:
    """The name is another repository's by now."""
    return replace(ground, repository=replace(ground.repository, id=ground.repository.id + 1)), shown


def test_a_part_of_the_queue_is_not_taken_for_all_of_it() -> None:
    class Client:
        def graphql(self, _query: str, _variables: object) -> object:
            return {"repository": {"mergeQueue": {"entries": {"totalCount": 1, "nodes": []}}}}

    with pytest.raises(GitHubError, match="GitHub lists 0 of 1"):
        ask_queue(cast("InstallationClient", Client()), SHOP, "main")


def put_in_place_of(gate: Gate, evil: str) -> None:
    """As if the queue had made this commit of its last entry."""
    shop = gate.sandbox.world.repositories[SHOP]
    entry = shop.queues["main"][-1]
    gate.push("noor", "elsewhere", evil)
    entry.head = evil
    with gate.sandbox.world.lock:
        shop.git.update_ref(f"refs/heads/{entry.branch}", evil)
        webhooks.merge_group(gate.sandbox.world, "checks_requested", entry, entry.enqueuer)


def test_a_group_in_whose_base_the_same_file_moved_is_refused(gate: Gate) -> None:
    """Both pass alone, and nobody has approved the second on top of the first."""
    base = gate.files(gate.tip())["infra/network.tf"]
    assert base
    tail = 'resource "network" "main" {\n  range = "10.0.0.0/8"\n}\n'
    head = '# ours\n\n\n\nresource "network" "main" {\n  range = "10.0.0.0/16"\n}\n'
    one = approved(gate, "one", "infra/network.tf", tail)
    two = approved(gate, "two", "infra/network.tf", head)
    first, second = enqueue(gate, one), enqueue(gate, two)
    gate.settle()
    assert [said(gate, made) for made in (first, second)] == ["success", "failure"]
    assert "not on top of what is merged before it" in (gate.runs(second)[0].summary or "")


def test_a_group_that_is_gone_leaves_no_green_check(gate: Gate) -> None:
    number = approved(gate, "feat", "infra/a.tf")
    made = enqueue(gate, number)
    gate.settle()
    world = gate.sandbox.world
    with world.lock:
        merge_queue.dequeue(world, world.repositories[SHOP].queues["main"][0], "MANUAL")
    gate.settle()
    assert said(gate, made) == "cancelled"


def test_looking_again_writes_nothing(gate: Gate) -> None:
    number = approved(gate, "feat", "infra/a.tf")
    enqueue(gate, number)
    gate.settle()
    gate.forget_calls()
    gate.review("ben", number, "COMMENT")
    gate.settle()
    assert [path for path in gate.paths if "/check-runs" in path] == []


def test_G37_a_group_that_nobody_told_of_is_found_by_the_sweep(gate: Gate) -> None:
    """Also where no webhook ever comes (`serve --poll`): a queue waits for the check only so long."""
    one, two = approved(gate, "one", "infra/a.tf"), approved(gate, "two", "infra/b.tf")
    gate.deaf = True
    made = [enqueue(gate, one), enqueue(gate, two)]
    swept = sweeping(gate)
    swept.round()
    assert [said(gate, group) for group in made] == ["success", "success"]
    swept.round()
    gate.forget_calls()
    swept.round()
    assert not any("/check-runs" in path for path in gate.paths)
    assert swept.sweeper.woken["group"] == 2


def no_second_try(_tries: int, _chance: float) -> int:
    """However slow this machine is."""
    return 3_600_000


def test_what_cannot_be_read_is_tried_again_before_the_group_is_refused(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = approved(gate, "feat", "infra/a.tf")
    made = enqueue(gate, number)
    real = asking._count
    monkeypatch.setattr(asking, "_count", lambda page: real(page) + 1)
    monkeypatch.setattr(lanes, "backoff_ms", no_second_try)
    gate.settle()
    assert isinstance(gate.outcomes[-1], Retry)
    assert gate.runs(made) == []
    with storage.writing(gate.engine) as conn:
        conn.execute(tables.work.update().values(tries=5, due_at=0, not_before=0))
    gate.settle()
    assert said(gate, made) == "failure"


def test_a_green_group_that_cannot_be_read_is_green_no_more(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The news may be that an approval was taken back: the queue must not merge on what stood before it."""
    number = approved(gate, "feat", "infra/a.tf")
    made = enqueue(gate, number)
    gate.settle()
    assert said(gate, made) == "success"
    real = asking._count
    monkeypatch.setattr(lanes, "backoff_ms", no_second_try)
    with monkeypatch.context() as unread:
        unread.setattr(asking, "_count", lambda page: real(page) + 1)
        gate.wake(number)
        with storage.writing(gate.engine) as conn:
            conn.execute(tables.work.update().values(gen=tables.work.c.gen + 1, due_at=0))
        gate.settle()
        assert all(isinstance(outcome, Retry) for outcome in gate.outcomes[-2:])
        assert said(gate, made) != "success"
    with storage.writing(gate.engine) as conn:
        conn.execute(tables.work.update().values(due_at=0, not_before=0))
    gate.settle()
    assert said(gate, made) == "success"


def test_a_queue_into_a_branch_that_is_not_gated_is_nobodys_business(gate: Gate) -> None:
    shop = gate.sandbox.world.repositories[SHOP]
    shop.rulesets[0].include = ("refs/heads/topic",)
    shop.rulesets[0].rules = [QUEUE_RULE]
    gate.push("olga", "topic", gate.tip())
    number = gate.open("olga", "feat", gate.change({"infra/a.tf": "x\n"}), base="topic")
    made = enqueue(gate, number)
    gate.settle()
    assert gate.runs(made) == []


def test_an_observed_queue_gets_no_check(gate: Gate) -> None:
    policy = 'version: 1\nmode: observe\nroster: ["@acme/engineers"]\nprotected: ["infra/**"]\n'
    number = approved(gate, "feat", "docs/x.md")
    gate.push("noor", "main", gate.change({".github/foureyes.yml": policy}))
    made = enqueue(gate, number)
    gate.settle()
    assert gate.runs(made) == []


def entry(number: int, base: str, made: str) -> QueueEntry:
    return QueueEntry(number, f"head {number}", "main", base, made)


def test_a_group_is_what_its_commit_holds_in_order() -> None:
    one, two, other = entry(1, "base", "a"), entry(2, "a", "b"), entry(3, "base", "c")
    assert group((two, other, one), "b") == (one, two)
    assert group((two, one), "a") == (one,)
    assert group((two, one), "none") == ()
    assert group((entry(1, "b", "a"), entry(2, "a", "b")), "b")  # a circle ends
    assert group((entry(1, "base", ""),), "") == ()

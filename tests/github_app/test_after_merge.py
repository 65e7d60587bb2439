"""What comes onto a gated branch is held against the decisions, on a real sandbox with real git."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support_gate import SHOP, Gate, running_gate
from support_ssh import make_key

from foureyes.github_app import after_merge, alerts, storage, tables
from foureyes.github_app.after_merge import AfterMerge
from foureyes.github_app.alerts import Alert, Kind
from foureyes.github_app.git_facts import bring
from foureyes.github_app.landed import Moved
from foureyes.shared.record_ref import record_ref

OLGA = ("Olga", "olga@acme.example")


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    with running_gate(tmp_path) as gate:
        yield gate


def infra(gate: Gate, *parents: str, text: str = "changed\n", **options: object) -> str:
    return gate.change({"infra/network.tf": text}, *parents, **options)


def raised(gate: Gate) -> list[Alert]:
    """Oldest first."""
    with storage.reading(gate.engine) as conn:
        return list(reversed(alerts.listed(conn)))


def findings(gate: Gate) -> list[str]:
    with storage.reading(gate.engine) as conn:
        rows = conn.execute(tables.landing.select().order_by(tables.landing.c.landed_at))
        return [row.finding for row in rows]


def merge(gate: Gate, login: str, number: int, method: str = "merge") -> str:
    body = {"merge_method": method}
    return str(gate.as_person(login, "PUT", f"/repos/{SHOP}/pulls/{number}/merge", body)["sha"])


def approved(gate: Gate, number: int) -> None:
    for login in ("rita", "sam"):
        gate.review(login, number)
    gate.settle()


@pytest.mark.parametrize("method", ["merge", "squash"])
def test_a_merge_that_passed_raises_nothing_and_shows_nothing(gate: Gate, method: str) -> None:
    number = gate.open("olga", "feat", infra(gate))
    approved(gate, number)
    landed = merge(gate, "rita", number, method)
    gate.settle()
    assert raised(gate) == []
    assert findings(gate)[-1] == "decided"
    assert gate.runs(landed, "foureyes after merge") == []


@pytest.mark.parametrize("method", ["merge", "squash"])
def test_G41_an_admins_bypass_is_an_alert_that_names_the_missing_approvals(gate: Gate, method: str) -> None:
    number = gate.open("olga", "feat", infra(gate))
    gate.review("rita", number)
    gate.settle()
    landed = merge(gate, "noor", number, method)
    gate.settle()
    (alert,) = raised(gate)
    assert (alert.kind, alert.grave, alert.pull, alert.commit) == (Kind.BYPASS, True, number, landed)
    assert alert.title == f"Alert: #{number} merged without 1 of 2 approvals"
    assert "@noor" in alert.text
    assert "Missing approvals:** 1 of 2. Counted: @rita." in alert.text
    assert "It could have been" in alert.text
    assert "Why it did not pass:** `" in alert.text
    assert "approved this content" not in alert.text, "what counts is no reason against it"
    assert "infra/network.tf" in alert.text
    assert alert.decision
    (run,) = gate.runs(landed, "foureyes after merge")
    assert (run.conclusion, run.title) == ("failure", alert.title)
    assert alert.check_run_id == run.id


def test_G42_a_direct_push_is_an_alert(gate: Gate) -> None:
    gate.settle()
    landed = infra(gate)
    gate.push("noor", "main", landed)
    gate.settle()
    (alert,) = raised(gate)
    assert (alert.kind, alert.grave, alert.commit) == (Kind.DIRECT, True, landed)
    assert "@noor" in alert.text
    (run,) = gate.runs(landed, "foureyes after merge")
    assert run.conclusion == "failure"


def test_a_direct_push_that_touches_nothing_protected_is_a_note(gate: Gate) -> None:
    landed = gate.change({"docs/new.md": "x\n"})
    gate.push("noor", "main", landed)
    gate.settle()
    (alert,) = raised(gate)
    assert (alert.kind, alert.grave) == (Kind.DIRECT, False)
    assert gate.runs(landed, "foureyes after merge")[0].conclusion == "neutral"


def test_a_merge_by_hand_of_what_was_approved_is_what_was_approved(gate: Gate) -> None:
    """G42's counterpart: the content passed, whoever clicked or pushed."""
    head = infra(gate)
    number = gate.open("olga", "feat", head)
    approved(gate, number)
    gate.push("noor", "main", head)
    gate.settle()
    assert raised(gate) == []
    assert findings(gate)[-1] == "decided"


@pytest.mark.parametrize("what", ["closed", "retargeted", "merged"])
def test_what_passed_once_and_was_given_up_is_not_let_in_by_that(gate: Gate, what: str) -> None:
    gate.push("noor", "side", gate.tip())
    head = infra(gate)
    number = gate.open("olga", "feat", head)
    approved(gate, number)
    if what != "merged":
        change = {"state": "closed"} if what == "closed" else {"base": "side"}
        gate.as_person("olga", "PATCH", f"/repos/{SHOP}/pulls/{number}", change)
        gate.settle()
    gate.push("noor", "main", head)
    gate.settle()
    assert [alert.kind for alert in raised(gate)] == ([] if what == "merged" else [Kind.DIRECT])


def test_a_fast_forward_over_merges_is_what_was_approved(gate: Gate) -> None:
    tip = gate.tip()
    side = gate.change({"docs/side.md": "x\n"}, tip, message="aside")
    merged = gate.clone.merge(infra(gate, tip, message="one"), side, author=OLGA)
    head = gate.change({"infra/storage.tf": "two\n"}, merged, message="two")
    number = gate.open("olga", "feat", head)
    approved(gate, number)
    gate.push("noor", "main", head)
    gate.settle()
    assert raised(gate) == []
    assert findings(gate)[-1] == "decided"


def test_more_in_the_merge_commit_than_the_merge_is_an_alert(gate: Gate) -> None:
    head = infra(gate)
    number = gate.open("olga", "feat", head)
    approved(gate, number)
    evil = gate.change(
        {"infra/network.tf": "changed\n", "infra/storage.tf": "sneaked in\n"}, gate.tip(), head
    )
    gate.push("noor", "main", evil)
    gate.settle()
    (alert,) = raised(gate)
    assert (alert.kind, alert.grave, alert.pull) in [
        (Kind.MISMATCH, True, number), (Kind.DIRECT, True, None),
    ]  # fmt: skip
    assert gate.runs(evil, "foureyes after merge")[0].conclusion == "failure"


@pytest.mark.parametrize("third", [True, False])
def test_commits_that_nobody_approved_below_the_content_that_was_are_an_alert(
    gate: Gate, third: bool
) -> None:
    """They were deployable, and their authors would be tied to nothing any more."""
    head = infra(gate)
    number = gate.open("olga", "feat", head)
    approved(gate, number)
    tip, kim = gate.tip(), ("Kim", "kim@acme.example")
    below = tip if third else head
    stranger = gate.change({"infra/storage.tf": "sneaked in\n"}, below, author=kim)
    undone = gate.change({"infra/storage.tf": gate.files(tip)["infra/storage.tf"]}, stranger, author=kim)
    evil = gate.change({"infra/network.tf": "changed\n"}, tip, *([head, undone] if third else [undone]))
    gate.push("noor", "main", evil)
    gate.settle()
    (alert,) = raised(gate)
    assert alert.kind in (Kind.MISMATCH, Kind.DIRECT)
    assert findings(gate)[-1] == alert.kind


def test_a_green_merge_onto_a_base_that_had_moved_in_the_same_file_is_an_alert(gate: Gate) -> None:
    """G23's counterpart: approvals stand on content, and nobody approved what came out of this merge."""
    text = 'resource "network" "main" {\n  range = "10.0.0.0/8"\n}\n'
    number = gate.open("olga", "feat", infra(gate, text=text))
    approved(gate, number)
    assert gate.verdict(number) == "success"
    other = '# ours\n\n\n\nresource "network" "main" {\n  range = "10.0.0.0/16"\n}\n'
    gate.push("noor", "main", infra(gate, text=other))
    landed = merge(gate, "rita", number)
    gate.settle()
    direct, mismatch = raised(gate)
    assert (direct.kind, mismatch.kind) == (Kind.DIRECT, Kind.MISMATCH)
    assert (mismatch.commit, mismatch.pull) == (landed, number)


def rebased_onto(gate: Gate, base: str, number: int) -> str:
    """As *Rebase and merge* does it: the same authors and messages on another base."""
    head = gate.pull(number).head
    for oid in gate.clone.git("rev-list", "--reverse", f"{gate.pull(number).base}..{head}").split():
        changed = gate.clone.git("diff", "--name-only", f"{oid}^", oid).split()
        message = gate.clone.git("log", "-1", "--format=%B", oid)
        base = gate.change({path: gate.files(oid)[path] for path in changed}, base, message=message)
    return base


def two_commits(gate: Gate) -> int:
    first = infra(gate, message="first")
    number = gate.open("olga", "feat", gate.change({"infra/storage.tf": "x\n"}, first, message="second"))
    approved(gate, number)
    return number


def test_commits_that_were_rebased_onto_the_branch_are_what_was_approved(gate: Gate) -> None:
    number = two_commits(gate)
    gate.push("noor", "main", gate.change({"docs/x.md": "1\n"}))
    gate.settle()
    before = raised(gate)
    landed = rebased_onto(gate, gate.tip(), number)
    gate.push("noor", "main", landed)
    with gate.sandbox.world.lock:
        pull = gate.pull(number)
        pull.merged_at, pull.merge_commit = "2026-01-01T00:00:00Z", landed
    gate.settle()
    assert raised(gate) == before
    assert findings(gate)[-1] == "decided"


def test_what_was_put_in_between_and_taken_out_again_is_an_alert(gate: Gate) -> None:
    number = two_commits(gate)
    gate.settle()
    start = gate.tip()
    there = gate.change({"docs/evil.md": "x\n"}, start, message="in")
    gone = gate.change({"docs/evil.md": None}, there, message="out")
    landed = rebased_onto(gate, gone, number)
    gate.push("noor", "main", landed)
    with gate.sandbox.world.lock:
        pull = gate.pull(number)
        pull.merged_at, pull.merge_commit = "2026-01-01T00:00:00Z", landed
    gate.settle()
    assert [(alert.kind, alert.commit) for alert in raised(gate)] == [(Kind.DIRECT, gone)]


def test_what_github_did_not_show_any_more_when_it_was_merged_is_an_alert(gate: Gate) -> None:
    """It was shown and approved, and then the branch took in what the head was made from."""
    root = gate.tip()
    fixed = infra(gate, root, text="fixed\n")
    gate.push("noor", "main", fixed)
    feature = gate.change({"docs/feature.md": "x\n"}, root)
    number = gate.open("olga", "feat", gate.clone.commit(gate.files(feature), feature, fixed, author=OLGA))
    approved(gate, number)
    assert gate.verdict(number) == "success"
    gate.deaf = True
    gate.push("noor", "main", gate.clone.merge(fixed, feature, author=OLGA))
    gate.deaf = False
    known = len(raised(gate))
    merge(gate, "noor", number)
    gate.settle()
    (alert,) = [one for one in raised(gate)[known:] if one.pull == number]
    assert alert.kind == Kind.MISMATCH
    assert "GitHub's diff does not show reviewers this change" in alert.text


def test_of_two_looks_at_once_one_tells_what_was_found(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease ended in the middle of a look, and another worker was faster."""
    real = AfterMerge._moves

    def with_another(self: AfterMerge, begin: str, pushes: tuple[Moved, ...]) -> list[Moved]:
        monkeypatch.setattr(AfterMerge, "_moves", real)
        self.look()
        return real(self, begin, pushes)

    gate.settle()
    gate.push("noor", "main", gate.change({"docs/first.md": "x\n"}))
    gate.settle()
    monkeypatch.setattr(AfterMerge, "_moves", with_another)
    gate.push("noor", "main", infra(gate))
    gate.settle()
    assert [alert.kind for alert in raised(gate)] == [Kind.DIRECT, Kind.DIRECT]


def test_what_was_pushed_before_there_was_a_policy_is_nobodys_business(gate: Gate) -> None:
    policy = gate.files(gate.tip())[".github/foureyes.yml"]
    bare = gate.change({".github/foureyes.yml": None})
    gate.deaf = True
    gate.push("noor", "main", bare)
    gate.deaf = False
    gate.push("noor", "main", gate.change({"infra/early.tf": "x\n"}))
    gate.settle()
    gate.push("noor", "main", gate.change({".github/foureyes.yml": policy}))
    gate.settle()
    assert raised(gate) == []
    gate.push("noor", "main", infra(gate))
    gate.settle()
    assert [alert.kind for alert in raised(gate)] == [Kind.DIRECT]


def test_a_force_push_that_takes_commits_away_is_an_alert(gate: Gate) -> None:
    start = gate.tip()
    number = gate.open("olga", "feat", infra(gate))
    approved(gate, number)
    merge(gate, "rita", number)
    gate.settle()
    gate.push("noor", "main", start)
    gate.settle()
    (alert,) = raised(gate)
    assert alert.kind == Kind.FORCED
    assert "2 commits" in alert.title


def test_what_was_pushed_away_and_is_gone_keeps_nothing_from_being_told(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate.push("noor", "main", gate.change({"docs/first.md": "x\n"}))
    gate.settle()
    gone, other = infra(gate, text="gone\n"), gate.change({"docs/other.md": "x\n"})
    gate.push("noor", "main", gone)
    gate.push("noor", "main", other)
    monkeypatch.setattr(after_merge, "bring", lambda mirror, oids: bring(mirror, oids) - {gone})
    gate.settle()
    alert = raised(gate)[-1]
    assert (len(raised(gate)), alert.kind, alert.commit) == (2, Kind.FORCED, other)
    assert "commits that had landed are no longer on it" in alert.text


def test_what_happens_again_is_an_alert_again_and_says_who(gate: Gate) -> None:
    """The branch comes back to where it was: no push that is new, and all the same a move that somebody made."""
    before = gate.tip()
    number = gate.open("olga", "feat", infra(gate))
    approved(gate, number)
    merge(gate, "rita", number)
    gate.settle()
    landed = gate.tip()
    for times in (1, 2):
        gate.push("noor", "main", before)
        gate.settle()
        assert [alert.kind for alert in raised(gate)] == [Kind.FORCED] * times
        assert "@noor force-pushed" in raised(gate)[-1].text
        gate.push("noor", "main", landed)
        gate.settle()
        assert len(raised(gate)) == times, "what was let in is let in"
    sneaked = infra(gate, text="sneaked in\n")
    for _ in range(2):
        gate.push("noor", "main", sneaked)
        gate.settle()
        assert raised(gate)[-1].kind == Kind.DIRECT
        gate.push("noor", "main", landed)
        gate.settle()
    assert [alert.kind for alert in raised(gate)[2:]] == [Kind.DIRECT, Kind.FORCED] * 2


def test_a_gated_branch_that_was_deleted_and_made_again_with_other_content_is_an_alert(gate: Gate) -> None:
    policy = 'version: 1\nbranches: ["release/*"]\nroster: ["@acme/engineers"]\nprotected: ["infra/**"]\n'
    gate.push("noor", "main", gate.change({".github/foureyes.yml": policy}))
    gate.push("noor", "release/1", gate.tip())
    gate.settle()
    known = len(raised(gate))
    address = f"{gate.sandbox.url}/{SHOP}.git".replace("://", f"://noor:{gate.sandbox.token('noor')}@")
    gate.clone.git("push", "-q", address, ":refs/heads/release/1")
    gate.settle()
    gate.push("noor", "release/1", infra(gate))
    gate.settle()
    (alert,) = raised(gate)[known:]
    assert (alert.kind, alert.ref, alert.grave) == (Kind.DIRECT, "refs/heads/release/1", True)
    assert "@noor" in alert.text


def test_a_gated_branch_that_begins_with_a_history_of_its_own_is_an_alert(gate: Gate) -> None:
    policy = 'version: 1\nbranches: ["release/*"]\nroster: ["@acme/engineers"]\nprotected: ["infra/**"]\n'
    gate.push("noor", "main", gate.change({".github/foureyes.yml": policy}))
    gate.settle()
    known = len(raised(gate))
    gate.push("noor", "release/9", gate.clone.commit({"infra/network.tf": "x\n"}))
    gate.settle()
    (alert,) = raised(gate)[known:]
    assert (alert.kind, alert.grave, "infra/network.tf" in alert.text) == (Kind.DIRECT, True, True)


def test_a_push_nobody_told_us_of_is_found_at_the_next_one(gate: Gate) -> None:
    number = gate.open("olga", "feat", gate.change({"docs/x.md": "1\n"}))
    gate.settle()
    merge(gate, "rita", number)
    gate.settle()
    gate.deaf = True
    hidden = infra(gate)
    gate.push("noor", "main", hidden)
    gate.deaf = False
    gate.push("noor", "main", gate.change({"docs/y.md": "1\n"}))
    gate.settle()
    assert next((a.commit, a.grave) for a in raised(gate)) == (hidden, True)
    assert len(raised(gate)) == 2


def test_a_push_nobody_told_us_of_is_found_when_any_pull_request_into_the_branch_is_judged(
    gate: Gate,
) -> None:
    gate.push("noor", "main", gate.change({"docs/x.md": "1\n"}))
    number = gate.open("olga", "feat", infra(gate))
    gate.settle()
    gate.deaf = True
    hidden = gate.change({"infra/storage.tf": "sneaked in\n"})
    gate.push("noor", "main", hidden)
    gate.deaf = False
    gate.wake(number)
    gate.settle()
    assert (raised(gate)[-1].commit, raised(gate)[-1].grave) == (hidden, True)


def test_looking_again_raises_nothing_twice(gate: Gate) -> None:
    gate.push("noor", "main", infra(gate))
    gate.settle()
    before = raised(gate)
    gate.push("noor", "other", gate.tip())
    number = gate.open("olga", "feat", gate.change({"docs/x.md": "1\n"}))
    gate.settle()
    merge(gate, "rita", number)
    gate.settle()
    assert raised(gate) == before
    assert len(gate.runs(before[0].commit, "foureyes after merge")) == 1


def test_pushes_to_branches_that_are_not_gated_are_nobodys_business(gate: Gate) -> None:
    gate.push("olga", "topic", infra(gate))
    gate.settle()
    assert raised(gate) == []
    assert findings(gate) == []


def test_observe_mode_keeps_what_landed_and_raises_nothing(gate: Gate) -> None:
    policy = 'version: 1\nmode: observe\nroster: ["@acme/engineers"]\nprotected: ["infra/**"]\n'
    gate.push("noor", "main", gate.change({".github/foureyes.yml": policy}))
    gate.settle()
    gate.push("noor", "main", infra(gate))
    gate.settle()
    assert findings(gate)[-1] == "observed"
    assert all(alert.commit != gate.tip() for alert in raised(gate))


# records


def records_alerts(gate: Gate) -> list[Alert]:
    return [alert for alert in raised(gate) if alert.kind == Kind.RECORD]


@pytest.mark.parametrize("then", ["deleted", "human", "another operator"])
def test_G53_a_record_that_vanishes_or_turns_kinder_is_an_alert_and_changes_nothing(
    gate: Gate, then: str
) -> None:
    head = infra(gate)
    gate.publish("olga", "feat", head)
    number = gate.open("olga", "feat", head)
    approved(gate, number)
    before = gate.check(number).summary
    if then == "deleted":
        gate.push("olga", record_ref("feat"), gate.clone.commit({"README": "nothing\n"}))
    elif then == "human":
        gate.publish("olga", "feat", head, cls="human")
    else:
        gate.publish("olga", "feat", head, operator="kim")
    gate.wake(number)
    gate.settle()
    (alert,) = records_alerts(gate)
    assert (alert.commit, alert.ref, alert.grave) == (head, "refs/heads/feat", True)
    assert ("is gone" in alert.title) == (then == "deleted")
    if then != "another operator":  # a further operator is one more person who does not count
        assert gate.check(number).summary == before
    gate.wake(number)
    gate.settle()
    assert records_alerts(gate) == [alert]


def test_a_record_that_is_signed_later_or_says_more_is_no_alert(gate: Gate, tmp_path: Path) -> None:
    head = infra(gate)
    gate.publish("olga", "feat", head)
    number = gate.open("olga", "feat", head)
    gate.settle()
    gate.publish("olga", "feat", head, key=make_key(tmp_path))
    gate.wake(number)
    gate.settle()
    assert records_alerts(gate) == []


def test_a_commit_whose_record_another_branch_published_is_no_alert(gate: Gate) -> None:
    head = infra(gate)
    gate.publish("olga", "feat", head)
    gate.open("olga", "feat", head)
    gate.settle()
    gate.open("olga", "other", gate.change({"docs/more.md": "x\n"}, head))
    gate.settle()
    assert records_alerts(gate) == []

"""One lane from webhook to check, with a real sandbox, real git and nothing in between replaced."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from support_gate import SHOP, Gate, running_gate
from support_ssh import make_key

from foureyes.github_app import decisions, lanes, publish, storage, tables, worker
from foureyes.github_app.client import GitHubError
from foureyes.github_app.judge import judge_with
from foureyes.github_app.lanes import Done, Retry
from foureyes.shared import facts as pull_facts
from foureyes.shared.evaluate import evaluate
from foureyes.shared.facts import Known, RecordState, Unknown
from foureyes.shared.policy_text import parse_policy


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    with running_gate(tmp_path) as gate:
        yield gate


def infra(gate: Gate, *parents: str, text: str = "changed\n", **options: object) -> str:
    return gate.change({"infra/network.tf": text}, *parents, **options)


def opened(gate: Gate, **files: str) -> int:
    """By olga, one unrecorded commit to infra/: two others have to approve."""
    return gate.open("olga", "feat", infra(gate))


def latest(gate: Gate, number: int) -> decisions.Decision:
    with storage.reading(gate.engine) as conn:
        found = decisions.latest(conn, gate.pull(number).repository.id, number)
    assert found is not None
    return found


def facts_of(gate: Gate, number: int) -> pull_facts.PullFacts:
    return pull_facts.load(latest(gate, number).facts)


def claimed(gate: Gate, number: int) -> lanes.Claim:
    """The lane of the pull request's head, in hand; others that are due are looked at first."""
    head = gate.pull(number).head
    claim = worker.take(gate.engine, 60_000)
    while claim is not None and claim.lane.head != head:
        gate.look(claim)
        claim = worker.take(gate.engine, 60_000)
    assert claim is not None
    return claim


def approved_by_two(gate: Gate, number: int) -> None:
    for login in ("rita", "sam"):
        gate.review(login, number)
    gate.settle()


# approvals


def test_G5_a_change_outside_protected_paths_passes_at_once(gate: Gate) -> None:
    number = gate.open("olga", "feat", gate.change({"docs/new.md": "hello\n"}))
    gate.settle()
    assert gate.verdict(number) == "success"


def test_G1_G2_G7_two_others_pass_and_one_does_not(gate: Gate) -> None:
    number = opened(gate)
    gate.settle()
    assert gate.verdict(number) == "in_progress"
    gate.review("rita", number)
    gate.settle()
    assert gate.verdict(number) == "in_progress"
    assert "1 of 2" in (gate.check(number).title or "")
    gate.review("sam", number)
    gate.settle()
    assert gate.verdict(number) == "success"
    gate.as_person("noor", "PUT", f"/repos/{SHOP}/pulls/{number}/merge", {})


def test_G3_the_operator_does_not_count_and_is_named(gate: Gate, tmp_path: Path) -> None:
    key = make_key(tmp_path)
    gate.control(
        "POST", "keys", login="olga", key=key.public_line, kind="signing", created_at="2020-01-01T00:00:00Z"
    )
    head = infra(gate, author=("Ben", "ben@acme.example"))
    gate.publish("olga", "feat", head, key=key)
    number = gate.open("ben", "feat", head)
    for login in ("olga", "rita"):
        gate.review(login, number)
    gate.settle()
    assert gate.verdict(number) == "in_progress"
    facts = facts_of(gate, number)
    assert isinstance(facts.commits, Known)
    (commit,) = facts.commits.value
    assert commit.record.state is RecordState.SIGNED
    assert commit.record.says == "ai"
    assert commit.record.operator is not None
    assert commit.record.operator.login == "olga"
    assert "@olga" in (gate.check(number).summary or "")
    gate.review("sam", number)
    gate.settle()
    assert gate.verdict(number) == "success"


def test_G4_one_person_counts_once(gate: Gate) -> None:
    number = opened(gate)
    gate.review("rita", number)
    gate.review("rita", number)
    gate.settle()
    assert gate.verdict(number) == "in_progress"


def test_G14_a_bot_does_not_count(gate: Gate) -> None:
    gate.control("POST", "users", login="github-actions[bot]", id=41898282, type="Bot")
    gate.control("POST", "roles", repository=SHOP, login="github-actions[bot]", role="write")
    number = opened(gate)
    gate.review("rita", number)
    gate.review("github-actions[bot]", number)
    gate.settle()
    assert gate.verdict(number) == "in_progress"


def test_G17_lost_write_access_takes_the_approval_away(gate: Gate) -> None:
    number = opened(gate)
    approved_by_two(gate, number)
    assert gate.verdict(number) == "success"
    teams = gate.sandbox.world.organizations["acme"].teams
    teams["reviewers"].members = [user for user in teams["reviewers"].members if user.login != "sam"]
    gate.wake(number)
    gate.settle()
    assert gate.verdict(number) == "in_progress"


def test_G19_G20_changes_requested_blocks_and_a_dismissed_approval_is_gone(gate: Gate) -> None:
    number = opened(gate)
    approved_by_two(gate, number)
    gate.review("rita", number, "REQUEST_CHANGES")
    gate.settle()
    assert gate.verdict(number) == "failure"
    review = gate.review("rita", number)
    gate.settle()
    assert gate.verdict(number) == "success"
    path = f"/repos/{SHOP}/pulls/{number}/reviews/{review}/dismissals"
    gate.as_person("noor", "PUT", path, {"message": "no"})
    gate.settle()
    assert gate.verdict(number) == "in_progress"


def test_G21_an_approval_of_other_content_does_not_count(gate: Gate) -> None:
    number = opened(gate)
    approved_by_two(gate, number)
    old = gate.pull(number).head
    gate.push("olga", "feat", infra(gate, old, text="something else\n"))
    gate.settle()
    assert gate.verdict(number) == "in_progress"
    (left,) = gate.runs(old)
    assert left.conclusion == "cancelled"


def test_G57_an_unseen_review_that_github_moves_to_the_new_head_does_not_count(gate: Gate) -> None:
    number = opened(gate)
    gate.settle()
    gate.deaf = True
    reviews = [gate.review(login, number) for login in ("rita", "sam")]
    gate.push("olga", "feat", infra(gate, text="other content\n", message="another"))
    gate.deaf = False
    for review in reviews:
        gate.control(
            "POST",
            "review-commit",
            repository=SHOP,
            number=number,
            review=review,
            commit=gate.pull(number).head,
        )
    gate.wake(number)
    gate.settle()
    assert gate.verdict(number) == "in_progress"


def test_a_review_that_was_not_witnessed_stands_on_the_head_it_names(gate: Gate) -> None:
    number = opened(gate)
    gate.settle()
    gate.deaf = True
    for login in ("rita", "sam"):
        gate.review(login, number)
    gate.deaf = False
    gate.wake(number)
    gate.settle()
    assert gate.verdict(number) == "success"


def test_G23_a_base_that_moves_elsewhere_keeps_the_approvals(gate: Gate) -> None:
    number = opened(gate)
    approved_by_two(gate, number)
    gate.push("noor", "main", gate.change({"docs/other.md": "x\n"}))
    gate.settle()
    gate.wake(number)
    gate.settle()
    assert gate.verdict(number) == "success"
    facts = facts_of(gate, number)
    assert isinstance(facts.hidden, Known)


def test_a_base_that_moves_in_the_same_file_voids_the_approvals(gate: Gate) -> None:
    number = gate.open(
        "olga", "feat", infra(gate, text='resource "network" "main" {\n  range = "10.0.0.0/8"\n}\n')
    )
    approved_by_two(gate, number)
    assert gate.verdict(number) == "success"
    other = '# ours\n\n\n\nresource "network" "main" {\n  range = "10.0.0.0/16"\n}\n'
    gate.push("noor", "main", gate.change({"infra/network.tf": other}))
    gate.settle()
    gate.wake(number)
    gate.settle()
    assert gate.verdict(number) != "success"


def test_G24_who_updates_the_branch_stays_a_reviewer(gate: Gate) -> None:
    number = opened(gate)
    approved_by_two(gate, number)
    gate.push("noor", "main", gate.change({"docs/other.md": "x\n"}))
    gate.as_person("rita", "PUT", f"/repos/{SHOP}/pulls/{number}/update-branch", {})
    gate.settle()
    facts = facts_of(gate, number)
    assert isinstance(facts.commits, Known)
    assert [commit.merges_base for commit in facts.commits.value] == [True, False]
    assert gate.verdict(number) == "success"


def test_G56_another_file_of_the_change_voids_the_approvals(gate: Gate) -> None:
    number = opened(gate)
    approved_by_two(gate, number)
    gate.push("olga", "feat", gate.change({"docs/late.md": "x\n"}, gate.pull(number).head))
    gate.settle()
    assert gate.verdict(number) == "in_progress"


def test_G11_a_forged_author_only_adds_an_exclusion(gate: Gate) -> None:
    number = gate.open("olga", "feat", infra(gate, author=("Rita", "rita@acme.example")))
    for login in ("rita", "sam"):
        gate.review(login, number)
    gate.settle()
    assert gate.verdict(number) == "in_progress"
    gate.review("ben", number)
    gate.settle()
    assert gate.verdict(number) == "success"


def test_G12_everyone_who_pushed_is_out(gate: Gate) -> None:
    number = opened(gate)
    gate.settle()
    gate.push("rita", "feat", gate.change({"docs/x.md": "1\n"}, gate.pull(number).head))
    approved_by_two(gate, number)
    assert gate.verdict(number) == "in_progress"
    facts = facts_of(gate, number)
    assert isinstance(facts.pushes, Known)
    assert {push.account.login for push in facts.pushes.value if push.account} == {"olga", "rita"}


# what is changed


@pytest.mark.parametrize(
    ("old", "new"), [("infra/network.tf", "docs/network.tf"), ("docs/handbook.md", "infra/handbook.md")]
)
def test_G25_G26_a_rename_across_the_border_is_gated(gate: Gate, old: str, new: str) -> None:
    blob = gate.files(gate.tip())[old]
    number = gate.open("olga", "feat", gate.change({old: None, new: blob}))  # type: ignore[dict-item]
    gate.settle()
    assert gate.verdict(number) == "in_progress"


def test_G27_a_mode_alone_is_gated(gate: Gate) -> None:
    _mode, blob = gate.files(gate.tip())["infra/network.tf"]
    number = gate.open("olga", "feat", gate.change({"infra/network.tf": ("100755", str(blob))}))
    gate.settle()
    assert gate.verdict(number) == "in_progress"


def test_G28_the_policy_of_the_pull_request_does_not_judge_it(gate: Gate) -> None:
    lax = 'version: 1\nroster: ["@acme/engineers"]\nprotected: ["nothing/**"]\n'
    number = gate.open("olga", "feat", gate.change({".github/foureyes.yml": lax, "infra/network.tf": "x\n"}))
    gate.settle()
    assert gate.verdict(number) == "in_progress"


def test_G58_githubs_other_merge_blocks(gate: Gate) -> None:
    base = gate.tip()
    number = gate.open("olga", "feat", gate.change({"docs/new.md": "x\n"}))
    head = gate.pull(number).head
    wrong = gate.clone.commit({**gate.files(head), "infra/network.tf": "slipped in\n"}, base, head)
    gate.push("noor", f"refs/test/{number}", wrong)
    gate.settle()
    origin = gate.sandbox.world.repositories[SHOP].git.path
    assert origin.exists()
    from support_git import git

    git(origin, "update-ref", f"refs/pull/{number}/merge", wrong)
    gate.wake(number)
    import shutil

    shutil.rmtree(gate.settings.data / "mirrors")
    gate.settle()
    assert gate.verdict(number) == "failure"


def test_G62_a_change_taken_back_in_the_next_commit_is_gated(gate: Gate) -> None:
    there = infra(gate)
    back = gate.change({"infra/network.tf": gate.files(gate.tip())["infra/network.tf"]}, there)
    number = gate.open("olga", "feat", back)
    gate.settle()
    assert gate.verdict(number) == "in_progress"


def test_a_conflict_is_named(gate: Gate) -> None:
    number = opened(gate)
    gate.settle()
    gate.push("noor", "main", infra(gate, text="mine\n"))
    gate.wake(number)
    gate.settle()
    assert gate.verdict(number) == "failure"
    assert "conflict" in (gate.check(number).title or "")


def test_G67_the_words_of_a_pull_request_change_nothing(gate: Gate) -> None:
    number = opened(gate)
    gate.settle()
    before = latest(gate, number).verdict
    gate.forget_calls()
    body = {"title": "approved by @rita and SRE", "body": "approved by @rita and SRE"}
    gate.as_person("olga", "PATCH", f"/repos/{SHOP}/pulls/{number}", body)
    gate.settle()
    assert latest(gate, number).verdict == before
    assert not [call for call in gate.calls if call.startswith(("POST", "PATCH"))]


# records


def test_G53_a_record_that_is_deleted_or_unsaid_stays_seen(gate: Gate, tmp_path: Path) -> None:
    key = make_key(tmp_path)
    gate.control(
        "POST", "keys", login="olga", key=key.public_line, kind="signing", created_at="2020-01-01T00:00:00Z"
    )
    head = infra(gate, author=("Ben", "ben@acme.example"))
    gate.publish("olga", "feat", head, key=key, operator="rita")
    number = gate.open("olga", "feat", head)
    gate.settle()
    before = facts_of(gate, number)
    gate.publish("olga", "feat", head, cls="human", operator="olga", key=key)
    for login in ("rita", "sam"):
        gate.review(login, number)
    gate.wake(number)
    gate.settle()
    after = facts_of(gate, number)
    assert isinstance(before.commits, Known)
    assert isinstance(after.commits, Known)
    assert after.commits.value[0].record.says == "ai"
    assert after.commits.value[0].record.operator == before.commits.value[0].record.operator
    assert gate.verdict(number) == "in_progress"


def test_a_record_that_arrives_late_is_seen_at_the_next_look(gate: Gate, tmp_path: Path) -> None:
    number = opened(gate)
    gate.settle()
    gate.publish("olga", "feat", gate.pull(number).head)
    gate.wake(number)
    gate.settle()
    facts = facts_of(gate, number)
    assert isinstance(facts.commits, Known)
    assert facts.commits.value[0].record.state is RecordState.UNSIGNED
    key = make_key(tmp_path)
    gate.publish("olga", "feat", gate.pull(number).head, key=key)
    gate.wake(number)
    gate.settle()
    assert isinstance(gate.outcomes[-1], Done)
    assert gate.outcomes[-1].look_again <= 300, "the key may be published yet"
    gate.control("POST", "keys", login="olga", key=key.public_line, kind="signing")
    gate.judge = judge_with(gate.settings, gate.engine, gate.observe)
    gate.wake(number)
    gate.settle()
    facts = facts_of(gate, number)
    assert isinstance(facts.commits, Known)
    assert facts.commits.value[0].record.state is RecordState.SIGNED


def test_a_record_for_another_tree_is_a_mismatch(gate: Gate) -> None:
    head = infra(gate)
    gate.publish("olga", "feat", head, tree="a" * 40)
    number = gate.open("olga", "feat", head)
    gate.settle()
    facts = facts_of(gate, number)
    assert isinstance(facts.commits, Known)
    assert facts.commits.value[0].record.state is RecordState.MISMATCH


# the state of the pull request


def test_G33_a_draft_waits_and_a_retarget_is_judged_anew(gate: Gate) -> None:
    number = gate.open("olga", "feat", gate.change({"docs/new.md": "x\n"}))
    gate.settle()
    assert gate.verdict(number) == "success"
    gate.control("POST", "draft", repository=SHOP, number=number, login="olga", draft=True)
    gate.settle()
    assert gate.verdict(number) == "in_progress"


def test_a_closed_pull_request_leaves_no_success_behind(gate: Gate) -> None:
    number = gate.open("olga", "feat", gate.change({"docs/new.md": "x\n"}))
    gate.settle()
    gate.as_person("olga", "PATCH", f"/repos/{SHOP}/pulls/{number}", {"state": "closed"})
    gate.settle()
    assert gate.verdict(number) == "cancelled"
    gate.as_person("olga", "PATCH", f"/repos/{SHOP}/pulls/{number}", {"state": "open"})
    gate.settle()
    assert gate.verdict(number) == "success"


def test_G48_an_ungated_base_gets_no_check_and_a_retarget_takes_one_away(gate: Gate) -> None:
    gate.push("olga", "x", gate.tip())
    head = gate.change({"docs/new.md": "x\n"})
    number = gate.open("olga", "feat", head, base="x")
    gate.settle()
    assert gate.runs(head) == []
    gate.as_person("olga", "PATCH", f"/repos/{SHOP}/pulls/{number}", {"base": "main"})
    gate.settle()
    assert gate.verdict(number) == "success"
    gate.as_person("olga", "PATCH", f"/repos/{SHOP}/pulls/{number}", {"base": "x"})
    gate.settle()
    assert gate.verdict(number) == "cancelled"


def test_one_head_in_two_gated_pull_requests_passes_only_if_both_do(gate: Gate) -> None:
    policy = (
        'version: 1\nroster: ["@acme/reviewers"]\nprotected: ["infra/**"]\nbranches: [main, "release/*"]\n'
    )
    gate.push("noor", "main", gate.change({".github/foureyes.yml": policy}))
    root = gate.tip()
    gate.push("noor", "release/1", root)
    gate.push("noor", "main", gate.change({"infra/network.tf": "changed\n"}, root))
    head = infra(gate, root)
    first = gate.open("olga", "feat", head)
    gate.settle()
    # the merge changes nothing on main, where the same change is already
    second = int(
        gate.as_person(
            "olga",
            "POST",
            f"/repos/{SHOP}/pulls",
            {"title": "t", "head": "feat", "base": "release/1", "body": ""},
        )["number"]
    )
    gate.settle()
    assert gate.verdict(second) == "in_progress"
    assert f"#{second}" in (gate.check(first).summary or "")


def test_G34_a_fork_whose_repository_is_gone_is_read_from_the_pull_ref(gate: Gate) -> None:
    gate.control("POST", "repositories", repository="kim/shop", fork_of=SHOP)
    head = gate.change({"docs/new.md": "x\n"})
    gate.push("kim", "feat", gate.tip(), slug="kim/shop")
    gate.push("kim", "feat", head, slug="kim/shop")
    body = {"title": "t", "head": "kim:feat", "base": "main", "body": ""}
    number = int(gate.as_person("kim", "POST", f"/repos/{SHOP}/pulls", body)["number"])
    gate.control("DELETE", "repositories", repository="kim/shop")
    gate.settle()
    assert latest(gate, number).outcome == "pass"


# the policy


def test_no_policy_and_never_one_publishes_nothing(gate: Gate) -> None:
    gate.control("POST", "repositories", repository="acme/bare", files={"README.md": "x\n"})
    gate.control("POST", "roles", repository="acme/bare", login="olga", role="write")
    base = gate.tip(slug="acme/bare")
    head = gate.clone.commit({"README.md": "y\n"}, base)
    gate.push("olga", "feat", head, slug="acme/bare")
    gate.as_person(
        "olga", "POST", "/repos/acme/bare/pulls", {"title": "t", "head": "feat", "base": "main", "body": ""}
    )
    gate.settle()
    assert gate.sandbox.world.repositories["acme/bare"].check_runs == []


@pytest.mark.parametrize("broken", [None, "version: 1\nroster: [", "version: 9\n"])
def test_G30_a_broken_policy_fails_and_the_mending_pull_request_is_judged_by_the_last_good(
    gate: Gate, broken: str | None
) -> None:
    good = gate.files(gate.tip())[".github/foureyes.yml"]
    number = gate.open("olga", "docs", gate.change({"docs/new.md": "x\n"}))
    gate.settle()
    assert gate.verdict(number) == "success"
    gate.push("noor", "main", gate.change({".github/foureyes.yml": broken}))
    gate.settle()
    assert gate.verdict(number) == "failure"
    assert "last good policy" in (gate.check(number).summary or "")
    mending = gate.open("olga", "mend", gate.change({".github/foureyes.yml": good}))
    gate.settle()
    assert gate.verdict(mending) == "in_progress"
    approved_by_two(gate, mending)
    assert gate.verdict(mending) == "success"


def test_G59_observe_never_says_success_under_the_name_that_counts(gate: Gate) -> None:
    policy = 'version: 1\nmode: observe\nroster: ["@acme/reviewers"]\nprotected: ["infra/**"]\n'
    gate.push("noor", "main", gate.change({".github/foureyes.yml": policy}))
    number = gate.open("olga", "feat", gate.change({"docs/new.md": "x\n"}))
    gate.settle()
    assert gate.runs(gate.pull(number).head) == []
    assert gate.check(number, "foureyes observe").conclusion == "neutral"
    gate.push("noor", "main", gate.change({".github/foureyes.yml": policy.replace("observe", "enforce")}))
    gate.settle()
    assert gate.verdict(number) == "success"
    gate.push("noor", "main", gate.change({".github/foureyes.yml": policy}))
    gate.settle()
    assert gate.verdict(number) == "cancelled"


def test_a_wait_of_twelve_days_gets_a_new_check_before_github_calls_the_old_one_stale(gate: Gate) -> None:
    number = opened(gate)
    gate.settle()
    old = gate.check(number)
    old.started_at = "2020-01-01T00:00:00Z"
    gate.wake(number)
    gate.settle()
    first, second = gate.runs(gate.pull(number).head)
    assert (first.id, second.status, second.title) == (old.id, "in_progress", old.title)
    gate.wake(number)
    gate.settle()
    assert len(gate.runs(gate.pull(number).head)) == 2


# trouble


FAULTS = [
    ("status", "POST /api/graphql", {"status": 502, "times": 9}),
    ("status", "* /acme/shop.git/*", {"status": 503, "times": 9}),
    ("status", "GET /api/v3/orgs/*", {"status": 403, "message": "API rate limit exceeded", "times": 9,
                                      "headers": {"Retry-After": "30"}}),
    ("graphql-error", "POST /api/graphql", {"times": 9}),
    ("hang-up", "POST /api/graphql", {"times": 9}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "match", "more"), FAULTS)
def test_G38_trouble_on_the_way_is_never_a_success(
    gate: Gate, kind: str, match: str, more: dict[str, object]
) -> None:
    number = gate.open("olga", "feat", gate.change({"docs/new.md": "x\n"}))
    gate.fault(kind, match, **more)
    gate.settle()
    assert all(run.conclusion != "success" for run in gate.runs(gate.pull(number).head))
    assert isinstance(gate.outcomes[-1], Retry)
    gate.sandbox.world.faults.clear()
    gate.wake(number)
    with storage.writing(gate.engine) as conn:
        conn.execute(tables.work.update().values(due_at=0, not_before=0))
    gate.judge = judge_with(gate.settings, gate.engine, gate.observe)  # nobody has to wait any more
    gate.settle()
    assert gate.verdict(number) == "success"


def test_G38_a_success_is_taken_back_while_the_state_cannot_be_read(gate: Gate) -> None:
    number = gate.open("olga", "feat", gate.change({"docs/new.md": "x\n"}))
    gate.settle()
    assert gate.verdict(number) == "success"
    gate.fault("graphql-error", "POST /api/graphql", times=9)
    gate.wake(number)
    gate.settle()
    assert gate.verdict(number) == "in_progress"
    assert "could not be read" in (gate.check(number).title or "")


def test_a_look_that_time_alone_asks_for_leaves_the_rest_of_the_budget_to_news(gate: Gate) -> None:
    number = gate.open("olga", "feat", infra(gate))
    gate.settle()
    quota = gate.sandbox.world.quota
    spent = {key: (reset, 4_000) for key, (reset, _used) in quota.items() if key[1] == "graphql"}
    quota.update(spent)
    gate.review("rita", number)
    gate.settle()  # an answer tells what is left
    pull = gate.pull(number)
    (installation,) = gate.sandbox.world.installations
    lane = lanes.Lane(installation, pull.repository.id, SHOP, pull.head, pull=number)
    with storage.writing(gate.engine) as conn:
        lanes.wake(conn, lane, 0, routine=True)
    gate.outcomes.clear()
    gate.settle()
    (outcome,) = gate.outcomes
    assert isinstance(outcome, Retry)
    assert outcome.after is not None
    assert gate.verdict(number) == "in_progress"
    gate.review("sam", number)
    gate.settle()
    assert gate.verdict(number) == "success"


def test_G38_a_success_that_the_hours_budget_does_not_let_us_confirm_is_taken_back_and_says_why(
    gate: Gate,
) -> None:
    number = gate.open("olga", "feat", gate.change({"docs/new.md": "x\n"}))
    gate.settle()
    quota = gate.sandbox.world.quota
    quota.update({key: (reset, 4_900) for key, (reset, _used) in quota.items() if key[1] == "graphql"})
    for _ in range(2):  # the answer to the first look tells what is left
        gate.wake(number)
        gate.settle()
    assert gate.verdict(number) == "in_progress"
    assert gate.check(number).title == "Error: GitHub lets foureyes ask no more for now"


def test_a_write_whose_answer_was_lost_makes_no_second_check(gate: Gate) -> None:
    number = gate.open("olga", "feat", gate.change({"docs/new.md": "x\n"}))
    gate.fault("lost-answer", "POST /api/v3/repos/acme/shop/check-runs", status=502)
    gate.settle()
    with storage.writing(gate.engine) as conn:
        conn.execute(tables.work.update().values(due_at=0))
    gate.settle()
    assert gate.verdict(number) == "success"


def test_a_success_that_arrives_late_is_looked_after(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub does not answer the write in time, and does it when somebody has asked for changes and that was shown."""
    number = opened(gate)
    gate.review("rita", number)
    gate.settle()
    late: list[tuple[object, ...]] = []

    def send(*asked: object) -> object:
        if not late and asked[3].conclusion == "success":  # type: ignore[attr-defined]
            late.append(asked)
            raise GitHubError("no answer within 15 s")
        return real(*asked)  # type: ignore[arg-type]

    real = publish._send
    monkeypatch.setattr(publish, "_send", send)
    gate.review("sam", number)
    gate.settle()
    assert late
    gate.review("sam", number, "REQUEST_CHANGES")
    gate.settle()
    assert gate.verdict(number) == "failure"
    real(*late[0])  # type: ignore[arg-type]
    assert gate.verdict(number) == "success"
    with storage.writing(gate.engine) as conn:
        due = conn.execute(select(tables.work.c.due_at).where(tables.work.c.gen > tables.work.c.done_gen))
        assert 0 < due.scalar_one() - storage.now(conn) <= 60_000
        conn.execute(tables.work.update().values(due_at=0))
    gate.settle()
    assert gate.verdict(number) == "failure"


def test_a_pull_request_that_is_listed_with_the_head_and_not_shown_is_not_passed_over(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    from foureyes.github_app import judge

    policy = 'version: 1\nroster: ["@acme/engineers", "@acme/reviewers"]\nprotected: ["infra/**"]\n'
    gate.push("noor", "main", gate.change({".github/foureyes.yml": f'{policy}branches: ["release/*"]\n'}))
    gate.push("noor", "release/1", gate.tip())
    number = opened(gate)
    body = {"title": "The same", "head": "feat", "base": "release/1"}
    other = int(gate.as_person("olga", "POST", f"/repos/{SHOP}/pulls", body)["number"])
    real = judge.ask
    monkeypatch.setattr(judge, "ask", lambda *given: None if given[2] == other else real(*given))
    for login in ("rita", "sam"):
        gate.review(login, number)
    gate.wake(number)
    outcome = gate.look(claimed(gate, number))
    assert isinstance(outcome, Retry)
    assert f"#{other}" in outcome.why


def test_G22_what_moves_while_it_is_judged_is_looked_at_again(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = opened(gate)
    gate.review("rita", number)
    sam = gate.review("sam", number)
    looks = []

    from foureyes.github_app import judge

    def interrupted(*args: object) -> object:
        if not looks:
            path = f"/repos/{SHOP}/pulls/{number}/reviews/{sam}/dismissals"
            gate.as_person("noor", "PUT", path, {"message": "wait"})
        looks.append(1)
        return real(*args)  # type: ignore[arg-type]

    real = judge.look
    monkeypatch.setattr(judge, "look", interrupted)
    gate.settle()
    assert looks
    assert gate.verdict(number) == "in_progress"


def test_G22_a_success_does_not_stand_while_nothing_holds_still(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands on the head was given for what was read before, and something keeps moving."""
    from foureyes.github_app import judge
    from foureyes.github_app.last_look import LastLook

    number = opened(gate)
    for login in ("rita", "sam"):
        gate.review(login, number)
    gate.settle()
    assert gate.verdict(number) == "success"
    monkeypatch.setattr(judge, "look", lambda *_: LastLook(()))
    gate.review("ben", number)
    assert isinstance(gate.look(claimed(gate, number)), Retry)
    assert gate.verdict(number) == "in_progress"
    monkeypatch.undo()
    with storage.writing(gate.engine) as conn:
        conn.execute(tables.work.update().values(due_at=0))
    gate.settle()
    assert gate.verdict(number) == "success"


def test_a_worker_that_lost_its_lane_writes_nothing(gate: Gate) -> None:
    number = gate.open("olga", "feat", gate.change({"docs/new.md": "x\n"}))
    claim = claimed(gate, number)
    with storage.writing(gate.engine) as conn:
        conn.execute(tables.work.update().values(owner="another"))
    outcome = worker.look(claim, gate.judge)
    assert isinstance(outcome, Retry)
    assert gate.runs(gate.pull(number).head) == []


def test_another_repository_of_the_same_name_is_not_judged(gate: Gate) -> None:
    number = opened(gate)
    with storage.writing(gate.engine) as conn:
        conn.execute(tables.work.update().values(repository_id=424242))
    claim = worker.take(gate.engine, 60_000)
    assert claim is not None
    assert isinstance(worker.look(claim, gate.judge), Retry)
    assert gate.runs(gate.pull(number).head) == []


# cost, and the decision


def test_a_look_with_warm_caches_costs_one_query_one_last_look_and_one_write(gate: Gate) -> None:
    number = opened(gate)
    approved_by_two(gate, number)
    gate.review("rita", number, "REQUEST_CHANGES")
    gate.settle()
    gate.review("rita", number)
    gate.forget_calls()
    gate.settle()
    assert gate.verdict(number) == "success"
    assert sum(gate.calls.values()) <= 3, gate.paths
    assert gate.calls["graphql"] == 2


def test_an_unchanged_verdict_costs_one_query(gate: Gate) -> None:
    number = opened(gate)
    approved_by_two(gate, number)
    gate.forget_calls()
    gate.wake(number)
    gate.settle()
    assert sum(gate.calls.values()) == 1, gate.paths


def test_the_decision_replays_from_what_was_stored(gate: Gate) -> None:
    number = opened(gate)
    approved_by_two(gate, number)
    made = latest(gate, number)
    assert made.check_run_id == gate.check(number).id
    assert made.id in (gate.check(number).text or "")
    again = evaluate(pull_facts.load(made.facts), parse_policy(made.policy)).verdict
    assert json.loads(made.verdict) == again.to_json()
    assert again.digest == made.verdict_sha256


def test_the_files_list_of_github_is_never_believed(gate: Gate) -> None:
    for wrong in ("empty", "first", "renamed"):
        gate.control("POST", "settings", files_list=wrong)
        number = gate.open("olga", f"feat-{wrong}", infra(gate, text=f"{wrong}\n"))
        gate.settle()
        assert gate.verdict(number) == "in_progress"


def test_a_truncated_list_is_unknown_and_never_a_pass(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    from foureyes.github_app import asking

    number = gate.open("olga", "feat", gate.change({"docs/new.md": "x\n"}))
    real = asking._count
    monkeypatch.setattr(asking, "_count", lambda page: real(page) + 1)
    gate.settle()
    assert gate.verdict(number) == "failure"
    facts = facts_of(gate, number)
    assert isinstance(facts.commits, Unknown)
    assert isinstance(facts.reviews, Unknown)


def test_pull_requests_that_were_open_before_the_policy_came_are_judged_when_it_comes(gate: Gate) -> None:
    good = gate.files(gate.tip())[".github/foureyes.yml"]
    gate.deaf = True
    number = opened(gate)
    gate.deaf = False
    gate.push("noor", "main", gate.change({".github/foureyes.yml": good, "docs/new.md": "x\n"}))
    with storage.writing(gate.engine) as conn:
        installation = next(iter(gate.sandbox.world.installations))
        lane = lanes.Lane(installation, gate.pull(number).repository.id, SHOP, ref=lanes.EVERY_BRANCH)
        lanes.wake(conn, lane, storage.now(conn))
    gate.settle()
    assert gate.verdict(number) == "in_progress"


def test_a_renamed_repository_is_followed(gate: Gate) -> None:
    number = opened(gate)
    world = gate.sandbox.world
    shop = world.repositories.pop(SHOP)
    shop.name = "store"
    world.repositories["acme/store"] = shop
    with storage.writing(gate.engine) as conn:
        conn.execute(tables.work.update().values(slug="acme/store"))
    gate.settle()
    assert [run.status for run in shop.check_runs if run.suite.head_sha == shop.pulls[number].head] == [
        "in_progress"
    ]

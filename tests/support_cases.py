"""Generated facts: people, reviews, commits and pushes of one pull request. The change itself is G1's."""

from dataclasses import replace

from hypothesis import strategies as st
from support_facts import BOT, CLAUDE, HEAD, OLD_HEAD, POLICY, change, commit, facts, person, record

from foureyes.shared.content import of
from foureyes.shared.facts import (
    Content,
    Involved,
    Known,
    Push,
    RecordState,
    Review,
    ReviewState,
    Roster,
    Unknown,
    Witness,
)
from foureyes.shared.people import Account

PEOPLE = [Account(n, f"p{n}") for n in range(1, 7)]
ROSTER = Roster({"@acme/reviewers": tuple(PEOPLE[:5])})
NOW = of((change(),), POLICY)
accounts = st.sampled_from(PEOPLE)
maybe = st.one_of(st.none(), accounts)

records = st.builds(
    lambda state, operator, says: record(
        state=state,
        operator=operator,
        says=says,
        agents=(CLAUDE,) if says == "ai" else (),
        signer=record().signer if state is RecordState.SIGNED else None,
    ),
    st.sampled_from(list(RecordState)),
    maybe,
    st.sampled_from(["ai", "human", ""]),
)
commits = st.builds(
    lambda n, author, committer, co, rec: commit(
        f"{n:040x}",
        author=person(author),
        committer=person(committer),
        co_authors=tuple(person(a) for a in co),
        record=rec,
    ),
    st.integers(1, 2**60),
    maybe,
    accounts,
    st.lists(accounts, max_size=1),
    records,
)
witnesses = st.sampled_from(
    [
        Witness(HEAD, "main", Known(NOW)),
        Witness(OLD_HEAD, "main", Known(NOW)),
        Witness(OLD_HEAD, "main", Known(Content("other", "other"))),
        Witness(HEAD, "release", Known(NOW)),
        Witness(HEAD, "main", Unknown("gone")),
    ]
)
reviews = st.builds(
    lambda account, state, minute, can_push, witness: Review(
        id=minute,
        account=account,
        state=state,
        commit=HEAD,
        submitted_at=f"2026-11-21T10:{minute:02}:00Z",
        can_push=can_push,
        witness=witness,
        dismissed_state=ReviewState.CHANGES_REQUESTED if state is ReviewState.DISMISSED else None,
    ),
    st.sampled_from([*PEOPLE, BOT]),
    st.sampled_from([ReviewState.APPROVED] * 4 + list(ReviewState)),
    st.integers(0, 59),
    st.sampled_from([True, True, True, False]),
    witnesses,
)
cases = st.builds(
    lambda cs, ps, rs, author, inv: facts(
        commits=tuple(cs),
        pushes=tuple(ps),
        reviews=tuple({r.id: r for r in rs}.values()),
        involved=tuple(inv),
        roster=ROSTER,
        pull=replace(facts().pull, author=author),
    ),
    st.lists(commits, min_size=1, max_size=3, unique_by=lambda c: c.oid),
    st.lists(st.builds(Push, st.just(HEAD), maybe), min_size=1, max_size=2),
    st.lists(reviews, max_size=6),
    st.one_of(st.none(), st.sampled_from([*PEOPLE, BOT])),
    st.lists(st.builds(Involved, accounts, st.just("requester")), max_size=1),
)

"""What the App knows of a history: the facts that it judges, and the policy."""

from datetime import date
from functools import lru_cache

from support_facts import CLAUDE, change, facts, person
from support_history import (
    AGENT,
    BASE,
    BEFORE_IT_LANDED,
    COPILOT,
    MACHINE,
    NOBODY,
    OWNERS,
    PEOPLE,
    RENOVATE,
    SECOND_ACCOUNTS,
    TEAM,
    Commit,
    History,
    Opinion,
    Paper,
    Setting,
)

from foureyes.shared.content import digest, of
from foureyes.shared.facts import (
    AgentMark,
    AppAccount,
    Change,
    CommitFacts,
    Content,
    Involved,
    Known,
    Landed,
    Move,
    MoveKind,
    Person,
    Pull,
    PullFacts,
    Push,
    RecordFact,
    RecordState,
    Repository,
    Review,
    ReviewState,
    Roster,
    Signer,
    Touch,
    Witness,
)
from foureyes.shared.people import Account, Kind
from foureyes.shared.policy import DEFAULT_TIERS, Automation, Policy, System

ACCOUNTS = {n: Account(n, f"p{n}") for n in PEOPLE} | {
    RENOVATE: Account(RENOVATE, "renovate[bot]", Kind.BOT),
    COPILOT: Account(COPILOT, "copilot[bot]", Kind.BOT),
}
FLOOR = """\
version: 1
roster: ["@acme/seniors"]
systems: {watched: {paths: ["watch/**"], tier: 1, owners: ["@acme/seniors"]}}
tiers: {1: {unattested: 3}}
"""
AT = "2026-11-22T12:00:00Z"


@lru_cache
def policy(setting: Setting) -> Policy:
    tiers = {n: t.model_copy(update={"stale": setting.stale}) for n, t in DEFAULT_TIERS.items()}
    aliases: dict[str, tuple[str, ...]] = {}
    for other, first in SECOND_ACCOUNTS.items():
        aliases[f"p{first}"] = (f"p{other}",)
    return Policy(
        version=1,
        mode="forbid" if setting.forbid else "enforce",
        roster=("@acme/reviewers",),
        machine_users=(f"p{MACHINE}",),
        aliases=aliases,
        systems={
            "infra": System(paths=("infra/**",), tier=1),
            "pay": System(paths=("pay/**",), tier=0, owners=("@acme/owners",)),
            "watch": System(paths=("watch/**",), tier=2),
        },
        tiers=tiers,
        automation={
            "renovate": Automation(app=2740, paths=("infra/lock",), owner="@p4", until=date(2026, 11, 22))
        },
        squash_only=setting.squash_only,
        trust_software_keys=setting.trust,
    )


def known(history: History, by: Policy | None = None) -> PullFacts:
    """`by`: the policy that says which part of what was approved is protected, if not the setting's."""
    setting = history.setting
    opener = ACCOUNTS.get(history.opener or NOBODY)
    return facts(
        pull=Pull(
            Repository(1, "acme", "shop"), 412, history.is_open, history.is_draft, opener, history.head, "fix", BASE,
            history.base, "2026-11-20T12:00:00Z",
        ),
        at=AT,
        changes=_changes(history.net()),
        touched=tuple(Touch(path, c.oid) for c in history.commits for path in sorted(c.touches)),
        commits=tuple(_commit(commit) for commit in reversed(history.commits)),
        pushes=tuple(
            Push(
                p.head, ACCOUNTS[p.who] if p.seen == "named" else None, p.before if setting.tells_before else ""
            )
            for p in history.pushes
            if p.seen != "lost"
        ),
        reviews=tuple(_review(opinion, history, by) for opinion in history.opinions),
        moves=tuple(Move(MoveKind(kind), _time(at)) for kind, at in history.moves),
        involved=tuple(Involved(ACCOUNTS[who], role) for who, role in history.involved),
        roster=_roster(frozenset(history.team)),
        floor=FLOOR if setting.floor else "",
        app=AppAccount(2740, ACCOUNTS[RENOVATE]) if history.opener == RENOVATE else None,
        landed=(LANDED,),
    )  # fmt: skip


@lru_cache(maxsize=256)
def _roster(team: frozenset[int]) -> Roster:
    """Who leaves the team leaves every team."""
    members = {f"@p{n}": (ACCOUNTS[n],) for n in PEOPLE}
    members["@acme/reviewers"] = tuple(ACCOUNTS[n] for n in sorted(team))
    members["@acme/owners"] = tuple(ACCOUNTS[n] for n in sorted(OWNERS))
    members["@acme/seniors"] = tuple(ACCOUNTS[n] for n in sorted(TEAM - {5}))
    return Roster(members)


@lru_cache(maxsize=4096)
def _changes(net: tuple[tuple[str, int, int], ...]) -> tuple[Change, ...]:
    return tuple(change(path, old_blob=f"{old:040x}", new_blob=f"{new:040x}") for path, old, new in net)


LANDED = Landed(7, "01K", "2026-11-22T10:00:00Z", digest(_changes((("infra/a", BEFORE_IT_LANDED, 0),))))


@lru_cache(maxsize=4096)
def _content(net: tuple[tuple[str, int, int], ...], setting: Setting) -> Content:
    return of(_changes(net), policy(setting))


def _review(opinion: Opinion, history: History, by: Policy | None) -> Review:
    content = Known(of(_changes(opinion.net), by) if by else _content(opinion.net, history.setting))
    return Review(
        id=opinion.number,
        account=ACCOUNTS[opinion.who],
        state=ReviewState(opinion.state),
        commit=opinion.shown_on,
        submitted_at=_time(opinion.number),
        can_push=opinion.who in history.writers,
        witness=Witness(opinion.head, opinion.base, content) if opinion.witnessed else None,
        dismissed_by=ACCOUNTS.get(opinion.dismissed_by or NOBODY),
        dismissed_state=ReviewState(opinion.was) if opinion.was else None,
    )


def _who(number: int) -> Person:
    if number == AGENT:
        made = person(None, "noreply@agent.example")
        return Person(made.identity, None, "claude-code")
    account = ACCOUNTS.get(number)
    return person(account) if account else person(None, f"who{-number}@laptop")


def _commit(commit: Commit) -> CommitFacts:
    committer = person(None, "noreply@github.com") if commit.by_github else _who(commit.committer)
    return CommitFacts(
        commit.oid, "7" * 40, commit.parents, _who(commit.author), committer,
        co_authors=tuple(map(_who, commit.co_authors)),
        by_github=commit.by_github,
        marks=(_CLAIM,) if commit.claims_agent else (),
        record=_record(commit.paper),
        mechanical=commit.is_mechanical,
        merges_base=commit.is_update,
        landed=commit.landed,
    )  # fmt: skip


_CLAIM = AgentMark("claude-code", "trailer")


def _record(paper: Paper | None) -> RecordFact:
    if paper is None:
        return RecordFact(RecordState.MISSING)
    operator = ACCOUNTS.get(paper.operator) if paper.operator is not None else None
    claim = "" if paper.operator is None else operator.login if operator else f"who{-paper.operator}@laptop"
    signer = None
    if paper.signer is not None:
        kind = "sk-ssh-ed25519@openssh.com" if paper.touched else "ssh-ed25519"
        signer = Signer(
            ACCOUNTS[paper.signer], "SHA256:x", kind, "2026-01-01T00:00:00Z", present=paper.touched
        )
    agents = (CLAUDE,) if paper.says == "ai" else ()
    return RecordFact(RecordState(paper.state), "", paper.says, agents, operator, claim, signer)


def _time(at: int) -> str:
    return f"2026-11-21T{at // 3600:02}:{at // 60 % 60:02}:{at % 60:02}Z"

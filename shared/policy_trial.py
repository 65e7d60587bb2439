"""A case tried on a policy: translated to the facts of a pull request, judged by the one evaluation there is."""

from collections.abc import Iterator
from dataclasses import dataclass

from foureyes.shared import content, paths
from foureyes.shared.canonical import sha256_hex
from foureyes.shared.evaluate import evaluate
from foureyes.shared.explain import explain
from foureyes.shared.facts import (
    AgentMark,
    Change,
    CommitFacts,
    Content,
    Involved,
    Known,
    Merge,
    MergeState,
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
from foureyes.shared.floor import ruling
from foureyes.shared.people import Account, Identity, Kind
from foureyes.shared.policy import Policy
from foureyes.shared.policy_cases import ChangedPath, PolicyCase
from foureyes.shared.policy_people import names

_HEAD, _BASE, _TREE, _NOTHING = "a" * 40, "b" * 40, "c" * 40, "0" * 40
_NO_MODE = "000000"
# The times of a case mean nothing beyond their order: a key of long standing, a pull request, its judgement.
_KEY_SINCE, _OPENED, _AT = "2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
_AGENT = "agent"


@dataclass(frozen=True)
class Difference:
    what: str
    """`verdict`, `needed` or `reason`."""
    expected: str
    got: str


@dataclass(frozen=True)
class Trial:
    """`title` is the check's; `reasons` are the codes behind the verdict."""

    outcome: str
    needed: int
    title: str
    reasons: tuple[str, ...]
    differences: tuple[Difference, ...]
    nobody_in: tuple[str, ...] = ()
    """Teams that own what is touched, and that the case puts nobody in."""


def try_case(case: PolicyCase, policy: Policy, floor: str = "") -> Trial:
    """`floor`: the text of the organisation's, which holds no error; "" for none."""
    facts = facts_of(case, policy, floor)
    judgement = evaluate(facts, policy)
    outcome = judgement.verdict.outcome.name.lower()
    reasons = tuple(dict.fromkeys(r.code for part in judgement.verdict.walk() for r in part.reasons))
    title = explain(facts, policy, judgement).title
    needed = judgement.case.needed
    differences = tuple(_differences(case, outcome, needed, title, reasons))
    owners = {owner for hit in judgement.case.protection.hits for owner in hit.owners}
    nobody_in = tuple(sorted(owner for owner in owners if "/" in owner and case.members(owner) is None))
    return Trial(outcome, needed, title, reasons, differences, nobody_in)


def _differences(
    case: PolicyCase, outcome: str, needed: int, title: str, reasons: tuple[str, ...]
) -> Iterator[Difference]:
    if case.expect != outcome:
        yield Difference("verdict", case.expect, f"{outcome} ({title})")
    if case.needed is not None and case.needed != needed:
        yield Difference("needed", str(case.needed), str(needed))
    if case.reason is not None and case.reason not in reasons:
        yield Difference("reason", case.reason, ", ".join(reasons))


def facts_of(case: PolicyCase, policy: Policy, floor: str = "") -> PullFacts:
    """Everybody has write access, every review was witnessed on this content, and GitHub shows all of the change."""
    by_both = ruling(Known(floor), policy)
    policy = by_both.value if isinstance(by_both, Known) else policy
    accounts = _Accounts(case, policy)
    by = accounts.of(case.by)
    pull = Pull(Repository(1, "policy", "test"), 1, True, False, by, _HEAD, "case", _BASE, "main", _OPENED)
    changes = tuple(map(_change, case.change))
    return PullFacts(
        pull=pull,
        at=_AT,
        merge=Known(Merge(MergeState.CLEAN, _TREE)),
        changes=Known(changes),
        touched=Known(tuple(Touch(c.path, _HEAD, c.old_mode, c.new_mode, c.new_blob) for c in changes)),
        hidden=Known(()),
        commits=Known((_commit(case, accounts),)),
        pushes=Known((Push(_HEAD, accounts.of(case.pushed_by or case.by)),)),
        reviews=Known(tuple(_reviews(case, accounts, content.of(changes, policy)))),
        moves=Known(()),
        involved=Known(tuple(_involved(case, accounts))),
        roster=Known(accounts.roster()),
        floor=Known(floor),
    )


class _Accounts:
    """Everyone who is named in the case or the policy; one login, however it is spelled, is one account."""

    def __init__(self, case: PolicyCase, policy: Policy) -> None:
        self._names = names(policy)
        self._members = {
            name: case.members(name) if "/" in name else (name.removeprefix("@"),) for name in self._names
        }
        logins = [case.by, case.operator, case.pushed_by, *case.approvals, *case.rejects]
        logins += [login for members in self._members.values() for login in members or ()]
        spelled = {login.casefold(): login for login in reversed(logins) if login}
        self._accounts = {
            key: Account(number, spelled[key], Kind.BOT if key.endswith("[bot]") else Kind.USER)
            for number, key in enumerate(sorted(spelled), 1)
        }

    def of(self, login: str) -> Account:
        return self._accounts[login.casefold()]

    def roster(self) -> Roster:
        known = {name: members for name, members in self._members.items() if members is not None}
        resolved = {name: tuple(map(self.of, members)) for name, members in known.items()}
        return Roster(resolved, tuple(name for name in self._names if name not in resolved))


def _change(written: ChangedPath) -> Change:
    path = paths.decode(written.path.encode())
    old, new = sha256_hex(f"old {path}".encode())[:40], sha256_hex(f"new {path}".encode())[:40]
    old_mode: str = written.mode
    new_mode: str = written.mode
    match written.status:
        case "A":
            old_mode, old = _NO_MODE, _NOTHING
        case "D":
            new_mode, new = _NO_MODE, _NOTHING
        case "T":
            old_mode = "100644" if written.mode == "120000" else "120000"
    return Change(path, written.status, old_mode, new_mode, old, new, added=1, deleted=1)


def _commit(case: PolicyCase, accounts: _Accounts) -> CommitFacts:
    by = accounts.of(case.by)
    person = Person(Identity(case.by, f"{case.by}@example.invalid"), by)
    from_bot = case.cls == "ai" and by.kind is Kind.BOT
    marks = (AgentMark(_AGENT, "bot", evidence=True),) if from_bot else ()
    record = RecordFact(RecordState.MISSING) if from_bot else _record(case, accounts)
    return CommitFacts(_HEAD, _TREE, (_BASE,), person, person, marks=marks, record=record)


def _record(case: PolicyCase, accounts: _Accounts) -> RecordFact:
    operator = accounts.of(case.operator or case.by)
    signer = Signer(operator, "SHA256:case", "sk-ssh-ed25519@openssh.com", _KEY_SINCE, present=True)
    if case.cls == "human":
        return RecordFact(RecordState.SIGNED, says="human", operator=operator, signer=signer)
    if case.cls == "ai":
        mark = AgentMark(_AGENT, "record", evidence=True)
        return RecordFact(RecordState.SIGNED, says="ai", agents=(mark,), operator=operator, signer=signer)
    if case.operator is None:
        return RecordFact(RecordState.MISSING)
    claim = AgentMark(_AGENT, "record")
    return RecordFact(RecordState.UNSIGNED, says="ai", agents=(claim,), operator=operator)


def _involved(case: PolicyCase, accounts: _Accounts) -> Iterator[Involved]:
    """Who set a bot to work: a person's own agent has its operator in the record."""
    if case.operator is not None and accounts.of(case.by).kind is Kind.BOT:
        yield Involved(accounts.of(case.operator), "assigner")


def _reviews(case: PolicyCase, accounts: _Accounts, now: Content) -> Iterator[Review]:
    given = [(login, ReviewState.APPROVED) for login in case.approvals]
    given += [(login, ReviewState.CHANGES_REQUESTED) for login in case.rejects]
    for number, (login, state) in enumerate(given, 1):
        yield Review(
            id=number,
            account=accounts.of(login),
            state=state,
            commit=_HEAD,
            submitted_at=_AT,
            can_push=True,
            witness=Witness(_HEAD, "main", Known(now)),
        )

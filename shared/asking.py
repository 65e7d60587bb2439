"""Whose review is asked for. Suggestions only: none of this is a fact of the verdict, or part of its digest."""

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field

from foureyes.shared import owners
from foureyes.shared.canonical import sha256_hex
from foureyes.shared.case import Case
from foureyes.shared.evaluate import Judgement
from foureyes.shared.people import Account
from foureyes.shared.verdict import Outcome

_FOR_PEOPLE = ("two_humans", "recorded")


@dataclass(frozen=True)
class Requests:
    """What is known about requests for a review of one pull request. All by account id."""

    pending: Set[int] = frozenset()
    """Asked for now, by whomever."""
    declined: Set[int] = frozenset()
    """Who took themself out again: never asked again on this pull request."""
    asked: Set[int] = frozenset()
    """Whom the App asked for this content before."""
    load: Mapping[int, int] = field(default_factory=dict)
    """Reviews that are asked of someone elsewhere."""
    seed: str = ""
    """Decides between people with the same load, so that it is not always the first by name."""


def worth_asking(judgement: Judgement) -> bool:
    """It waits, and for people alone: no draft, no conflict, nobody who asks for changes."""
    verdict = judgement.verdict
    held = {part.rule for part in verdict.children if not part}
    return judgement.complete and verdict.outcome is Outcome.WAIT and held <= {*_FOR_PEOPLE}


def to_ask(case: Case, requests: Requests) -> tuple[Account, ...]:
    """As many more as are missing, least loaded first; an owner first where one is missing. Nobody twice for one
    content: who spoke without approving, or whose request somebody else took back, keeps their place. The case must
    be complete.
    """
    candidates = case.approvals.candidates
    waited_for = {case.people.same(a) for a in candidates if _is_any(case, a, requests.pending)}
    waited_for |= {
        case.people.same(a) for a in candidates if _is_any(case, a, requests.asked - requests.declined)
    }
    taken = requests.asked | requests.declined | requests.pending
    free = sorted(
        (a for a in candidates if not _is_any(case, a, taken)),
        key=lambda a: (requests.load.get(a.id, 0), sha256_hex(f"{requests.seed} {a.id}".encode())),
    )
    missing = case.needed - len(case.approvals.counted) - len(waited_for)
    chosen = list(dict.fromkeys(_owners(case, free, waited_for)))
    chosen += [account for account in free if account not in chosen][: max(missing - len(chosen), 0)]
    return tuple(chosen)


def _is_any(case: Case, account: Account, ids: Set[int]) -> bool:
    """Whether any account of that person is one of these."""
    person = case.people.same(account)
    return any(case.people.same(a) == person and a.id in ids for a in case.people.rostered.values())


def _owners(case: Case, free: Iterable[Account], waited_for: Set[int]) -> Iterator[Account]:
    """One for each system that lacks an owner and waits for none."""
    free = tuple(free)
    for hit in owners.missing(case):
        owning = {case.people.same(account) for account in owners.able(case, hit)}
        able = [account for account in free if case.people.same(account) in owning]
        if able and not owning & waited_for:
            yield able[0]

"""Reviews that an agent was seen to submit from this machine: the account behind them does not count."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from foureyes.hooks.evidence import Evidence
from foureyes.hooks.tool_events import Event
from foureyes.shared.record import MOST_NAMED, Record, RecordError, Reviewed, parse_record


def each_once(reviews: Iterable[Reviewed]) -> tuple[Reviewed, ...]:
    """One for each account, agent and session; no more than a record may name, the newest."""
    found = {(review.account.casefold(), review.agent, review.session): review for review in reviews}
    return tuple(sorted(found.values(), key=lambda review: review.at)[-MOST_NAMED:])


class Untold:
    """The reviews that no push has told of yet."""

    def __init__(self, evidence: Evidence, account: str) -> None:
        """`account` stands for one that the agent's own program did not name: it is this person's machine."""
        self._evidence, self._account = evidence, account
        self._events = evidence.reviews_since(evidence.told_reviews())

    def put_into(
        self, built: Mapping[str, Record], kept: Mapping[str, bytes], newest: Iterable[str]
    ) -> dict[str, Record]:
        """The records of the `newest` commits with the reviews; none if there is no review to tell of."""
        new = [self._reviewed(event) for event in self._events]
        records = {oid: built.get(oid) or _read(kept.get(oid)) for oid in newest} if new else {}
        return {
            oid: replace(record, reviews=each_once((*record.reviews, *new)))
            for oid, record in records.items()
            if record is not None
        }

    def mark_told(self) -> None:
        """They are in records that are kept."""
        self._evidence.mark_reviews_told(self._events[-1].tick_ended)

    def _reviewed(self, event: Event) -> Reviewed:
        return Reviewed(event.account or self._account, event.agent, event.session, int(event.started))


def _read(raw: bytes | None) -> Record | None:
    try:
        return parse_record(raw) if raw is not None else None
    except RecordError:
        return None  # of another version, or foreign: it stays as it is

"""A burst of 500 deliveries on the server's own port: none is refused, and each is decided."""

import http.client
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select
from support_database import migrated
from support_listening import PATIENCE, listening, signed
from support_serve import pull_request

from foureyes.github_app import inbox, storage, tables
from foureyes.github_app.lanes import Claim, Done, Outcome
from foureyes.github_app.worker import Workers

DELIVERIES, AT_ONCE = 500, 50


@pytest.fixture
def senders() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield pool


def test_a_burst_of_500_deliveries_is_stored_and_decided(tmp_path: Path, senders: ThreadPoolExecutor) -> None:
    """Five for each of 100 heads, over 500 connections: what comes while a head is looked at joins the next look."""
    looked: Counter[str] = Counter()
    idle = threading.Event()

    def judge(claim: Claim) -> Outcome:
        looked[claim.lane.head] += 1
        return Done()

    with migrated(f"sqlite:///{tmp_path / 'foureyes.sqlite3'}") as engine:
        workers = Workers(engine, judge, threads=2)
        with listening(engine, news=workers.wake) as port:
            where = urlsplit(port.address)

            def send(number: int) -> int:
                connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=PATIENCE)
                body = pull_request(1 + number % 100)
                connection.request("POST", "/webhook", body, signed(body, f"d-{number}", "pull_request"))
                status = connection.getresponse().status
                connection.close()
                return status

            workers.start()
            try:
                answers = Counter(senders.map(send, range(DELIVERIES)))
                assert answers == {202: DELIVERIES}
                while True:
                    with storage.reading(engine) as conn:
                        if inbox.undecided(conn) == 0:
                            break
                    idle.wait(0.05)
            finally:
                assert workers.stop(PATIENCE)
        with storage.reading(engine) as conn:
            assert conn.execute(select(func.count()).select_from(tables.delivery)).scalar_one() == DELIVERIES
    assert set(looked) == {f"{number:040x}" for number in range(1, 101)}
    assert looked.total() <= DELIVERIES

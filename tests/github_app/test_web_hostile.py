"""The port against those who are not GitHub: every oddity is refused, nothing of it is stored, and GitHub is heard on."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from support_database import migrated
from support_listening import (
    PING,
    Port,
    delivery,
    listening,
    read_all,
    request,
    signed,
    statuses,
)

from foureyes.github_app.listening import LARGEST_HEADER
from foureyes.github_app.slow_clients import Patience
from foureyes.github_app.webhook import LARGEST_BODY


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Port]:
    file = tmp_path_factory.mktemp("port") / "foureyes.sqlite3"
    with migrated(f"sqlite:///{file}") as engine, listening(engine) as port:
        yield port


@pytest.fixture(autouse=True)
def github_is_heard_on(port: Port) -> Iterator[None]:
    """After each of these a real delivery is stored, and it is the only one."""
    yield
    before = port.stored()
    guid = f"after-{before}"
    assert statuses(port.say(delivery(guid=guid))) == [202]
    assert port.stored() == before + 1


def plain(size: int | str = len(PING)) -> dict[str, str]:
    return {**signed(PING), "Content-Length": str(size)}


CHUNKED = {**signed(PING), "Transfer-Encoding": "chunked"}
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(PING), PING)
SMUGGLED = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"

# What is refused, and with what.
ODD = {
    "both lengths": (request({**CHUNKED, "Content-Length": "4"}, CHUNKS), 400),
    "both lengths, the other way round": (request({**plain(4), "Transfer-Encoding": "chunked"}, b"0\r\n\r\n"), 400),
    "a second request in the body of both": (
        request({**CHUNKED, "Content-Length": str(5 + len(SMUGGLED))}, b"0\r\n\r\n" + SMUGGLED), 400),
    "two transfer encodings": (request([*CHUNKED.items(), ("Transfer-Encoding", "chunked")], CHUNKS), 400),
    "chunked in HTTP/1.0": (request(CHUNKED, CHUNKS, "POST /webhook HTTP/1.0"), 400),
    "an unknown transfer encoding": (request({**CHUNKED, "Transfer-Encoding": "xchunked"}, CHUNKS), 501),
    "chunked and gzip": (request({**CHUNKED, "Transfer-Encoding": "gzip, chunked"}, CHUNKS), 501),
    "a space in the encoding's name": (request({**CHUNKED, "Transfer-Encoding": "chun ked"}, CHUNKS), 501),
    "a vertical tab after the encoding": (request({**CHUNKED, "Transfer-Encoding": "chunked\x0b"}, CHUNKS), 400),
    "a chunk with an odd size": (request(CHUNKED, b"0x5\r\nhello\r\n0\r\n\r\n"), 400),
    "a chunk that is longer than it says": (request(CHUNKED, b"2\r\nhello\r\n0\r\n\r\n"), 400),
    "a negative length": (request(plain(-1), PING), 400),
    "a length with a sign": (request(plain(f"+{len(PING)}"), PING), 400),
    "a length in hexadecimal": (request(plain("0x10"), PING), 400),
    "two lengths": (request([*plain().items(), ("Content-Length", "5")], PING), 400),
    "two equal lengths": (request([*plain().items(), ("Content-Length", str(len(PING)))], PING), 400),
    "a length of many digits": (request(plain("9" * 400), PING), 413),
    "a space before the colon": (request({**plain(), "X-Odd ": "1"}, PING), 400),
    "a folded header": (request({**plain(), "X-Odd": "1\r\n folded"}, PING), 400),
    "a bare line feed": (request({**plain(), "X-Odd": "1\nX-More: 2"}, PING), 400),
    "a NUL in a header": (request({**plain(), "X-Odd": "a\0b"}, PING), 400),
    "no header has a name": (request({**plain(), "": "x"}, PING), 400),
    "no version": (b"POST /webhook\r\n\r\n", 401),
    "not HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 50 + b"\r\n\r\n", 400),
    "a method in lower case": (request(plain(), PING, "post /webhook HTTP/1.1"), 400),
    "a header over the limit": (request({**plain(), "X-Odd": "x" * LARGEST_HEADER}, PING), 431),
    "ten thousand headers": (request([*plain().items(), *[(f"X-{n}", "x") for n in range(10_000)]], PING), 431),
    "a first line over the limit": (request(plain(), PING, f"POST /{'x' * LARGEST_HEADER} HTTP/1.1"), 431),
    "a length over the limit": (request(plain(LARGEST_BODY + 1)), 413),
    "a signature with underscores": (
        request({"X_Hub_Signature_256" if k == "X-Hub-Signature-256" else k: v for k, v in plain().items()}, PING), 401),
    "two signatures": (
        request([*plain().items(), ("X-Hub-Signature-256", plain()["X-Hub-Signature-256"])], PING), 401),
    "two deliveries": (request([*plain().items(), ("X-GitHub-Delivery", "d-2")], PING), 400),
    "two events": (request([*plain().items(), ("X-GitHub-Event", "push")], PING), 400),
    "a name that is not ASCII": (request({**plain(), "X-GitHub-Delivery": "d-\xe9"}, PING), 400),
    "compressed": (request({**signed(b"\x1f\x8b"), "Content-Encoding": "gzip", "Content-Length": "2"}, b"\x1f\x8b"), 400),
    "numbers of many digits": (delivery(b'{"a":' + b"9" * 5000 + b"}"), 400),
    "objects in objects": (delivery(b'{"a":' * 50_000), 400),
    "half a character": (delivery(b'{"a":"\xc3"}'), 400),
    "TRACE": (request({"Host": "x"}, line="TRACE /webhook HTTP/1.1"), 405),
    "PUT": (request(plain(), PING, "PUT /webhook HTTP/1.1"), 405),
    "CONNECT": (request({"Host": "x"}, line="CONNECT example.org:443 HTTP/1.1"), 404),
}  # fmt: skip


@pytest.mark.parametrize(("raw", "status"), ODD.values(), ids=ODD.keys())
def test_what_is_odd_is_refused_and_ends_the_connection(port: Port, raw: bytes, status: int) -> None:
    before = port.stored()
    answer = port.say(raw)
    assert statuses(answer) == [status], answer[:300]
    assert port.stored() == before
    for word in (b"Traceback", b"Werkzeug", b"Python/", b"/site-packages", b"\r\nServer:"):
        assert word not in answer


PATHS = ("/webhook/", "/webhook%00", "/webhook;x", "/WEBHOOK", "/./webhook", "/x/../webhook", "/webhook%2f",
         "/%2e%2e/webhook", "/\xe9", "/webhook.json", "/static/x", "*")  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_only_one_path_is_the_webhook(port: Port, path: str) -> None:
    before = port.stored()
    answer = port.say(request({**plain(), "Connection": "close"}, PING, f"POST {path} HTTP/1.1"))
    assert statuses(answer)[0] in (308, 400, 404)
    assert port.stored() == before


def test_an_address_in_the_first_line_is_taken_for_its_path_alone(port: Port) -> None:
    """A proxy may send it like that; another host's name in it opens nothing else."""
    raw = request(plain(), PING, "POST http://elsewhere.example/webhook HTTP/1.1")
    assert statuses(port.say(raw)) == [202]


def test_a_chunked_delivery_is_a_delivery(port: Port) -> None:
    assert statuses(port.say(request({**CHUNKED, "X-GitHub-Delivery": "chunked"}, CHUNKS))) == [202]


def test_a_chunked_body_does_not_get_around_the_limit(port: Port) -> None:
    before = port.stored()
    piece = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    assert statuses(port.say(request(CHUNKED, piece * 26 + b"0\r\n\r\n")))[:1] in ([413], [])
    assert port.stored() == before


def test_two_requests_in_one_breath_are_two_requests(port: Port) -> None:
    last = request(
        {**signed(PING, "breath-2"), "Content-Length": str(len(PING)), "Connection": "close"}, PING
    )
    assert statuses(port.say(delivery(guid="breath-1") + last, hang_up=False)) == [202, 202]


def test_what_follows_a_refused_request_is_not_heard(port: Port) -> None:
    before = port.stored()
    raw = request({**CHUNKED, "Content-Length": "4"}, CHUNKS) + delivery(guid="smuggled")
    assert statuses(port.say(raw)) == [400]
    assert port.stored() == before


SLOW = {
    "silent": b"",
    "half a first line": b"POST /web",
    "half a header": b"POST /webhook HTTP/1.1\r\nHost: x\r\nX-Odd: 1",
    "half a body": request(plain(1000), b"x" * 10),
    "half a chunk": request(CHUNKED, b"ff\r\nx"),
    "after an answer": delivery(guid="slow"),
}


@pytest.fixture(scope="module")
def impatient(port: Port) -> Iterator[Port]:
    with listening(port.engine, patience=Patience(most=1000, whole_request=0.5, idle=0.5)) as impatient:
        yield impatient


@pytest.mark.parametrize("said", SLOW.values(), ids=SLOW.keys())
def test_whoever_takes_too_long_loses_the_connection(impatient: Port, said: bytes) -> None:
    with impatient.connect() as connection:
        connection.sendall(said)
        assert statuses(read_all(connection)) == ([202] if said == SLOW["after an answer"] else [])


def test_a_byte_now_and_then_is_not_enough(impatient: Port) -> None:
    with impatient.connect() as connection:
        connection.settimeout(0.05)
        connection.sendall(b"POST /webhook HTTP/1.1\r\nHost: x\r\nX-Odd: ")
        for _ in range(1000):
            try:
                connection.sendall(b"x")
                if connection.recv(1) == b"":
                    return
            except TimeoutError:
                continue
            except ConnectionError:
                return
    raise AssertionError("it is kept as long as it drips")


def test_a_hundred_dripping_clients_keep_nobody_out(port: Port) -> None:
    dripping: list[socket.socket] = []
    patience = Patience(most=40, whole_request=10_000, idle=10_000)
    with listening(port.engine, patience=patience, connections=50) as crowded:
        try:
            for number in range(100):
                dripping.append(crowded.connect())
                dripping[-1].sendall(list(SLOW.values())[1 + number % 4])
            for number in range(3):
                assert statuses(crowded.say(delivery(guid=f"crowd-{number}"))) == [202]
        finally:
            for connection in dripping:
                connection.close()


@dataclass(eq=False)
class Client:
    request: object | None = None
    requests: list[object] = field(default_factory=list)
    total_outbufs_len: int = 0
    will_close: bool = False


def test_patience_begins_anew_with_each_request() -> None:
    now = [0.0]
    patience = Patience(most=10, whole_request=30, idle=20, clock=lambda: now[0])
    idle, asking, busy, slow_reader = (
        Client(), Client(request=object()), Client(requests=[1]), Client(total_outbufs_len=5),
    )  # fmt: skip
    everyone = [idle, asking, busy, slow_reader]
    assert patience.look(everyone) == 0
    now[0] = 19
    asking.request, busy.requests = None, []
    assert patience.look(everyone) == 0
    now[0] = 21
    assert patience.look(everyone) == 1
    assert [one.will_close for one in everyone] == [True, False, False, False]


def test_those_who_were_waited_for_longest_make_room_and_nobody_who_is_served() -> None:
    now = [0.0]
    patience = Patience(most=4, clock=lambda: now[0])
    served = Client(requests=[1])
    waiting = []
    for _ in range(3):
        waiting.append(Client())
        now[0] += 1
        patience.look([served, *waiting])
    assert [one.will_close for one in waiting] == [True, True, False]
    assert not served.will_close

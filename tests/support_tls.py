"""A network as companies have it: a CA of their own, TLS in front of a server, and a proxy through which all must go."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Network:
    url: str
    """`https://localhost:...`, with a certificate that only `ca` vouches for."""
    ca: Path
    proxy: str
    through: list[str] = field(default_factory=list)
    """What the proxy was asked to connect to."""


@contextmanager
def company_network(folder: Path, port: int) -> Iterator[Network]:
    """TLS and a proxy in front of a plain server on a port of 127.0.0.1."""
    ca, certificate = _certificates(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    seen: list[str] = []

    def front(plain: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(plain, server_side=True) as inside:
            _relay(inside, ("127.0.0.1", port))

    def proxy(client: socket.socket) -> None:
        with suppress(OSError):
            asked = b""
            while not asked.endswith(b"\r\n\r\n"):
                asked += client.recv(1)
            verb, where, _ = asked.split(b"\r\n")[0].decode().split(" ")
            assert verb == "CONNECT"
            seen.append(where)
            client.sendall(b"HTTP/1.1 200 connected\r\n\r\n")
            _relay(client, ("127.0.0.1", int(where.rpartition(":")[2])))

    with ExitStack() as stack:
        behind = stack.enter_context(_listening(front))
        before = stack.enter_context(_listening(proxy))
        yield Network(f"https://localhost:{behind}", ca, f"http://127.0.0.1:{before}", seen)


@contextmanager
def _listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as bound:

        def handle(accepted: socket.socket) -> None:
            with accepted:
                serve(accepted)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    accepted, _ = bound.accept()
                    threads.append(threading.Thread(target=handle, args=(accepted,), daemon=True))
                    threads[-1].start()

        acceptor = threading.Thread(target=accept, daemon=True)
        acceptor.start()
        try:
            yield bound.getsockname()[1]
        finally:
            with suppress(OSError):
                bound.shutdown(socket.SHUT_RDWR)
            acceptor.join(30)


def _relay(one: socket.socket, address: tuple[str, int]) -> None:
    with socket.create_connection(address) as other:
        back = threading.Thread(target=_pour, args=(other, one), daemon=True)
        back.start()
        _pour(one, other)
        back.join(30)


def _pour(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def _certificates(folder: Path) -> tuple[Path, Path]:
    """A file with the CA's certificate, and one with the server's certificate and key."""
    folder.mkdir(parents=True, exist_ok=True)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Acme's own CA")])
    now = datetime.now(UTC)

    def builder(name: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        made = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(public)
        made = made.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        return made.not_valid_after(now + timedelta(days=1))

    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    its_id = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    ca = (
        builder(issuer, ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(its_id, critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    server = (
        builder(name, key.public_key())
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(its_id), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "ca.pem").write_bytes(ca.public_bytes(pem))
    (folder / "server.pem").write_bytes(server.public_bytes(pem) + private)
    return folder / "ca.pem", folder / "server.pem"

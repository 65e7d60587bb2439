"""One function for each parser at the edge: bytes in, and it returns, or raises only what that parser may raise for
what others wrote. What must never follow from such bytes (a success, a signature that holds) is asserted in it.

Used by test_edges.py in every run, and by fuzz.py (`make fuzz`) for as long as is wanted.
"""

import base64
import builtins
import copy
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pydantic
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from support_facts import change, facts, policy
from support_fuzz_examples import DIFF, EVENTS, JOURNAL, NOTE, OID, POLICIES, RAW_COMMIT, TRACE
from support_fuzz_settled import CASES, FLOORS, RULES, STORED, cases, floor_, rules, stored
from support_record import RECORD
from support_serve import app_key
from waitress.adjustments import Adjustments

from foureyes.github_app import decisions, pull_query, range, redaction, setup_answer, webhook
from foureyes.github_app.client import GitHubError
from foureyes.github_app.events import HANDLED, effects
from foureyes.github_app.git_process import GitError
from foureyes.github_app.settings import Settings
from foureyes.github_app.strict_requests import StrictParser
from foureyes.hooks import journal, json_text
from foureyes.hooks.agents import payload as payloads
from foureyes.shared import (
    agent_trace,
    diff,
    dsse,
    git_ai_note,
    manifest,
    paths,
    patterns,
    policy_text,
    record,
    sshsig,
    trailers,
)
from foureyes.shared import (
    facts as pull_facts,
)
from foureyes.shared.errors import UserError
from foureyes.shared.evaluate import evaluate
from foureyes.shared.verdict import Outcome

SECRET = "a secret of sixteen letters"
_ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    2**70,
    1.5,
    "",
    "\ud800",
    "\0",
    "a" * 3000,
    "../..",
    [],
    {},
    [[]],
    {"id": "1"},
    OID,
]


@dataclass(frozen=True)
class Target:
    check: Callable[[bytes], bool]
    """Whether it was taken for what it should be."""
    seeds: Callable[[], list[bytes]]
    """Whole, as the other side writes them."""


def odd_forms(document: Any, data: bytes) -> Any:
    """The document with some of its values replaced, removed or doubled, as the bytes say."""
    changed = copy.deepcopy(document)
    reader = iter(data)
    for place in reader:
        spots = list(_spots(changed))
        if not spots:
            break
        parent, name = spots[(place * 7 + next(reader, 0)) % len(spots)]
        how = next(reader, 0)
        if how % 5 == 4:
            if isinstance(parent, dict):
                del parent[name]
            else:
                parent.append(copy.deepcopy(parent[name]))
        else:
            parent[name] = copy.deepcopy(_ODD[how % len(_ODD)])
    return changed


def _spots(value: Any) -> Iterator[tuple[Any, Any]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in list(pairs):
        yield value, name
        yield from _spots(inner)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


# webhooks


def _webhook(data: bytes) -> bool:
    """Unsigned it is nothing; signed it is refused, or its effects can be stored in every database."""
    headers = {
        "X-GitHub-Delivery": "d-1",
        "X-GitHub-Event": "push",
        "X-Hub-Signature-256": "sha256=" + "0" * 64,
    }
    assert isinstance(webhook.receive(data, headers, [SECRET]), webhook.Refusal)
    headers["X-Hub-Signature-256"] = "sha256=" + hmac.digest(SECRET.encode(), data, "sha256").hex()
    given = webhook.receive(data, headers, [SECRET])
    if isinstance(given, webhook.Refusal):
        return False
    return any([_effects(event, given.payload) for event in sorted(HANDLED)])


def _effects(event: str, payload: dict[str, Any]) -> bool:
    """Whether there are any."""
    found = effects(event, payload)
    for lane in found.lanes:
        assert lane.head or lane.ref
        for text in (lane.slug, lane.head, lane.ref):
            assert "\0" not in text
            text.encode()
        assert 0 < lane.repository_id < 2**63
    found.note.encode()
    return bool(found.lanes)


def _odd_webhook(data: bytes) -> bool:
    payload = odd_forms(EVENTS, data)
    if not isinstance(payload, dict):
        return False
    return any([_effects(event, payload) for event in sorted(HANDLED)])


def _request(data: bytes) -> bool:
    """HTTP, as it comes from the wire, in two pieces."""
    parser = StrictParser(Adjustments(max_request_header_size=32768))
    for piece in (data[: len(data) // 2], data[len(data) // 2 :]):
        while piece and not parser.completed:
            piece = piece[parser.received(piece) :]
    head = data.partition(b"\r\n\r\n")[0].lower()
    taken = parser.completed and not parser.error and not parser.empty
    if (
        b"\ntransfer-encoding:" in head
        and b"\ncontent-length:" in head
        and b"\r\n\r\n" in data
        and data[:1].isalpha()
    ):
        assert not taken
    return taken


# policies


def _policy(data: bytes) -> bool:
    """Refused, or a policy by which an agent's change to what it protects does not pass without approvals."""
    try:
        given = policy_text.parse_policy(_text(data))
    except policy_text.PolicyError:
        return False
    judged = evaluate(facts(changes=(change("infra/network.tf"),), reviews=()), given).verdict
    guarded = [system.paths for system in given.systems.values() if system.tier in (0, 1)]
    if any(patterns.Patterns.compile(lines).match("infra/network.tf") for lines in guarded):
        assert judged.outcome is not Outcome.PASS
    return True


def _pattern(data: bytes) -> bool:
    line, _, raw = data.partition(b"\n")
    path = paths.decode(raw)
    try:
        found = patterns.Patterns.compile([_text(line)])
    except patterns.PatternError:
        return False
    found.match(path)
    found.may_match_below(path)
    return True


# what travels with commits


def _record(data: bytes) -> bool:
    """What is read is written back to the same record."""
    try:
        read = record.parse_record(data)
    except record.RecordError:
        return False
    # what is not in the format is reported, and never written
    assert record.parse_record(record.record_bytes(read)) == replace(read, unlisted=())
    return True


def _odd_record(data: bytes) -> bool:
    whole = odd_forms(json.loads(record.record_bytes(RECORD)), data)
    return _record(json.dumps(whole).encode("utf-8", "surrogatepass"))


def _envelope(data: bytes) -> bool:
    try:
        read = dsse.parse(data)
    except dsse.EnvelopeError:
        return False
    assert dsse.parse(read.to_json()).payload == read.payload
    return True


def _manifest(data: bytes) -> bool:
    try:
        read = manifest.parse_manifest(data)
    except manifest.ManifestError:
        return False
    assert manifest.parse_manifest(manifest.manifest_bytes(read)) == read
    return True


@cache
def _signature() -> bytes:
    """By an ed25519 key, over "message", as PROTOCOL.sshsig says."""

    def string(value: bytes) -> bytes:
        return len(value).to_bytes(4, "big") + value

    key = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
    blob = string(b"ssh-ed25519") + string(key.public_key().public_bytes_raw())
    digest = hashlib.sha512(b"message").digest()
    signed = (
        b"SSHSIG" + string(manifest.NAMESPACE.encode()) + string(b"") + string(b"sha512") + string(digest)
    )
    signature = string(b"ssh-ed25519") + string(key.sign(signed))
    return (
        b"SSHSIG" + (1).to_bytes(4, "big") + string(blob) + string(manifest.NAMESPACE.encode()) + string(b"")
        + string(b"sha512") + string(signature)
    )  # fmt: skip


def _ssh_signature(data: bytes) -> bool:
    """Bytes that are not the signature itself, in whatever armour, do not hold."""
    try:
        sshsig.verify(data, b"message", manifest.NAMESPACE)
    except sshsig.SshsigError:
        return False
    body = data if data.startswith(b"SSHSIG") else base64.b64decode(b"".join(data.strip().splitlines()[1:-1]))
    assert body == _signature()
    return True


def _public_key(data: bytes) -> bool:
    try:
        sshsig.parse_public_key(_text(data))
    except sshsig.SshsigError:
        return False
    return True


def _note(data: bytes) -> bool:
    return bool([*git_ai_note.parse_note(data), *agent_trace.parse_trace(data)])


def _message(data: bytes) -> bool:
    for text in (_text(data), data.decode("utf-8", "replace")):
        found = [*trailers.parse_trailers(text), *trailers.provenance_ids(text)]
    return bool(found)


def _path(data: bytes) -> bool:
    """One name for each sequence of bytes, and the way back."""
    shown = paths.decode(data)
    assert paths.encode(shown) == data
    paths.fold(shown)
    try:
        paths.encode(_text(data))
    except ValueError:
        return False
    return not paths.is_odd(shown)


def _diff(data: bytes) -> bool:
    found = 0
    for read in (diff.parse_raw, diff.parse_patch, diff.parse_diff, lambda raw: list(diff.parse_stream(raw))):
        try:
            found += len(read(data))
        except diff.DiffError:
            continue
    return bool(found)


def _commit(data: bytes) -> bool:
    try:
        range.parse_commit(OID, data)
    except GitError:
        return False
    return True


def _journal(data: bytes) -> bool:
    return any([journal.parse_line(line, "main") for line in _text(data).split("\n")])


# what GitHub and agents answer


class _Client:
    """Answers every query alike."""

    github = SimpleNamespace(app_id=42)

    def __init__(self, data: Any) -> None:
        self.data = data
        self.left = 5

    def graphql(self, _query: str, _variables: Any) -> Any:
        self.left -= 1
        if self.left < 0:
            raise GitHubError("asked again and again")
        return self.data

    def graphql_answer(self, query: str, variables: Any) -> Any:
        return SimpleNamespace(data=self.graphql(query, variables), began=1.0, headers={}, status=200)


@cache
def _pull() -> dict[str, Any]:
    return dict(json.loads((Path(__file__).parent / "data" / "pull_answer.json").read_text()))


def _graphql(data: bytes) -> bool:
    """Read, or not understood: nothing else; and what is read can be kept."""
    answer, taken = odd_forms(_pull(), data), False
    for ask in (
        lambda client: pull_query.ask(client, "acme/shop", 7, OID), lambda client: pull_query.ask_head(client, "acme/shop", OID)
    ):  # fmt: skip
        try:
            taken = ask(_Client(answer)) is not None
        except GitHubError:
            continue
    return taken


@cache
def _samples() -> list[Any]:
    whole = json.loads((Path(__file__).parent / "data" / "agent_payloads.json").read_text())
    return [sample["stdin"] for samples in whole.values() for sample in samples]


def _edits() -> list[bytes]:
    """Those of the samples that tell of a change."""
    return [bytes([number]) for number in builtins.range(len(_samples())) if _hook(bytes([number]))]


def _hook(data: bytes) -> bool:
    samples = _samples()
    payload = odd_forms(samples[data[0] % len(samples)] if data else {}, data[1:])
    if not isinstance(payload, dict):
        return False
    payloads.answer(payload, "claude-code")
    return payloads.read(payload, {}, "claude-code") is not None


def _stored_facts(data: bytes) -> bool:
    """What was stored and changed since is refused, or judged; never a failure of the program."""
    dumped = json.dumps(odd_forms(json.loads(pull_facts.dump(facts())), data))
    try:
        read = pull_facts.load(dumped)
    except pydantic.ValidationError:
        return False
    evaluate(read, policy())
    return True


def _export(data: bytes) -> bool:
    try:
        decisions.from_json(json.loads(data))
    except (UserError, ValueError, RecursionError):
        return False
    return True


def _settings_file(data: bytes) -> bool:
    """An agent's settings, a person's file: read as JSON is, and kept to the letter beside what is put in."""
    text = _text(data)
    try:
        node = json_text.parse(text)
    except ValueError:
        return False
    with suppress(ValueError, RecursionError):
        plain = json.loads(text)
        assert repr(node.value) == repr(plain)
    if isinstance(node.value, dict) and "new" not in node.value:
        put = json_text.insert(text, node, [1], "new")
        assert repr(json_text.parse(put).value) == repr({**node.value, "new": [1]})
        taken = json_text.remove(put, json_text.parse(put), len(node.children))
        assert repr(json_text.parse(taken).value) == repr(node.value)
    return True


def _setup_answer(data: bytes) -> bool:
    """GitHub's answer with the new App: all of it, or GitHubError with nothing of the key in it."""
    given = odd_forms(_APP, data)
    try:
        made = setup_answer.read_answer(given, _SERVER)
    except GitHubError as error:
        why = error.why
    else:
        why = ""
        assert made.install_url.startswith(f"{_SERVER.github_url}/")
        assert made.settings_url.startswith(f"{_SERVER.github_url}/")
    assert _KEY[40:80] not in why
    return not why


_KEY = app_key()
_SERVER = Settings(0, "", ())
_APP = {
    "id": 7, "slug": "acme-foureyes", "name": "acme foureyes", "owner": {"login": "acme", "type": "Organization"},
    "html_url": "https://github.com/apps/acme-foureyes", "pem": _KEY, "webhook_secret": "0123456789abcdef0123",
}  # fmt: skip


def _log(data: bytes) -> bool:
    token = "ghs_" + "A" * 40
    assert token not in redaction.redact(f"{_text(data)} {token} {_text(data)}")
    return True


def _exported() -> bytes:
    text = POLICIES[0].decode()
    given = facts()
    made = decisions.decide(
        given, evaluate(given, policy_text.parse_policy(text)).verdict, policy=text, policy_oid=OID,
        evaluator="1", title="Waiting", at=1_795_000_000_000,
    )  # fmt: skip
    return json.dumps(decisions.to_json(made)).encode()


def _armored() -> bytes:
    body = base64.encodebytes(_signature())
    return b"-----BEGIN SSH SIGNATURE-----\n" + body + b"-----END SSH SIGNATURE-----\n"


def _list() -> bytes:
    return manifest.manifest_bytes(
        manifest.Manifest("", "refs/heads/x", (manifest.Entry(OID, OID, "1" * 64),))
    )


def _sealed() -> bytes:
    return dsse.Envelope(dsse.PAYLOAD_TYPE, _list(), (dsse.Signature("k", _signature()),)).to_json()


_APPROVING = {"can_approve_pull_request_reviews": False}

WHOLE = [b""]
"""For a target whose bytes say what is odd about a document."""

TARGETS: dict[str, Target] = {
    "webhook": Target(_webhook, lambda: [json.dumps(EVENTS).encode()]),
    "odd-webhook": Target(_odd_webhook, lambda: WHOLE),
    "request": Target(_request, lambda: [b"POST /webhook HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"]),
    "policy": Target(_policy, lambda: POLICIES),
    "floor": Target(floor_, lambda: FLOORS),
    "policy-cases": Target(cases, lambda: [CASES]),
    "credentials": Target(stored, lambda: [STORED]),
    "branch-rules": Target(lambda data: rules(odd_forms(RULES | _APPROVING, data)), lambda: WHOLE),
    "pattern": Target(_pattern, lambda: [b"infra/**/*.[!a-c]?\ninfra/a/b.tf"]),
    "record": Target(_record, lambda: [record.record_bytes(RECORD)]),
    "odd-record": Target(_odd_record, lambda: WHOLE),
    "envelope": Target(_envelope, lambda: [_sealed()]),
    "manifest": Target(_manifest, lambda: [_list()]),
    "signature": Target(_ssh_signature, lambda: [_signature(), _armored()]),
    "public-key": Target(_public_key, lambda: [b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA== olga"]),
    "note": Target(_note, lambda: [NOTE, TRACE]),
    "message": Target(_message, lambda: [b"Change\n\nbody\n\nAssisted-by: claude-code:opus\nProvenance-Id: 0197-x\n"]),
    "path": Target(_path, lambda: [b"infra/a b.tf"]),
    "diff": Target(_diff, lambda: [DIFF]),
    "commit": Target(_commit, lambda: [RAW_COMMIT]),
    "journal": Target(_journal, lambda: [JOURNAL]),
    "graphql": Target(_graphql, lambda: WHOLE),
    "hook": Target(_hook, lambda: _edits()),
    "stored-facts": Target(_stored_facts, lambda: WHOLE),
    "setup-answer": Target(_setup_answer, lambda: WHOLE),
    "settings-file": Target(_settings_file, lambda: [b'{"hooks": [1, -2.5e3, null], // why\n "a": {"b": "c"},}']),
    "export": Target(_export, lambda: [_exported()]),
    "log": Target(_log, lambda: [b"ghp_aaaa Authorization: Basic eC1hY2Nlc3M="]),
}  # fmt: skip

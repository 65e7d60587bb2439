"""Records once seen: what a later form can and cannot change."""

from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from support_record import COMMIT, HUMAN, RECORD, TREE
from support_ssh import SecurityKey

from foureyes.github_app.range import RawCommit
from foureyes.github_app.records import check, has_signature, read_published, refspec
from foureyes.github_app.seen import SeenRecord
from foureyes.shared import dsse
from foureyes.shared.canonical import sha256_hex
from foureyes.shared.facts import Named, RecordState
from foureyes.shared.manifest import NAMESPACE, Entry, Manifest, manifest_bytes
from foureyes.shared.people import Account, Identity
from foureyes.shared.record import Operator, Record, Reviewed, record_bytes
from foureyes.shared.record_ref import push_path, record_path, record_ref
from foureyes.shared.sshsig import PublishedKey, parse_public_key

KEY = SecurityKey(Ed25519PrivateKey.generate())
PUBLISHED = (PublishedKey(Account(1, "olga"), KEY.public, "sk-ssh-ed25519@openssh.com", "SHA256:x", None),)
COMMITTED = RawCommit(COMMIT, TREE, (), Identity("Olga", "o@x"), Identity("Olga", "o@x"), "m")


def form(record: Record, *, signed: bool) -> SeenRecord:
    body = record_bytes(record)
    payload = manifest_bytes(Manifest("", "refs/heads/f", (Entry(COMMIT, TREE, sha256_hex(body)),)))
    raw = KEY.sign(dsse.pae(dsse.PAYLOAD_TYPE, payload), NAMESPACE)
    signatures = (dsse.Signature("SHA256:x", raw),) if signed else ()
    return SeenRecord(body, (dsse.Envelope(dsse.PAYLOAD_TYPE, payload, signatures).to_json(),))


def test_no_record_is_missing() -> None:
    assert check(COMMITTED, (), PUBLISHED).fact.state is RecordState.MISSING


def test_G53_a_signed_ai_record_is_never_unsaid_whatever_the_order() -> None:
    ai, human = form(RECORD, signed=True), form(HUMAN, signed=True)
    for forms in ((ai, human), (human, ai), (ai,)):
        fact = check(COMMITTED, forms, PUBLISHED).fact
        assert (fact.state, fact.says) == (RecordState.SIGNED, "ai")
        assert fact.agents


def test_G53_an_unsigned_ai_record_taints_a_later_human_one() -> None:
    checked = check(COMMITTED, (form(RECORD, signed=False), form(HUMAN, signed=True)), PUBLISHED)
    assert checked.fact.state is RecordState.SIGNED
    assert {mark.agent for mark in checked.fact.agents} == {"claude-code", "codex"}
    assert not any(mark.evidence for mark in checked.fact.agents)


def test_G53_an_unsigned_ai_record_that_names_no_agent_taints_a_later_human_one_too() -> None:
    nameless = form(replace(HUMAN, cls="ai"), signed=False)
    fact = check(COMMITTED, (nameless, form(HUMAN, signed=True)), PUBLISHED).fact
    assert (fact.state, fact.says) == (RecordState.SIGNED, "human")
    assert [(mark.agent, mark.evidence) for mark in fact.agents] == [("unnamed-ai", False)]


def test_the_operator_of_a_replaced_form_is_kept() -> None:
    other = replace(HUMAN, operator=Operator("rita", "", "x"))
    checked = check(COMMITTED, (form(RECORD, signed=True), form(other, signed=True)), PUBLISHED)
    assert checked.fact.operator_claim == "olga"
    assert checked.also == (Named("operator", "rita"),)


def test_everyone_whom_a_replaced_form_named_is_kept_and_only_once() -> None:
    several = replace(
        HUMAN, operators=(Operator("olga"), Operator("rita")), reviews=(Reviewed("ben", "x", "", 1),)
    )
    checked = check(COMMITTED, (form(RECORD, signed=True), form(several, signed=True)), PUBLISHED)
    assert checked.fact.named == (Named("operator", "raj@example.com"), Named("reviewer", "ben"))
    assert checked.also == (Named("operator", "rita"),)


def test_a_signature_that_comes_later_settles_what_was_open() -> None:
    first = form(RECORD, signed=False)
    assert check(COMMITTED, (first,), PUBLISHED).fact.state is RecordState.UNSIGNED
    assert check(COMMITTED, (first, form(RECORD, signed=True)), PUBLISHED).fact.state is RecordState.SIGNED


def test_a_record_for_another_tree_does_not_outweigh_one_that_fits() -> None:
    forms = (form(RECORD, signed=False), form(replace(RECORD, tree="9" * 40), signed=True))
    assert check(COMMITTED, forms, PUBLISHED).fact.state is RecordState.UNSIGNED
    assert check(COMMITTED, forms[1:], PUBLISHED).fact.state is RecordState.MISMATCH


def test_keys_are_needed_only_where_something_is_signed() -> None:
    assert has_signature([form(RECORD, signed=True)])
    assert not has_signature([form(RECORD, signed=False), SeenRecord(b"x", (b"rubbish",))])


def test_the_refspec_is_a_pattern_of_the_hashed_name() -> None:
    source, _, target = refspec("a b:c*").removeprefix("+").partition(":")
    assert source == record_ref("a b:c*") + "*"
    assert target.endswith("*")


def test_the_key_of_these_tests_is_a_real_one() -> None:
    import base64

    line = "sk-ssh-ed25519@openssh.com " + base64.b64encode(KEY.public).decode()
    assert parse_public_key(line).blob == KEY.public


class Ref:
    """A record ref as the mirror shows it: path -> content."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files, self.fetched = files, list[str]()

    def refs(self, _prefix: str) -> dict[str, str]:
        return {"": "tip"}

    def entries(self, _tip: str) -> dict[bytes, tuple[str, str, str]]:
        return {path.encode(): ("100644", "blob", path) for path in self.files}

    def fetch_objects(self, wanted: list[str]) -> None:
        self.fetched += wanted

    def objects(self, wanted: list[str], _kind: str, *, cap: int) -> dict[str, bytes]:
        return {oid: self.files[oid] for oid in wanted}


def test_P25_records_of_commits_outside_the_pull_request_are_not_even_read() -> None:
    inside, outside, push = record_path(COMMIT), record_path("9" * 40), push_path(b"list")
    ref = Ref({inside: b"mine", outside: b"another's", push: b"list", "readme": b"x"})
    found = read_published(ref, "feat", {COMMIT})  # type: ignore[arg-type]
    assert found.records == {COMMIT: b"mine"}
    assert found.envelopes == (b"list",)
    assert sorted(ref.fetched) == sorted([inside, push])

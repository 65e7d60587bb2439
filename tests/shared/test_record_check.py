"""What of a record is a fact: signatures by real ssh-keygen, over the real list, against published keys."""

import hashlib
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from support_record import COMMIT, HUMAN, RECORD, TREE
from support_ssh import SecurityKey, make_key

from foureyes.shared import dsse
from foureyes.shared.agent_mark import UNNAMED
from foureyes.shared.canonical import canonical_bytes
from foureyes.shared.facts import AgentMark, RecordState
from foureyes.shared.manifest import NAMESPACE, Entry, Manifest, manifest_bytes
from foureyes.shared.people import Account
from foureyes.shared.record import Contributor, record_bytes, statement
from foureyes.shared.record_check import check_record
from foureyes.shared.sshsig import PublishedKey, fingerprint, parse_public_key

BYTES = record_bytes(RECORD)
OLGA, BEN = Account(11, "olga"), Account(12, "ben")


def listing(record: bytes = BYTES, commit: str = COMMIT, tree: str = TREE) -> bytes:
    digest = hashlib.sha256(record).hexdigest()
    others = Entry("9" * 40, "8" * 40, "7" * 64)
    return manifest_bytes(
        Manifest("github.com/acme/shop", "refs/heads/x", (Entry(commit, tree, digest), others))
    )


def envelope(payload: bytes, *signatures: bytes, kind: str = dsse.PAYLOAD_TYPE) -> bytes:
    return dsse.Envelope(kind, payload, tuple(dsse.Signature("SHA256:hint", s) for s in signatures)).to_json()


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Two people's key files."""
    return [make_key(tmp_path_factory.mktemp("keys"), name=name) for name in ("olga", "ben")]


def published(file, account=OLGA, at="2026-01-01T00:00:00Z"):
    key = parse_public_key(file.public_line)
    return PublishedKey(account, key.blob, key.kind, key.fingerprint, at)


def signed(file, payload: bytes, namespace: str = NAMESPACE) -> bytes:
    return envelope(payload, file.sign(dsse.pae(dsse.PAYLOAD_TYPE, payload), namespace))


def check(record, envelopes, keys=(), commit=COMMIT, tree=TREE):
    return check_record(record, envelopes, commit, tree, keys)


def test_no_record():
    assert check(None, [envelope(listing())]).state is RecordState.MISSING


def test_signed_by_a_published_key(keys):
    fact = check(BYTES, [signed(keys[0], listing())], [published(keys[1], BEN), published(keys[0])])
    assert (fact.state, fact.why, fact.says) == (RecordState.SIGNED, "", "ai")
    assert fact.signer.account == OLGA
    assert fact.signer.key == parse_public_key(keys[0].public_line).fingerprint
    assert (fact.signer.key_kind, fact.signer.present) == ("ssh-ed25519", False)
    assert fact.signer.published_at == "2026-01-01T00:00:00Z"
    assert fact.agents == (
        AgentMark("claude-code", "record", "opus", "s1", evidence=True),
        AgentMark("codex", "record", evidence=True),
    )
    assert (fact.operator, fact.operator_claim) == (None, "olga")


def test_listed_without_a_signature_or_not_listed_at_all(keys):
    mine = [published(keys[0])]
    assert check(BYTES, [envelope(listing())], mine).state is RecordState.UNSIGNED
    assert check(BYTES, [], mine).state is RecordState.UNSIGNED
    unsigned_and_older = envelope(listing(b"an older record"))
    assert check(BYTES, [unsigned_and_older], mine).state is RecordState.UNSIGNED
    elsewhere = signed(keys[0], listing(commit="1" * 40))
    assert check(BYTES, [elsewhere], mine).state is RecordState.UNSIGNED
    assert check(BYTES, [], mine).agents[0].evidence is False


def test_another_commit_or_tree_is_a_mismatch_even_if_signed(keys):
    good = signed(keys[0], listing())
    fact = check(BYTES, [good], [published(keys[0])], commit="1" * 40)
    assert (fact.state, fact.why, fact.signer) == (RecordState.MISMATCH, "it is for another commit", None)
    fact = check(BYTES, [good], [published(keys[0])], tree="1" * 40)
    assert (fact.state, fact.why) == (RecordState.MISMATCH, "it is for another tree")
    assert fact.operator_claim == "olga"


def test_a_list_for_another_tree_signs_nothing(keys):
    fact = check(BYTES, [signed(keys[0], listing(tree="1" * 40))], [published(keys[0])])
    assert (fact.state, fact.signer) == (RecordState.BAD_SIGNATURE, None)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda file, payload: signed(file, payload, namespace="git"), "another purpose"),
        (lambda file, payload: envelope(payload, file.sign(payload, NAMESPACE)), "not made by this key"),
        (
            lambda file, payload: envelope(payload, file.sign(dsse.pae("x", payload), NAMESPACE)),
            "not made by this key",
        ),
        (lambda file, payload: envelope(payload, b"junk"), "not an SSH signature"),
        (lambda file, payload: envelope(payload, b""), "not an SSH signature"),
    ],
)
def test_g44_bad_signatures(keys, make, why):
    fact = check(BYTES, [make(keys[0], listing())], [published(keys[0])])
    assert (fact.state, fact.signer) == (RecordState.BAD_SIGNATURE, None)
    assert why in fact.why
    assert not any(mark.evidence for mark in fact.agents)


def test_g44_a_key_that_nobody_concerned_publishes(keys):
    fact = check(BYTES, [signed(keys[0], listing())], [published(keys[1], BEN)])
    assert fact.state is RecordState.BAD_SIGNATURE
    assert "not published by anyone concerned" in fact.why


def test_a_record_changed_after_signing(keys):
    changed = record_bytes(replace(RECORD, cls="", agents=(), contributors=()))
    fact = check(changed, [signed(keys[0], listing())], [published(keys[0])])
    assert fact.state is RecordState.BAD_SIGNATURE
    assert "another record than this one" in fact.why


def test_a_list_changed_after_signing(keys):
    payload = listing(commit="1" * 40)
    signature = keys[0].sign(dsse.pae(dsse.PAYLOAD_TYPE, payload), NAMESPACE)
    fact = check(BYTES, [envelope(listing(), signature)], [published(keys[0])])
    assert fact.state is RecordState.BAD_SIGNATURE


def test_the_payload_type_is_fixed(keys):
    payload = listing()
    signature = keys[0].sign(dsse.pae("text/plain", payload), NAMESPACE)
    fact = check(BYTES, [envelope(payload, signature, kind="text/plain")], [published(keys[0])])
    assert fact.state is RecordState.UNSIGNED


def test_junk_and_bad_signatures_beside_a_good_one_do_no_harm(keys):
    payload = listing()
    bad = keys[0].sign(payload, NAMESPACE)
    good = keys[0].sign(dsse.pae(dsse.PAYLOAD_TYPE, payload), NAMESPACE)
    old = signed(keys[1], listing(b"an older record"))
    for envelopes in (
        [b"junk", b"{}", old, envelope(b"{}"), envelope(payload), envelope(payload, bad, good)],
        [envelope(payload, good, bad), envelope(payload, bad), old],
    ):
        fact = check(BYTES, envelopes, [published(keys[0])])
        assert (fact.state, fact.why) == (RecordState.SIGNED, "")


def test_no_order_changes_who_is_named_and_a_touch_comes_first(keys):
    touched = SecurityKey(Ed25519PrivateKey.from_private_bytes(b"\x07" * 32))
    late = PublishedKey(BEN, touched.public, "sk-ssh-ed25519@openssh.com", fingerprint(touched.public), None)
    payload = listing()
    by_olga = signed(keys[0], payload)
    by_ben = envelope(payload, touched.sign(dsse.pae(dsse.PAYLOAD_TYPE, payload), NAMESPACE))
    known = [published(keys[0]), late]
    for envelopes in ([by_olga, by_ben], [by_ben, by_olga]):
        for some in (known, known[::-1]):
            signer = check(BYTES, envelopes, some).signer
            assert (signer.account, signer.present, signer.published_at) == (BEN, True, None)
    untouched = envelope(payload, touched.sign(dsse.pae(dsse.PAYLOAD_TYPE, payload), NAMESPACE, flags=0))
    for envelopes in ([by_olga, untouched], [untouched, by_olga]):
        assert check(BYTES, envelopes, known).signer.account == OLGA


@pytest.mark.parametrize("data", [b"", b"junk", b"{}", BYTES.replace(b"record:v1", b"record:v2")])
def test_unreadable(data):
    fact = check(data, [envelope(listing(data))])
    assert fact.state is RecordState.UNREADABLE
    assert fact.why
    assert (fact.says, fact.agents, fact.operator_claim) == ("", (), "")


def test_human_and_naming_an_agent_is_not_human(keys):
    by_line = Contributor("a", "added", 1, 1, "ai", "codex", model="m")
    for record in (replace(HUMAN, agents=RECORD.agents), replace(HUMAN, contributors=(by_line,))):
        data = record_bytes(record)
        fact = check(data, [signed(keys[0], listing(data))], [published(keys[0])])
        assert (fact.state, fact.says, fact.why) == (
            RecordState.SIGNED,
            "ai",
            "it says human and names an agent",
        )
    data = record_bytes(HUMAN)
    fact = check(data, [signed(keys[0], listing(data))], [published(keys[0])])
    assert (fact.says, fact.agents) == ("human", ())


@pytest.mark.parametrize(
    ("part", "named"),
    [
        (Contributor("a", "added", 1, 1, "ai", ""), [UNNAMED]),
        (Contributor("a", "added", 1, 1, "human", "codex"), ["codex"]),
        (Contributor("a", "added", 1, 1, "human", ""), []),
    ],
)
def test_whoever_wrote_a_line_is_named_by_it_alone(part, named):
    """A class without a name, or a name without the class: a line that either says so is an agent's."""
    told = check(record_bytes(replace(HUMAN, contributors=(part,))), [])
    assert [mark.agent for mark in told.agents] == named
    assert told.says == ("ai" if named else "human")


def test_of_several_keys_the_one_published_first_is_named(keys):
    payload = listing()
    both = [signed(file, payload) for file in keys]
    early, late = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"
    for at, other, expected in (
        (early, late, OLGA),
        (late, early, BEN),
        (None, late, BEN),
        (late, None, OLGA),
    ):
        known = [published(keys[0], OLGA, at), published(keys[1], BEN, other)]
        for envelopes in (both, both[::-1]):
            assert check(BYTES, envelopes, known).signer.account == expected


def test_a_key_that_is_published_and_one_that_is_not_are_no_problem_together(keys):
    payload = listing()
    fact = check(BYTES, [signed(file, payload) for file in keys], [published(keys[0])])
    assert (fact.state, fact.why) == (RecordState.SIGNED, "")
    beside = check(BYTES, [envelope(payload), signed(keys[0], listing(b"another"))], [published(keys[0])])
    assert beside.state is RecordState.UNSIGNED, "an unsigned list names exactly this one"


def test_unlisted_fields_are_told_and_nothing_else_changes(keys):
    made = statement(RECORD)
    made["predicate"].update({f"new{at}": "x" for at in range(5)})
    data = canonical_bytes(made)
    fact = check(data, [signed(keys[0], listing(data))], [published(keys[0])])
    assert fact.state is RecordState.SIGNED
    assert fact.why == (
        "it has fields that this version does not know: predicate.new0, predicate.new1, predicate.new2, ..."
    )


def test_an_operator_without_a_login_is_claimed_by_address():
    data = record_bytes(replace(RECORD, operator=replace(RECORD.operator, claim="")))
    assert check(data, []).operator_claim == "olga@example.com"


def test_a_record_of_an_agents_work_that_names_no_agent_tells_of_one_all_the_same():
    data = record_bytes(replace(RECORD, agents=(), contributors=()))
    assert [mark.agent for mark in check(data, []).agents] == [UNNAMED]


def test_a_few_unlisted_fields_are_all_told():
    made = statement(RECORD)
    made["predicate"].update({f"new{at}": "x" for at in range(3)})
    told = check(canonical_bytes(made), []).why
    assert told.endswith("predicate.new0, predicate.new1, predicate.new2")

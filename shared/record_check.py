"""A commit's record against the envelopes of its pushes and the published keys: what of it is a fact."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from foureyes.shared import dsse, manifest, sshsig
from foureyes.shared.agent_mark import UNNAMED
from foureyes.shared.canonical import sha256_hex
from foureyes.shared.facts import AgentMark, Named, RecordFact, RecordState, Signer
from foureyes.shared.record import Operator, Record, RecordError, parse_record

_NAMED_IN_WHY = 3


@dataclass(frozen=True)
class _Listing:
    """One envelope that lists the commit."""

    envelope: dsse.Envelope
    exact: bool
    """It lists this very record for this very tree."""


def check_record(
    record: bytes | None,
    envelopes: Sequence[bytes],
    commit: str,
    tree: str,
    keys: Sequence[sshsig.PublishedKey],
) -> RecordFact:
    """What was found for `commit` with `tree`. `envelopes` are those of all pushes of the branch; `keys` are those
    that GitHub publishes for the accounts concerned. The operator stays a claim: resolving it needs GitHub.

    SIGNED needs a valid signature by one of `keys` over a list that names (commit, tree, digest of these bytes).
    An envelope that cannot be read is passed over: it can neither help nor harm.
    """
    if record is None:
        return RecordFact(RecordState.MISSING)
    try:
        parsed = parse_record(record)
    except RecordError as error:
        return RecordFact(RecordState.UNREADABLE, why=str(error))
    if (parsed.commit, parsed.tree) != (commit, tree):
        other = "another commit" if parsed.commit != commit else "another tree"
        return _fact(parsed, RecordState.MISMATCH, f"it is for {other}")
    entry = manifest.Entry(commit, tree, sha256_hex(record))
    listings = tuple(_listings(envelopes, entry))
    signers, problems = _signers(listings, keys)
    if signers:
        return _fact(parsed, RecordState.SIGNED, "", min(signers, key=_preference))
    if problems:
        return _fact(parsed, RecordState.BAD_SIGNATURE, problems[0])
    if any(listing.exact for listing in listings):
        return _fact(parsed, RecordState.UNSIGNED, "it was pushed without a signature")
    if listings:
        return _fact(
            parsed, RecordState.BAD_SIGNATURE, "another record than this one was signed for the commit"
        )
    return _fact(parsed, RecordState.UNSIGNED, "no push lists it")


def _listings(envelopes: Sequence[bytes], entry: manifest.Entry) -> Iterator[_Listing]:
    for data in envelopes:
        try:
            envelope = dsse.parse(data)
            if envelope.payload_type != dsse.PAYLOAD_TYPE:
                continue
            entries = manifest.parse_manifest(envelope.payload).entries
        except (dsse.EnvelopeError, manifest.ManifestError):
            continue
        if entry in entries:
            yield _Listing(envelope, exact=True)
        elif envelope.signatures and any(listed.commit == entry.commit for listed in entries):
            yield _Listing(envelope, exact=False)


def _signers(
    listings: Sequence[_Listing], keys: Sequence[sshsig.PublishedKey]
) -> tuple[list[Signer], list[str]]:
    """Who validly signed a list with exactly this record, and why the other signatures do not count."""
    published: dict[bytes, list[sshsig.PublishedKey]] = {}
    for key in keys:
        published.setdefault(key.blob, []).append(key)
    signers: list[Signer] = []
    problems: list[str] = []
    for listing in listings:
        if not listing.exact:
            continue
        message = dsse.pae(listing.envelope.payload_type, listing.envelope.payload)
        for signature in listing.envelope.signatures:
            try:
                signed = sshsig.verify(signature.sig, message, manifest.NAMESPACE)
            except sshsig.SshsigError as error:
                problems.append(f"the signature does not count: {error}")
                continue
            owners = published.get(signed.key_blob, [])
            if not owners:
                problems.append(f"key {signed.fingerprint} is not published by anyone concerned")
            signers += [
                Signer(key.account, signed.fingerprint, signed.key_kind, key.published_at, signed.present)
                for key in owners
            ]
    return signers, problems


def _preference(signer: Signer) -> tuple[bool, bool, str, int, str]:
    """A touch first, then the key that was published first: no order of arrival can change who is named."""
    at = signer.published_at
    return (not signer.present, at is None, at or "", signer.account.id, signer.key)


def _fact(record: Record, state: RecordState, why: str, signer: Signer | None = None) -> RecordFact:
    fact = RecordFact(
        state=state,
        why=why,
        says=record.cls,
        agents=_marks(record, evidence=state is RecordState.SIGNED),
        operator_claim=_claim(record.operator),
        named=_named(record),
        signer=signer,
    )
    notes = [why] if why else []
    if record.cls == "human" and fact.agents:
        # A record that names an agent is no witness of its absence, whatever it calls itself.
        fact = replace(fact, says="ai")
        notes.append("it says human and names an agent")
    if record.unlisted:
        names = ", ".join(record.unlisted[:_NAMED_IN_WHY])
        more = ", ..." if len(record.unlisted) > _NAMED_IN_WHY else ""
        notes.append(f"it has fields that this version does not know: {names[:200]}{more}")
    return replace(fact, why="; ".join(notes))


def _claim(operator: Operator) -> str:
    return operator.claim or operator.email


def _named(record: Record) -> tuple[Named, ...]:
    """Everyone besides the first operator, each once."""
    operators = [Named("operator", _claim(one)) for one in record.operators]
    reviewers = [Named("reviewer", one.account) for one in record.reviews]
    first = Named("operator", _claim(record.operator))
    return tuple(dict.fromkeys(one for one in (*operators, *reviewers) if one.claim and one != first))


def _marks(record: Record, *, evidence: bool) -> tuple[AgentMark, ...]:
    """Every agent the record names, in the list of agents or only as a contributor; each once. A record of class `ai`
    that names none still tells of one.
    """
    named = [(agent.id, agent.model, agent.session) for agent in record.agents]
    named += [
        (c.agent or UNNAMED, c.model, c.session) for c in record.contributors if c.cls == "ai" or c.agent
    ]
    if record.cls == "ai" and not named:
        named = [(UNNAMED, "", "")]
    return tuple(
        AgentMark(agent, "record", model=model, session=session, evidence=evidence)
        for agent, model, session in dict.fromkeys(named)
    )

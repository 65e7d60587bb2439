"""The change's part of an explanation: why it is gated, what it does, where to look, what would void approvals."""

from collections.abc import Iterator, Mapping

from foureyes.shared.case import Case, known
from foureyes.shared.classes import Class, CommitClass
from foureyes.shared.destruction import Place, common_directory, destruction
from foureyes.shared.explanation import WORDS
from foureyes.shared.facts import Change, Held, RecordState
from foureyes.shared.markup import both, code, count, in_words, share, short
from foureyes.shared.policy import SHORT_FORM_SYSTEM
from foureyes.shared.protection import Hit
from foureyes.shared.verdict import Reason, Verdict

_MOST = 20
_KINDS = {Class.AI: "agent-written change", Class.HUMAN: "human-written change"}


def why(case: Case, names: Mapping[str, str]) -> Iterator[str]:
    guarded = [hit for hit in case.protection.hits if hit.tier < 3]
    where = both([_hit(hit) for hit in guarded])
    missing = [c for c in case.classes if c.cls is Class.UNATTESTED]
    if not guarded:
        kind = _KINDS.get(case.cls, "change without a full record")
        yield f"{kind}; it touches no protected path, so nobody has to wait."
    elif case.exemption:
        fewer = case.exemption.approvals
        people = f"{in_words(fewer).capitalize()} {'human is' if fewer == 1 else 'humans are'}"
        yield f"change to {where}. {people} enough: {case.exemption.text}."
    elif missing:
        of = share(len(missing), len(case.classes), "commit").replace("its only", "the only")
        told = f"{of} to {where} {_lack(case, missing)} like agent-written ones."
        yield f"{told} {_RULE} {_evidence(case, names)}".rstrip()
    elif not case.classes:
        yield f"change to {where}, made of git's own merges alone: nobody says who wrote it."
    else:
        yield f"{_KINDS[case.cls]} to {where}. {_evidence(case, names)}"
    if destruction(known(case.facts.changes)) is None:
        yield f"Size: {_size(known(case.facts.changes))}, counted by git, base against merge result."


_RULE = "This is a rule, not a suspicion."


def _lack(case: Case, missing: list[CommitClass]) -> str:
    """A signed record can leave open who wrote it: it is a record, and no class."""
    one = len(missing) == 1
    so = f"and so {'counts' if one else 'count'}"
    if without_record(case):
        return f"{'has' if one else 'have'} no valid record {so}"
    return f"{'has a record that does' if one else 'have records that do'} not settle who wrote it {so}"


def without_record(case: Case) -> tuple[CommitClass, ...]:
    """Commits that are worth no class for want of a record: what a signed record leaves open is another matter."""
    signed = {c.oid for c in known(case.facts.commits) if c.record.state is RecordState.SIGNED}
    return tuple(c for c in case.classes if c.cls is Class.UNATTESTED and c.commit not in signed)


def destroys(case: Case) -> Iterator[str]:
    """Only where it is much."""
    found = destruction(known(case.facts.changes))
    if found is None:
        return
    where = both([_place(place) for place in found.largest if place.directory])
    whole = f"{count(found.files, 'whole file')}{_share(found.files, case.facts.held)}"
    gone = f"{count(found.lines, 'line')}{f' and {whole}' if found.files else ''}"
    yield f"{gone}; adds {count(found.added, 'line')}. Counted by git, base against merge result."
    if where:
        yield f"most of it: {where}"
    if found.tests:
        yield f"{count(found.tests, 'test file')} among them, by their names"
    yield "not used as evidence: what the description, comments, logs or plans say about it, or who agreed"


def _share(files: int, held: Held | None) -> str:
    """` (62 % of `services/checkout/`)`, never more than is so; empty where it is not known."""
    if held is None or not 0 < files <= held.files:
        return ""
    where = code(held.directory) if held.directory else ""
    if files == held.files:
        return f" (all of {where or 'the repository'})"
    percent = 100 * files // held.files
    return f" ({f'{percent} %' if percent else 'under 1 %'} of {where or 'all files'})"


def destroyed(case: Case) -> str:
    """`28,745 lines in 340 files`; empty where it is not much."""
    found = destruction(known(case.facts.changes))
    if found is None:
        return ""
    lines = count(found.lines, "line")
    return f"{lines} in {count(found.files, 'file')}" if found.files else lines


def _place(place: Place) -> str:
    files = f" in {count(place.files, 'file')}" if place.files else ""
    return f"{code(place.directory)} {count(place.lines, 'line')}{files}"


def _hit(hit: Hit) -> str:
    """`infra` (3 files, tier 1: `infra/main.tf` …); the short form's has no name, and its paths have a directory."""
    where = common_directory(hit.paths)
    if hit.system == SHORT_FORM_SYSTEM and where:
        return f"{code(where)} ({count(len(hit.paths), 'file')}, tier {hit.tier})"
    more = " …" if len(hit.paths) > 1 else ""
    name = _named(hit.system)
    return f"{name} ({count(len(hit.paths), 'file')}, tier {hit.tier}: {code(hit.paths[0])}{more})"


def _named(system: str) -> str:
    """The short form's system has no name of its own, nor has a floor's."""
    own, of, organisation = system.partition(" of the ")
    return f"protected paths{of}{organisation}" if own == SHORT_FORM_SYSTEM else code(system)


def _evidence(case: Case, names: Mapping[str, str]) -> str:
    recorded = [c for c in case.classes if c.cls is Class.AI]
    if recorded:
        agents = sorted({names.get(mark.agent, mark.agent) for c in recorded for mark in c.agents})
        return f"Evidence of {both(agents) or 'an agent'}: {both(sorted({c.why for c in recorded}))}."
    by_hand = both(sorted({c.why for c in case.classes if c.cls is Class.HUMAN}))
    return f"Evidence: {by_hand}." if by_hand and case.cls is Class.HUMAN else ""


def _size(changes: tuple[Change, ...]) -> str:
    added, deleted = sum(c.added for c in changes), sum(c.deleted for c in changes)
    gone = sum(c.status == "D" for c in changes)
    text = f"{count(len(changes), 'file')}, +{added:,} −{deleted:,} lines"
    return f"{text}, deletes {count(gone, 'file')}" if gone else text


def no_record(case: Case) -> Iterator[str]:
    """Of all commits that lack the same for the same person's sake one is named."""
    if not case.cell(Class.UNATTESTED) or case.exemption:
        return
    authors = {c.oid: c.author for c in known(case.facts.commits)}
    alike: dict[str, list[str]] = {}
    for commit in case.classes:
        if commit.cls is Class.UNATTESTED:
            account = authors[commit.commit].account
            who = account.handle if account else code(authors[commit.commit].identity.email)
            alike.setdefault(f"{who}: {commit.why}", []).append(commit.commit)
    for said, oids in list(alike.items())[:_MOST]:
        more = f" and {len(oids) - 1} more," if len(oids) > 1 else ""
        yield f"{short(oids[0])}{more} {said}"
    if len(alike) > _MOST:
        yield f"and {len(alike) - _MOST} more"


def voids(case: Case) -> str:
    match case.stale:
        case "head":
            return "any new commit other than *Update branch* without conflicts."
        case "protected":
            return "new content in the protected files. Other files and *Update branch* without conflicts do not."
        case _:
            return "new content in any file of this change. *Update branch* without conflicts does not."


def where_to_look(case: Case) -> Iterator[str]:
    """Deletions, then modes, then the rest by size; protected files only. Where there are many, whole directories."""
    guarded = case.protection.paths
    changes = [c for c in known(case.facts.changes) if c.path in guarded]
    lines = list(
        _by_directory(changes) if len(changes) > _MOST else map(_change_line, sorted(changes, key=_urgency))
    )
    yield from lines[:_MOST]
    if len(lines) > _MOST:
        yield f"and {len(lines) - _MOST} more"
    net = {change.path for change in changes}
    for path in sorted(guarded - net)[:_MOST]:
        yield f"{code(path)}: changed by a commit and changed back; look at the single commits"


def _by_directory(changes: list[Change]) -> Iterator[str]:
    """What is deleted in one directory is one line, the most lines first; then the files that stay."""
    gone: dict[str, list[Change]] = {}
    for change in changes:
        if change.status == "D":
            gone.setdefault(change.path.rpartition("/")[0] + "/", []).append(change)
    for directory, deleted in sorted(
        gone.items(), key=lambda item: (-sum(c.deleted for c in item[1]), item[0])
    ):
        if len(deleted) == 1:
            yield _change_line(deleted[0])
        else:
            lines = sum(change.deleted for change in deleted)
            yield f"{code(directory)}: {count(len(deleted), 'file')} deleted, −{lines:,}"
    yield from map(_change_line, sorted((c for c in changes if c.status != "D"), key=_urgency))


def _urgency(change: Change) -> tuple[int, int, str]:
    rank = {"D": 0, "T": 1}.get(change.status, 2 if change.old_mode == change.new_mode else 1)
    return (rank, -(change.deleted + change.added), change.path)


def _change_line(change: Change) -> str:
    what = {"A": "new", "D": "deleted", "T": "another kind of entry"}.get(change.status, "changed")
    if change.status == "M" and change.old_mode != change.new_mode:
        what = f"mode {change.old_mode} → {change.new_mode}"
    size = "binary" if change.binary else f"+{change.added:,} −{change.deleted:,}"
    return f"{code(change.path)}: {what}, {size}"


def rules(verdict: Verdict) -> Iterator[str]:
    for part in verdict.children:
        lines = "; ".join(dict.fromkeys(reason_line(reason) for reason in part.reasons[:3]))
        more = f"; and {len(part.reasons) - 3} more" if len(part.reasons) > 3 else ""
        yield f"`{part.rule}` {WORDS[part.outcome]}: {lines}{more}"


def reason_line(reason: Reason) -> str:
    if not reason.subject or reason.code in _SAYS_WHOM:
        return reason.text
    return f"{_subject(reason)}{' ' if reason.code in _DEEDS else ': '}{reason.text}"


_SAYS_WHOM = {"unknown-fact", "unknown-person", "automation", "pure-revert"}
"""Reasons whose text names what they are about."""
_DEEDS = {"counts", "changes-requested"}
"""Reasons whose text goes on from who did it."""


def _subject(reason: Reason) -> str:
    if reason.code in ("no-record", "claimed", "agent-written"):
        return short(reason.subject)
    return reason.subject if reason.subject.startswith("@") else code(reason.subject)


def commits(case: Case, names: Mapping[str, str]) -> Iterator[str]:
    classes = {c.commit: c for c in case.classes}
    everything = known(case.facts.commits)
    for commit in everything[:_MOST]:
        cls = classes.get(commit.oid)
        yield f"{short(commit.oid)} {_class_text(cls, names) if cls else 'merge that git made by itself'}"
    if len(everything) > _MOST:
        yield f"and {len(everything) - _MOST} more"


def _class_text(cls: CommitClass, names: Mapping[str, str]) -> str:
    agents = both(sorted({names.get(m.agent, m.agent) for m in cls.agents}))
    word = {Class.AI: "ai", Class.HUMAN: "human"}.get(cls.cls, "ai (claimed)" if cls.claimed else "no record")
    who = f"{word}{f' by {agents}' if agents else ''}"
    return cls.why if cls.why.startswith(who) else f"{who}: {cls.why}"

"""Alerts in words: what happened, what was missing, what to do now."""

from foureyes.github_app.alerts import Alert, Kind
from foureyes.github_app.landed import Moved
from foureyes.github_app.landing import Landing, missing_humans
from foureyes.github_app.pull_query import Ground
from foureyes.shared.evaluate import Judgement
from foureyes.shared.explain_work import reason_line
from foureyes.shared.explanation import WORDS, fitted
from foureyes.shared.markup import both, code, count, either, short
from foureyes.shared.protection import Protection

SHOWN_PATHS = 10


def of_landing(ground: Ground, ref: str, step: Landing, moved: Moved, hit: Protection) -> Alert:
    """For a step that no Pass let in. It is grave if it touches what somebody waits for."""
    branch = ref.removeprefix("refs/heads/")
    title, parts = _WRITERS[Kind(step.finding)](step, moved, branch)
    parts += [_protected(hit), _now(step, hit, ground.repository.slug)]
    if step.made is not None:
        parts.append(f"Decision `{step.made.id}` has what was known: `foureyes replay {step.made.id}`.")
    return Alert(
        repository_id=ground.repository.id,
        slug=ground.repository.slug,
        kind=step.finding,
        ref=ref,
        commit=step.after,
        title=fitted(f"Alert: {title}"),
        text="\n\n".join(part for part in parts if part),
        grave=bool(hit.paths),
        pull=step.source.pull if step.source else None,
        decision=step.made.id if step.made else "",
    )


def of_force(ground: Ground, ref: str, moved: Moved, lost: int | None) -> Alert:
    branch = ref.removeprefix("refs/heads/")
    many = count(lost, "commit") if lost is not None else "commits"
    parts = [
        f"**What happened:** {_who(moved)} force-pushed {code(branch)} from {short(moved.before)} to "
        f"{short(moved.after)}; {many} that had landed are no longer on it.",
        "**Now:** an admin says why, or brings them back: "
        f"`git push origin +{moved.before}:{ref}`. `foureyes doctor {ground.repository.slug}` shows the rule that "
        "forbids force-pushes.",
    ]
    return Alert(
        repository_id=ground.repository.id,
        slug=ground.repository.slug,
        kind=Kind.FORCED,
        ref=ref,
        commit=moved.after,
        title=fitted(f"Alert: {branch} was force-pushed, {many} gone"),
        text="\n\n".join(parts),
        grave=True,
    )


def of_record(slug: str, repository_id: int, branch: str, commit: str, problem: str) -> Alert:
    """`problem` completes "the record of <commit> ..."."""
    parts = [
        f"**What happened:** the record of {short(commit)} {problem} on the record ref of {code(branch)}. The verdict "
        "is unchanged: what was seen once is kept, and the stricter holds.",
        "**Now:** nothing has to be done for the gate. Whoever pushes to this branch can say why the record changed.",
    ]
    return Alert(
        repository_id=repository_id,
        slug=slug,
        kind=Kind.RECORD,
        ref=f"refs/heads/{branch}",
        commit=commit,
        title=fitted(f"Alert: the record of {commit[:7]} {problem}"),
        text="\n\n".join(parts),
        grave=True,
    )


def of_retrospective(ground: Ground, ref: str, step: Landing) -> Alert | None:
    """For a pure revert that landed; None for any other step."""
    judgement = step.judgement
    exempt = judgement.case.exemption if judgement is not None and judgement.complete else None
    if judgement is None or step.made is None or exempt is None or exempt.code != "pure-revert":
        return None
    branch = ref.removeprefix("refs/heads/")
    approved = both([account.handle for account in judgement.case.approvals.counted])
    parts = [
        f"**What happened:** #{step.made.pull} took {exempt.subject} back from {code(branch)}, blob for blob, with the "
        f"approval of {approved} alone.",
        "**Now:** the people of both look at it together: what was wrong, what would have shown it before, and whether "
        "anything was done in between that a revert does not undo.",
        f"Decision `{step.made.id}` has what was known: `foureyes replay {step.made.id}`.",
    ]
    return Alert(
        repository_id=ground.repository.id,
        slug=ground.repository.slug,
        kind=Kind.RETROSPECTIVE,
        ref=ref,
        commit=step.after,
        title=fitted(f"Retrospective: #{step.made.pull} took {exempt.subject} back"),
        text="\n\n".join(parts),
        grave=False,
        pull=step.made.pull,
        decision=step.made.id,
    )


def _bypass(step: Landing, moved: Moved, branch: str) -> tuple[str, list[str]]:
    number = f"#{step.source.pull}" if step.source and step.source.pull else "a pull request"
    if step.made is None:
        text = f"**What happened:** {_who(moved)} merged {number} into {code(branch)} before foureyes had judged it."
        return f"{number} was merged before it was judged", [text]
    text = (
        f"**What happened:** {_who(moved)} merged {number} into {code(branch)} although it did not pass. "
        f"The check said: {code(step.made.title)}."
    )
    if step.judgement is None:
        return f"{number} was merged and had not passed", [text]
    missing, needed = missing_humans(step.judgement)
    if missing:
        title = f"{number} merged without {missing} of {needed} approvals"
    else:
        title = f"{number} was merged while {WORDS[step.judgement.verdict.outcome].lower()}"
    return title, [text, *_people(step.judgement), *_reasons(step.judgement)]


def _mismatch(step: Landing, moved: Moved, branch: str) -> tuple[str, list[str]]:
    number = f"#{step.source.pull}" if step.source and step.source.pull else "a pull request"
    text = (
        f"**What happened:** {_who(moved)} brought {short(step.after)} onto {code(branch)} as {number}, but it is "
        "not what was approved there: "
    )
    if step.judgement is None:
        text += "it is not the merge of that pull request's head into the branch as it was, or more commits came along."
        return f"what landed as {number} is not what was judged", [text]
    text += "the branch had moved, and on what came out of the merge the approvals do not stand."
    return f"what landed as {number} was not approved", [
        text,
        *_people(step.judgement),
        *_reasons(step.judgement),
    ]


def _direct(step: Landing, moved: Moved, branch: str) -> tuple[str, list[str]]:
    text = (
        f"**What happened:** {_who(moved)} brought {short(step.before)}..{short(step.after)} onto {code(branch)} "
        "without a pull request, so nobody was asked."
    )
    return f"pushed to {branch} without a pull request", [text]


_WRITERS = {Kind.BYPASS: _bypass, Kind.MISMATCH: _mismatch, Kind.DIRECT: _direct}
LANDINGS = frozenset(_WRITERS)
"""Findings about a step that are alerts."""


def _people(judgement: Judgement) -> list[str]:
    missing, needed = missing_humans(judgement)
    if not missing:
        return []
    case = judgement.case
    counted = both([account.handle for account in case.approvals.counted]) or "nobody"
    able = either([account.handle for account in case.approvals.candidates])
    could = f" It could have been {able}." if able else ""
    return [f"**Missing approvals:** {missing} of {needed}. Counted: {counted}.{could}"]


def _reasons(judgement: Judgement) -> list[str]:
    refusals = [r for part in judgement.verdict.children if not part for r in part.reasons]
    said = dict.fromkeys(reason_line(reason) for reason in refusals if reason.code != "counts")
    return ["**Why it did not pass:** " + "; ".join(list(said)[:5]) + "."] if said else []


def _protected(hit: Protection) -> str:
    lines = [
        f"{code(found.system)} (tier {found.tier}): "
        + both([code(path) for path in found.paths], most=SHOWN_PATHS)
        for found in hit.hits
        if found.tier < 3
    ]
    return "**Protected paths in it:** " + "; ".join(lines) if lines else "It touches no protected path."


def _now(step: Landing, hit: Protection, slug: str) -> str:
    if not hit.paths:
        return "**Now:** nothing has to be done; it is kept so that it can be found."
    return (
        f"**Now:** two people who did not make it look at {short(step.before)}..{short(step.after)}, or it is reverted "
        f"by a pull request. Who may bypass the rules: `foureyes doctor {slug}`."
    )


def _who(moved: Moved) -> str:
    return f"@{moved.login}" if moved.login else "someone whom nobody saw"

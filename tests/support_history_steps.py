"""Histories from bytes, so that hypothesis makes them quickly and shortens those that show something."""

import os
from collections.abc import Callable, Iterator
from typing import TypeVar

from hypothesis import strategies as st
from support_history import (
    AGENT,
    BASE,
    BEFORE_IT_LANDED,
    BOTS,
    COPILOT,
    NOBODY,
    OTHER_NOBODY,
    PATHS,
    PEOPLE,
    RENOVATE,
    Commit,
    History,
    Paper,
    Setting,
)

T = TypeVar("T")

IS_LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
scripts = st.binary(min_size=60, max_size=400 if IS_LONG else 200)
"""A history each, of some 20 steps."""

_USUAL = (1, 1, 1, 1, 1, 1, 6, 6, 6)
"""Mostly the same two: otherwise everybody is tied to the change before long, and nothing could pass."""
_AUTHORS = (*_USUAL, *_USUAL, *PEOPLE, *BOTS, NOBODY, OTHER_NOBODY, AGENT)
_PUSHERS = (*_USUAL, *_USUAL, *PEOPLE, *BOTS)
_OPENERS = (*_USUAL, *_USUAL, 2, 8, RENOVATE, RENOVATE, RENOVATE, COPILOT, None)
_SEEN = (*["named"] * 8, "unnamed", "lost")
_SETTINGS = (
    Setting(), Setting(), Setting(), Setting("protected"), Setting("head"), Setting(squash_only=True),
    Setting(trust=True), Setting(forbid=True), Setting(floor=True), Setting("protected", floor=True), Setting(tells_before=False),
)  # fmt: skip


class Script:
    """Bytes as a row of choices; at the end of it the first of each."""

    def __init__(self, told: bytes) -> None:
        self._rest, self._left = iter(told), len(told)

    def __bool__(self) -> bool:
        return self._left > 0

    def of(self, *options: T) -> T:
        self._left -= 1
        return options[next(self._rest, 0) % len(options)]


def play(told: bytes) -> Iterator[History]:
    """The history after its beginning and after each step: always the same object."""
    script = Script(told)
    history = _begin(script)
    yield history
    while script:
        script.of(*_STEPS)(history, script)
        yield history


def _begin(script: Script) -> History:
    history = History(script.of(*_SETTINGS), script.of(*_OPENERS))
    if history.opener == RENOVATE:
        _renovate(history, script)
    else:
        script.of(*[_push] * 6, _push_by_hand, _push_by_hand, _what_landed)(history, script)
    return history


def _renovate(history: History, script: Script) -> None:
    """An App's own work, as GitHub verifies it."""
    history.files["infra/lock"] = script.of(1, 2)
    made = Commit(
        history.oid(), _top(history), RENOVATE, RENOVATE, by_github=True, touches=frozenset({"infra/lock"})
    )
    history.commit(made, RENOVATE)


def _what_landed(history: History, script: Script) -> None:
    """From a gated branch into another: others' commits, each let in by a stored pass."""
    for author in (script.of(*PEOPLE), script.of(*PEOPLE)):
        history.files["infra/a"] = script.of(1, 2)
        made = Commit(
            history.oid(), _top(history), author, author, landed=True, touches=frozenset({"infra/a"})
        )
        history.commit(made, script.of(*PEOPLE), seen=script.of(*_SEEN))


def _top(history: History) -> tuple[str, ...]:
    return (history.head if history.commits else BASE,)


def _made(history: History, script: Script, *parents: str, path: str = "") -> Commit:
    path = path or script.of("infra/a", "infra/a", "infra/a", *PATHS)
    author = script.of(*_AUTHORS)
    helpers = script.of((), (), (), (script.of(*_AUTHORS),), (script.of(*_AUTHORS), script.of(*_AUTHORS)))
    committer = script.of(author, author, author, script.of(*_AUTHORS))
    return Commit(
        history.oid(), parents or _top(history), author, committer, helpers, _paper(script, author),
        claims_agent=script.of(False, False, False, True), touches=frozenset({path}),
    )  # fmt: skip


def _paper(script: Script, author: int) -> Paper | None:
    state = script.of(
        "missing", "missing", "signed", "signed", "signed", "unsigned", "mismatch", "bad signature"
    )
    if state == "missing":
        return None
    says = script.of("ai", "ai", "human", "human", "")
    operator = script.of(author, author, *PEOPLE, NOBODY, OTHER_NOBODY, None)
    signer = None
    if state == "signed":
        signer = script.of(author if author > 0 else 1, operator or 1, *PEOPLE)
        signer = signer if signer in PEOPLE else 1
    operator = None if operator == AGENT or operator in BOTS else operator
    return Paper(state, says, operator, signer, script.of(True, True, False))


def _write(history: History, script: Script, commit: Commit) -> None:
    for path in commit.touches:
        history.files[path] = script.of(1, 2, 0, BEFORE_IT_LANDED)


def _push(history: History, script: Script) -> None:
    made = _made(history, script)
    _write(history, script, made)
    history.commit(made, script.of(*_PUSHERS), seen=script.of(*_SEEN))


def _push_by_hand(history: History, script: Script) -> None:
    """By the opener, who wrote it alone and touched a key for it."""
    who = history.opener if history.opener in PEOPLE else 1
    paper = Paper("signed", "human", script.of(None, who), who, touched=True)
    path = script.of("infra/a", *PATHS)
    made = Commit(history.oid(), _top(history), who, who, paper=paper, touches=frozenset({path}))
    _write(history, script, made)
    history.commit(made, who, seen=script.of(*_SEEN))


def _force_push(history: History, script: Script) -> None:
    made = _made(history, script, BASE)
    history.files.clear()
    _write(history, script, made)
    history.force_push(made, script.of(*_PUSHERS), seen=script.of(*_SEEN))


def _take_back_what_landed(history: History, script: Script) -> None:
    made = _made(history, script, BASE, path="infra/a")
    history.files = {"infra/a": BEFORE_IT_LANDED}
    history.force_push(made, script.of(*_PUSHERS), seen=script.of(*_SEEN))


def _rebase(history: History, script: Script) -> None:
    history.rebase(script.of(*_PUSHERS), seen=script.of(*_SEEN))


def _update_branch(history: History, script: Script) -> None:
    who = script.of(*PEOPLE)
    made = Commit(
        history.oid(), (history.head, BASE), who, who, by_github=script.of(True, True, False), is_update=True,
        is_mechanical=True,
    )  # fmt: skip
    history.commit(made, who, seen=script.of(*_SEEN))


def _bring_a_merge_along(history: History, script: Script) -> None:
    """Work of one's own below a merge that GitHub made on another branch."""
    who = script.of(*PEOPLE)
    side = _made(history, script)
    _write(history, script, side)
    made = Commit(
        history.oid(),
        (side.oid, BASE),
        who,
        who,
        by_github=script.of(True, False),
        is_update=True,
        is_mechanical=True,
    )
    history.bring((side, made), who, seen=script.of(*_SEEN))


def _merge_a_side_branch(history: History, script: Script) -> None:
    who, parent = script.of(*_PUSHERS), history.head
    side = _made(history, script, BASE)
    _write(history, script, side)
    made = Commit(history.oid(), (parent, side.oid), who if who > 0 else 1, who, is_mechanical=True)
    history.bring((side, made), who, seen=script.of(*_SEEN))


def _do_and_undo(history: History, script: Script) -> None:
    """Two commits that leave the change as it was."""
    path = script.of(*PATHS)
    one = _made(history, script, path=path)
    two = _made(history, script, one.oid, path=path)
    history.bring((one, two), script.of(*_PUSHERS), seen=script.of(*_SEEN))


def _move_base(history: History, script: Script) -> None:
    history.move_base(script.of(*PATHS))


def _retarget(history: History, _script: Script) -> None:
    history.retarget()


def _approve(history: History, script: Script) -> None:
    history.say(script.of(*PEOPLE, *BOTS), "APPROVED", witnessed=script.of(True, True, True, False))


def _all_approve(history: History, script: Script) -> None:
    """Often enough, so that much of what follows begins with a pass."""
    witnessed = script.of(True, True, True, False)
    for who in script.of((2, 3), (4, 5), (2, 3, 4), (2, 3, 4, 5), (2, 3, 4, 5, 7), PEOPLE, PEOPLE):
        history.say(who, "APPROVED", witnessed=witnessed)


def _ask_for_changes(history: History, script: Script) -> None:
    history.say(script.of(*PEOPLE), "CHANGES_REQUESTED")


def _dismiss(history: History, script: Script) -> None:
    if history.opinions:
        history.dismiss(script.of(*reversed(history.opinions)), script.of(*PEOPLE, *BOTS))


def _all_lift(history: History, _script: Script) -> None:
    for opinion in list(history.opinions):
        if opinion.state == "CHANGES_REQUESTED" or opinion.was == "CHANGES_REQUESTED":
            history.say(opinion.who, "APPROVED")


def _team(history: History, script: Script) -> None:
    who = script.of(*PEOPLE)
    history.team ^= {who}
    history.told.append(f"{who} {'joins' if who in history.team else 'leaves'} the team")


def _access(history: History, script: Script) -> None:
    who = script.of(*PEOPLE)
    history.writers ^= {who}
    history.told.append(f"{who} {'gets' if who in history.writers else 'loses'} write access")


def _publish_late(history: History, script: Script) -> None:
    commit = script.of(*history.commits)
    commit.paper = _paper(script, commit.author) or commit.paper
    history.told.append(f"now {commit}")


def _lose_a_record(history: History, script: Script) -> None:
    """Before the App saw it."""
    commit = script.of(*history.commits)
    commit.paper = None
    history.told.append(f"no record of {commit.oid}")


def _involve(history: History, script: Script) -> None:
    history.involve(
        script.of(4, 5, *PEOPLE, *BOTS), script.of("assigner", "requester", "prompter", "prompter")
    )


def _draft(history: History, script: Script) -> None:
    history.is_draft = script.of(False, False, True)
    history.is_open = script.of(True, True, False)
    history.told.append(f"draft: {history.is_draft}, open: {history.is_open}")


_STEPS: tuple[Callable[[History, Script], None], ...] = (
    _all_approve, _all_approve, _all_approve, _all_approve, _approve, _push, _push, _push, _push_by_hand, _force_push, _rebase,
    _take_back_what_landed, _update_branch, _update_branch, _bring_a_merge_along, _merge_a_side_branch, _do_and_undo,
    _move_base, _retarget, _ask_for_changes, _ask_for_changes, _dismiss, _dismiss, _all_lift, _all_lift, _team,
    _access, _publish_late, _lose_a_record, _involve, _involve, _draft,
)  # fmt: skip

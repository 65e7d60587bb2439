"""Whether a history may pass, counted by hand from the definitions (design, sections 1, 2 and 5).

Nothing of the product is imported here. `may_pass` says what ought to follow from what the App knows, `is_safe` looks
at what really happened, which the App does not know: who pushed unseen, whose address it is, who is behind a bot.
"""

from collections.abc import Iterator
from itertools import pairwise

from support_history import (
    AGENT,
    BEFORE_IT_LANDED,
    BEHIND,
    BOTS,
    MACHINE,
    NOBODY,
    OTHER_NOBODY,
    OWNERS,
    PEOPLE,
    RENOVATE,
    SECOND_ACCOUNTS,
    TEAM,
    Commit,
    History,
    Opinion,
    Pushed,
)

TIERS = {"infra/a": 1, "infra/lock": 1, "pay/a": 0, "watch/a": 2, ".github/foureyes.yml": 0}
CELLS = {
    0: {"ai": 2, "none": 2, "human": 1},
    1: {"ai": 2, "none": 2, "human": 1},
    2: {"ai": 1, "none": 1, "human": 0},
}
FLOOR_NONE_1 = 3
SENIORS = TEAM - {5}


def person(account: int) -> int:
    return SECOND_ACCOUNTS.get(account, account)


# what is needed


def tiers(h: History) -> set[int]:
    found = {TIERS[path] for path in guarded(h)}
    return found | ({1} if h.setting.floor and "watch/a" in guarded(h) else set())


def guarded(h: History) -> set[str]:
    paths = {path for path, _old, _new in h.net()}
    if not h.setting.squash_only:
        paths |= {path for commit in h.commits for path in commit.touches}
    return paths & TIERS.keys()


def class_of(h: History, commit: Commit) -> str:
    paper = commit.paper
    if paper is None or paper.state != "signed":
        return "none"
    if paper.says == "ai":
        return "ai"
    named = commit.claims_agent or AGENT in (commit.author, commit.committer, *commit.co_authors)
    pushed = commit.author in {p.who for p in h.pushes if p.seen == "named"}
    own = commit.author in PEOPLE and paper.signer == commit.author
    present = paper.touched or (h.setting.trust and not h.setting.floor)
    return "human" if paper.says == "human" and not named and pushed and own and present else "none"


def change_class(h: History) -> str:
    found = {class_of(h, commit) for commit in h.commits if not commit.is_mechanical}
    return "none" if "none" in found or not found else "ai" if "ai" in found else "human"


def base_number(h: History, cls: str) -> int:
    cells = dict(CELLS)
    if h.setting.floor:
        cells[1] = {**cells[1], "none": FLOOR_NONE_1}
    number = max((cells[tier][cls] for tier in tiers(h)), default=0)
    return min(number, 1) if is_apps_own(h) or takes_back_what_landed(h) else number


def needed(h: History) -> int:
    number = base_number(h, change_class(h))
    return number + len(unknown(h)) if number else 0


def is_apps_own(h: History) -> bool:
    known = [p for p in h.pushes if p.seen != "lost"]
    paths = {path for path, _old, _new in h.net()} | {path for c in h.commits for path in c.touches}
    return (
        h.opener == RENOVATE
        and not h.setting.floor
        and all(p.who == RENOVATE and p.seen == "named" for p in known)
        and h.head in {p.head for p in known}
        and all(c.author == RENOVATE and c.by_github for c in h.commits)
        and all(set(c.co_authors) <= {RENOVATE} and not names_agent(c) for c in h.commits)
        and paths == {"infra/lock"}
    )


def names_agent(commit: Commit) -> bool:
    return commit.claims_agent or (commit.paper is not None and commit.paper.says == "ai")


def takes_back_what_landed(h: History) -> bool:
    if h.net() != (("infra/a", 0, BEFORE_IT_LANDED),):
        return False
    made = [c for c in h.commits if not c.is_update]
    squash = h.setting.squash_only and not h.setting.floor
    return squash or (len(made) == 1 and all(c.touches <= {"infra/a"} for c in h.commits))


# who is tied, who is not known


def held(h: History, head: str) -> list[Commit]:
    here = {c.oid: c for c in h.commits}
    found: dict[str, Commit] = {}
    if head in here:
        found[head] = here[head]
        for parent in here[head].parents:
            found |= {c.oid: c for c in held(h, parent)}
    return list(found.values())


def is_landed_only(h: History, head: str) -> bool:
    below = held(h, head)
    return any(c.landed for c in below) and all(c.landed or c.is_update for c in below)


def is_update_only(h: History, push: Pushed) -> bool:
    """It brought a merge of the base into the head that was there, and nothing else."""
    commit = next((c for c in h.commits if c.oid == push.head), None)
    if commit is None or not commit.is_update:
        return False
    if h.setting.tells_before and push.before:
        return push.before == commit.parents[0]
    return commit.by_github and commit.parents[0] in {p.head for p in h.pushes if p.seen != "lost"}


def tied(h: History) -> set[int]:
    found = {h.opener} | {who for who, _role in h.involved}
    for commit in h.commits:
        if not (commit.is_update or commit.landed):
            found |= {commit.author, *commit.co_authors}
            found |= set() if commit.by_github else {commit.committer}
            found |= {commit.paper.operator, commit.paper.signer} if commit.paper else set()
    for push in h.pushes:
        if push.seen == "named" and not is_update_only(h, push) and not is_landed_only(h, push.head):
            found.add(push.who)
    return {person(who) for who in found if who in PEOPLE}


def unknown(h: History) -> set[object]:
    if is_apps_own(h):
        return set()
    found: set[object] = {"opener"} if h.opener is None else set()
    known = [p for p in h.pushes if p.seen != "lost"]
    counting = [p for p in known if not is_landed_only(h, p.head)]
    found |= {p.head for p in counting if p.seen == "unnamed"}
    heads = {h.head} | {p.before for p in known if h.setting.tells_before and held(h, p.before)}
    found |= {head for head in heads - {p.head for p in known} if not is_landed_only(h, head)}
    for commit in h.commits:
        if not (commit.is_update or commit.landed):
            found |= set(addresses(commit)) & {NOBODY, OTHER_NOBODY}
    bots = ({h.opener} | {p.who for p in counting if p.seen == "named"}) & set(BOTS)
    return found | (bots - settled(h))


def settled(h: History) -> set[int]:
    if not any(role == "assigner" and who in PEOPLE for who, role in h.involved):
        return set()
    if h.opener in BOTS:
        return {h.opener}
    return set(sorted({p.who for p in h.pushes if p.seen == "named" and p.who in BOTS})[:1])


def addresses(commit: Commit) -> Iterator[int]:
    yield from commit.co_authors
    paper = commit.paper
    if paper is None or paper.state != "signed" or paper.operator not in PEOPLE:
        yield commit.author
        if not commit.by_github:
            yield commit.committer
    if paper is not None and paper.operator is not None:
        yield paper.operator


# who counts


def rostered(h: History) -> set[int]:
    return {who for who in h.team if not h.setting.floor or who in SENIORS}


def may_ask_for_changes(h: History) -> set[int]:
    listed = set(h.team) | (set(SENIORS) if h.setting.floor else set())
    return {person(who) for who in listed}


def last_of(h: History, who: int) -> Opinion | None:
    said = [opinion for opinion in h.opinions if opinion.who == who]
    return said[-1] if said else None


def asks_for_changes(h: History, who: int) -> bool:
    last = last_of(h, who)
    if last is None or person(who) not in may_ask_for_changes(h):
        return False
    if last.state == "APPROVED" or last.was == "APPROVED":
        return False
    by = last.dismissed_by
    lifted = by is not None and (
        by == who or (by in rostered(h) and by != MACHINE and person(by) not in tied(h))
    )
    return last.state == "CHANGES_REQUESTED" or not lifted


def agrees(h: History, who: int) -> bool:
    last = last_of(h, who)
    if last is None or last.state != "APPROVED" or who not in h.writers:
        return False
    since: list[Opinion] = []
    for opinion in h.opinions:
        if opinion.who == who:
            since = [*since, opinion] if opinion.state == "APPROVED" else []
    return any(stands(h, opinion) for opinion in since)


def stands(h: History, opinion: Opinion) -> bool:
    if not opinion.witnessed:
        return opinion.shown_on == h.head and all(at < opinion.number for _kind, at in h.moves)
    stale = staleness(h)
    if opinion.base != h.base or (stale == "head" and opinion.head not in same_heads(h)):
        return False
    if stale == "protected":
        same = [row for row in opinion.net if row[0] in TIERS] == [row for row in h.net() if row[0] in TIERS]
    else:
        same = opinion.net == h.net()
    return same and all(c.oid in opinion.steps for c in undone(h))


def staleness(h: History) -> str:
    if h.setting.stale == "protected" and h.setting.floor and tiers(h) & {0, 1}:
        return "change"
    return h.setting.stale


def undone(h: History) -> list[Commit]:
    """Commits that touch a guarded path which the change as a whole leaves as it was."""
    gone = guarded(h) - {path for path, _old, _new in h.net()}
    return [c for c in h.commits if c.touches & gone]


def same_heads(h: History) -> set[str]:
    """The head, and what it was before the base was merged into it."""
    heads, at = {h.head}, h.commits[-1]
    while at.is_update:
        heads.add(at.parents[0])
        at = next((c for c in h.commits if c.oid == at.parents[0]), Commit("", (), 0, 0))
    return heads


def counted(h: History) -> set[int]:
    angry = {person(who) for who in PEOPLE if asks_for_changes(h, who)}
    return {person(who) for who in approving(h)} - angry


def approving(h: History) -> set[int]:
    """Accounts whose approval stands."""
    out = tied(h)
    return {who for who in rostered(h) - {MACHINE} if person(who) not in out and agrees(h, who)}


def may_pass(h: History) -> bool:
    if not h.is_open or h.is_draft:
        return False
    if h.setting.forbid and any(is_agents(c) for c in h.commits if not c.is_mechanical):
        return False
    if not guarded(h):
        return True
    if any(asks_for_changes(h, who) for who in PEOPLE):
        return False
    number, people = needed(h), counted(h)
    if number and "pay/a" in guarded(h) and not approving(h) & OWNERS:
        return False
    return len(people) >= number


def is_agents(commit: Commit) -> bool:
    agents = AGENT in (commit.author, commit.committer, *commit.co_authors)
    return commit.claims_agent or agents or (commit.paper is not None and commit.paper.says == "ai")


# what really happened


def is_safe(h: History, counted_accounts: set[int]) -> bool:
    """Whether as many of those who were counted looked at what is there and really have nothing to do with the change
    as the policy asks for: two on tiers 0 and 1, but for the two exceptions and work that is proved to be a human's.

    A push that is never heard of can be told only by what the next one replaced, and of two in a row only one.
    """
    lost = [push.seen == "lost" and bool(held(h, push.head)) for push in h.pushes]
    if not h.setting.tells_before or any(one and two for one, two in pairwise(lost)):
        return True
    looked = {person(who) for who in counted_accounts if really_looked(h, who)}
    wanted = base_number(h, change_class(h))
    return len(looked - really_behind(h)) >= wanted


def really_behind(h: History) -> set[int]:
    """Everyone who opened it, pushed some of it, is behind a bot that did, or whose address stands in it where no
    signed record tells who made it.
    """
    excused = {RENOVATE} if is_apps_own(h) else settled(h)
    found = {h.opener if h.opener is not None else NOBODY}
    for push in h.pushes:
        here = bool(held(h, push.head))
        if (
            (here or push.seen == "named")
            and not really_updates_only(h, push)
            and not is_landed_only(h, push.head)
        ):
            found.add(push.who)
    for commit in h.commits:
        if not (commit.is_update or commit.landed):
            found |= {who for who in addresses(commit) if who in (NOBODY, OTHER_NOBODY)}
    return {person(BEHIND.get(who, who)) for who in found - excused}


def really_updates_only(h: History, push: Pushed) -> bool:
    return any(c.oid == push.head and c.is_update and c.parents[0] == push.before for c in h.commits)


def really_looked(h: History, who: int) -> bool:
    return any(really_saw(h, o) for o in h.opinions if o.who == who and o.state == "APPROVED")


def really_saw(h: History, opinion: Opinion) -> bool:
    if opinion.base != h.base:
        return False
    if not opinion.witnessed:
        return opinion.head == h.head
    rows = [row for row in opinion.net if row[0] in TIERS]
    return rows == [row for row in h.net() if row[0] in TIERS]

"""What must hold between the parts of a policy file: a policy that cannot work is refused before it is in force."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import accumulate

from foureyes.shared.pattern_text import Pattern, parse
from foureyes.shared.patterns import Patterns
from foureyes.shared.policy import SHORT_FORM_SYSTEM, PolicyFile, Tier
from foureyes.shared.policy_problem import Finding, Place

_TWO = "on tiers 0 and 1 never fewer than two humans look at agent-written work"


def findings(file: PolicyFile, unread: frozenset[Place]) -> Iterator[Finding]:
    """`unread`: places whose value was refused already and is not in `file`; what depends on them is not asked."""

    def read(*keys: str) -> bool:
        return not any(place == () or place[0] in keys for place in unread)

    if read("systems", "protected"):
        yield from _systems(file)
    yield from _patterns(file)
    yield from _branches(file)
    yield from _counts(file)
    yield from _people(file)
    if read("tiers"):
        yield from _owners(file, roster_known=read("roster"))
    if read("tiers", "roster", "aliases", "machine_users"):
        yield from _capacity(file)


def floor_findings(file: PolicyFile) -> Iterator[Finding]:
    """What holds for the floor of an organisation besides: it has no gaps."""
    lists: list[tuple[Place, tuple[str, ...]]] = [
        (("branches",), file.branches),
        (("protected",), file.protected),
    ]
    lists += [(("systems", name, "paths"), system.paths) for name, system in file.systems.items()]
    for place, lines in lists:
        for index, line in enumerate(lines):
            if line.startswith("!"):
                hint = "take the line out; name what is protected more narrowly"
                yield Finding((*place, index), f"`{line}`: a floor takes nothing out", hint)


def _systems(file: PolicyFile) -> Iterator[Finding]:
    if not file.systems and not file.protected:
        empty = next((key for key in ("systems", "protected") if key in file.model_fields_set), None)
        message = "nothing is protected"
        yield Finding((empty,) if empty else (), message, 'write `protected: ["infra/**"]`, or `systems`')
    if file.protected and SHORT_FORM_SYSTEM in file.systems:
        hint = "give the system another name, or move the patterns there"
        place: Place = ("systems", SHORT_FORM_SYSTEM)
        yield Finding(place, "`protected` is also the name of the short form's system", hint, at_key=True)


def _pattern_lists(file: PolicyFile) -> Iterator[tuple[Place, tuple[str, ...]]]:
    if file.protected:
        yield ("protected",), file.protected
    for name, system in file.systems.items():
        yield ("systems", name, "paths"), system.paths
    for name, exemption in file.automation.items():
        yield ("automation", name, "paths"), exemption.paths


def _patterns(file: PolicyFile) -> Iterator[Finding]:
    for place, lines in _pattern_lists(file):
        if all(line.startswith("!") for line in lines):
            yield Finding(place, "no path is named here", "name at least one pattern without !")
            continue
        yield from _repeated(place, lines)
        yield from _another_language(place, lines)
        yield from _without_effect(place, lines)


def _repeated(place: Place, lines: tuple[str, ...]) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, line in enumerate(lines):
        if line in seen:
            yield Finding((*place, index), f"`{line}` stands here twice", "the last one counts", warning=True)
        seen.add(line)


_SPELLINGS = (
    (
        re.compile(r"\{[^{}]*,[^{}]*\}"),
        "braces stand for themselves",
        "write a pattern for each of the words",
    ),
    (re.compile(r"^!?\^|\$$|\|"), "this looks like a regular expression", "* is any text, ? any character"),
    (re.compile(r"\\[A-Za-z0-9]"), "a backslash stands before an ordinary character", "directories end in /"),
    (re.compile(r"^!?\s"), "a space stands before it", "take it out"),
    (
        re.compile(r"^!?([A-Za-z]:|~/)"),
        "this begins where no repository does",
        "write it from the top of the repository",
    ),
)
"""What other languages write: here it names files that are hardly there, and so protects nothing."""


def _another_language(place: Place, lines: tuple[str, ...]) -> Iterator[Finding]:
    for index, line in enumerate(lines):
        found = next(((why, hint) for sign, why, hint in _SPELLINGS if sign.search(line)), None)
        if found:
            yield Finding(
                (*place, index), f"`{line}` is a gitignore pattern: {found[0]}", found[1], warning=True
            )


def _without_effect(place: Place, lines: tuple[str, ...]) -> Iterator[Finding]:
    """Nothing can be taken out below a protected directory, as in gitignore, and people expect otherwise."""
    if not any(line.startswith("!") for line in lines):
        return
    patterns = Patterns.compile(lines)
    for index, line in enumerate(lines):
        pattern = parse(line)
        if not pattern.negative or not pattern.prefix:
            continue
        folders = _folders(pattern)
        closed = next((folder for folder in folders if patterns.match(f"{folder}/")), None)
        if closed is not None:
            message = f"`{line}` has no effect: `{closed}/` is protected as a whole"
            yield Finding((*place, index), message, _opening(closed, folders), warning=True)
        elif (
            pattern.dir_only and not _goes_on(folders[-1], lines) and patterns.match(f"{folders[-1]}/\u2603")
        ):
            message = f"`{line}` has no effect: what is in the directory is protected all the same"
            yield Finding((*place, index), message, f'write "!{folders[-1]}/**" after it', warning=True)


def _folders(pattern: Pattern) -> list[str]:
    """The directories that must be open for a `!` pattern to have an effect, from the top."""
    names = pattern.spelled_prefix.split("/")
    if len(names) == len(pattern.components) and not pattern.dir_only:
        names.pop()
    return list(accumulate(names, "{}/{}".format))


def _opening(closed: str, folders: list[str]) -> str:
    if closed == folders[-1]:
        return f'write "!{closed}/" before it'
    following = folders[folders.index(closed) + 1]
    return f'protect "{closed}/**" instead of "{closed}/", then write "!{following}/" before it'


def _goes_on(folder: str, lines: tuple[str, ...]) -> bool:
    """Another `!` pattern says what is taken out of this directory."""
    starts = (f"!{folder}/", f"!/{folder}/")
    return any(line.startswith(starts) and not line.endswith("/") for line in lines)


_NO_BRANCH = re.compile(r"[ ~:]|\.\.|@\{|\.lock(?=/|$)|(?:(?<=/)|^)\.|\.$")
"""What git refuses in the name of a branch, and no pattern means by it. `^` is told as a regular expression."""


def _branches(file: PolicyFile) -> Iterator[Finding]:
    if "branches" in file.model_fields_set and all(line.startswith("!") for line in file.branches):
        yield Finding(("branches",), "no branch is named", "leave `branches` out for the default branch")
    yield from _another_language(("branches",), file.branches)
    for index, line in enumerate(file.branches):
        if no_name := _NO_BRANCH.search(line.removeprefix("!").strip()):
            message = f"`{line}`: git has no branch with `{no_name[0]}` in its name"
            yield Finding(("branches", index), message, "see how it is spelled on GitHub", warning=True)
        remote, slash, rest = line.removeprefix("!").partition("/")
        if slash and remote in ("origin", "upstream"):
            message = f"`{line}` is a branch of that name on GitHub, not one of a remote"
            yield Finding(("branches", index), message, f"write `{rest}`", warning=True)


def _counts(file: PolicyFile) -> Iterator[Finding]:
    merged = file.merged_tiers()
    for number, named in file.tiers.items():
        tier, given = merged[number], named.model_fields_set
        place: Place = ("tiers", number)
        shown = f"human: {tier.human}, ai: {tier.ai}, unattested: {tier.unattested}"
        if not tier.human <= tier.ai <= tier.unattested:
            whole = {"human", "ai", "unattested"} <= given
            hint = "raise the later ones" if whole else "what is not named keeps its default"
            yield Finding(place, f"tier {number} has {shown}, and must have human ≤ ai ≤ unattested", hint)
        for name, count in (("ai", tier.ai), ("unattested", tier.unattested)):
            if number < 2 and name in given and count < 2:
                yield Finding((*place, name), _TWO, "write 2 or more, or move the system to tier 2")


def _people(file: PolicyFile) -> Iterator[Finding]:
    if not file.roster:
        yield Finding(("roster",), "the roster is empty", 'name who may approve: ["@acme/engineers"]')
    yield from _repeated_names(file)
    machines = {login.lower() for login in file.machine_users}
    for index, name in enumerate(file.roster):
        if name[1:].lower() in machines:
            yield Finding(
                ("roster", index), f"{name} is also a machine user, and those never approve", "take one out"
            )
    owner_of: dict[str, str] = {}
    for login, others in file.aliases.items():
        if not others:
            yield Finding(
                ("aliases", login), f"{login} has no other login here", "name one, or take the line out"
            )
        if owner_of.setdefault(login.lower(), login) != login:
            yield _two_lines(("aliases", login), login, owner_of[login.lower()], at_key=True)
            continue
        for index, other in enumerate(others):
            before = owner_of.setdefault(other.lower(), login)
            if before != login:
                yield _two_lines(("aliases", login, index), other, before)
            elif other.lower() in {name.lower() for name in (login, *others[:index])}:
                yield Finding(("aliases", login, index), f"{other} stands here twice", "take one out")


def _two_lines(place: Place, login: str, before: str, *, at_key: bool = False) -> Finding:
    message = f"{login} is already an alias of {before}"
    return Finding(place, message, "write all logins of one person in one line", at_key=at_key)


def _repeated_names(file: PolicyFile) -> Iterator[Finding]:
    named = [("roster", file.roster), ("machine_users", file.machine_users)]
    for key, names in named:
        for index, name in enumerate(names):
            if name.lower() in {n.lower() for n in names[:index]}:
                yield Finding((key, index), f"{name} stands here twice", "take one out", warning=True)


def _owners(file: PolicyFile, *, roster_known: bool) -> Iterator[Finding]:
    tiers = file.merged_tiers()
    for name, system in file.systems.items():
        if not tiers[system.tier].owner:
            continue
        place: Place = ("systems", name)
        if not system.owners:
            hint = f'add owners: ["@org/team"], or set owner: false for tier {system.tier}'
            message = f"tier {system.tier} asks for an owner, and `{name}` names none"
            yield Finding(place, message, hint, at_key=True)
        elif roster_known and not _could_be_rostered(system.owners, file.roster):
            hint = "an owner's approval counts only if the roster has them, too"
            yield Finding((*place, "owners"), f"no owner of `{name}` is on the roster", hint)
        elif len(system.owners) == 1 and "/" not in system.owners[0]:
            message = (
                f"{system.owners[0]} is the only owner of `{name}`: their own changes can never be approved"
            )
            yield Finding((*place, "owners"), message, "name a second owner, or a team", warning=True)


def _could_be_rostered(owners: Iterable[str], roster: Iterable[str]) -> bool:
    """Who is in a team is not known here."""
    rostered = {name.lower() for name in roster}
    return any("/" in name for name in (*owners, *rostered)) or any(
        name.lower() in rostered for name in owners
    )


def _capacity(file: PolicyFile) -> Iterator[Finding]:
    if not file.roster or any("/" in name for name in file.roster):
        return
    person = {other.lower(): login.lower() for login, others in file.aliases.items() for other in others}
    machines = {login.lower() for login in file.machine_users}
    logins = {name[1:].lower() for name in file.roster}
    people = {person.get(login, login) for login in logins - machines}
    number, needed = _hardest(file.merged_tiers())
    if len(people) < needed:
        message = f"the roster has {_persons(len(people))}, and tier {number} asks for {needed}"
        lower = f", or lower the counts of tier {number}" if needed > 2 or number > 1 else ""
        yield Finding(("roster",), message, f"add people or a team{lower}")
    elif len(people) == needed:
        message = f"the roster has {_persons(needed)}, and tier {number} asks for {needed}"
        hint = "whoever runs the agent does not count: with one more on the roster, each of them can work with one"
        yield Finding(("roster",), message, hint, warning=True)


def _hardest(tiers: dict[int, Tier]) -> tuple[int, int]:
    """All tiers are in force: the policy file itself is of tier 0, in every repository."""
    needs = Counter({number: max(tier.ai, tier.unattested, tier.human) for number, tier in tiers.items()})
    return max(needs.items(), key=lambda item: (item[1], -item[0]))


def _persons(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"

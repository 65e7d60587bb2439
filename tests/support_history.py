"""A pull request's history with its people, as it happens. What the App learns of it is in `support_history_facts`,
what ought to follow in `support_history_count`; both look at nothing but this. `support_history_steps` makes it happen.
`told` says it in words.
"""

from dataclasses import dataclass, field, replace

BASE = "b" * 40
NOBODY = 0
"""An address that no account has."""
OTHER_NOBODY = -1
AGENT = -2
"""An agent's own address."""
PEOPLE = tuple(range(1, 11))
TEAM = frozenset({1, 2, 3, 4, 5, 7, 8, 9})
MACHINE = 9
SECOND_ACCOUNTS = {8: 7, 10: 1}
"""Account -> the person's first. p8 is on the team, p10 is not."""
OWNERS = frozenset({4, 5, 7})
"""Of what lies below pay/."""
RENOVATE, COPILOT = 20, 21
BOTS = (RENOVATE, COPILOT)
BEHIND = {NOBODY: 2, OTHER_NOBODY: 3, RENOVATE: 4, COPILOT: 5}
"""Who it really is, which the App does not know."""

PATHS = ("infra/a", "infra/lock", "pay/a", "watch/a", "free/a", ".github/foureyes.yml")
BEFORE_IT_LANDED = 9
"""What infra/a was until lately: version 0 of it landed by a pass."""


@dataclass(frozen=True)
class Setting:
    """What the policy says, and GitHub."""

    stale: str = "change"
    squash_only: bool = False
    forbid: bool = False
    trust: bool = False
    floor: bool = False
    tells_before: bool = True
    """Whether pushes say what they replaced, as GitHub's do."""


@dataclass(frozen=True)
class Paper:
    """A commit's record. `operator` None: it names none."""

    state: str = "signed"
    says: str = "ai"
    operator: int | None = None
    signer: int | None = None
    touched: bool = False
    """Signed with a touch of a key that is old enough."""


@dataclass
class Commit:
    oid: str
    parents: tuple[str, ...]
    author: int
    committer: int
    co_authors: tuple[int, ...] = ()
    paper: Paper | None = None
    claims_agent: bool = False
    by_github: bool = False
    is_update: bool = False
    """A merge of the gated base that git makes by itself."""
    is_mechanical: bool = False
    landed: bool = False
    touches: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Pushed:
    head: str
    who: int
    before: str
    seen: str = "named"
    """`named`; `unnamed`: seen, but not whose it was; `lost`: never heard of."""


@dataclass
class Opinion:
    number: int
    who: int
    state: str
    head: str
    base: str
    net: tuple[tuple[str, int, int], ...]
    steps: frozenset[str]
    """Commits of the change at that time."""
    witnessed: bool
    shown_on: str
    """The commit that GitHub names now."""
    dismissed_by: int | None = None
    was: str = ""


@dataclass
class History:
    setting: Setting
    opener: int | None
    """None: the account is gone."""
    told: list[str] = field(default_factory=list)
    clock: int = 0
    base: str = "main"
    base_files: dict[str, int] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    """Path -> version that the pull request gives it."""
    commits: list[Commit] = field(default_factory=list)
    pushes: list[Pushed] = field(default_factory=list)
    opinions: list[Opinion] = field(default_factory=list)
    moves: list[tuple[str, int]] = field(default_factory=list)
    involved: list[tuple[int, str]] = field(default_factory=list)
    team: set[int] = field(default_factory=lambda: set(TEAM))
    writers: set[int] = field(default_factory=lambda: set(PEOPLE))
    is_draft: bool = False
    is_open: bool = True

    @property
    def head(self) -> str:
        return self.commits[-1].oid

    def net(self) -> tuple[tuple[str, int, int], ...]:
        """(path, version on the base, version merged) of what the merge changes."""
        rows = ((path, self.base_files.get(path, 0), version) for path, version in sorted(self.files.items()))
        return tuple(row for row in rows if row[1] != row[2])

    def tick(self) -> int:
        self.clock += 1
        return self.clock

    def oid(self) -> str:
        return f"{self.tick():040x}"

    # pushes

    def commit(self, made: Commit, who: int, *, seen: str = "named") -> None:
        """On top of the head, and pushed."""
        self.bring((made,), who, seen=seen)

    def bring(self, made: tuple[Commit, ...], who: int, *, seen: str = "named") -> None:
        before = self.head if self.commits else ""
        self.commits += made
        self.pushes.append(Pushed(self.head, who, before, seen))
        for commit in made:
            self.told.append(f"{who} pushes ({seen}) {commit}")

    def force_push(self, made: Commit, who: int, *, seen: str = "named") -> None:
        before = self.head
        self.commits = [made]
        self._forced(who, before, seen)

    def rebase(self, who: int, *, seen: str = "named") -> None:
        """The same content in new commits, whose records nobody has published."""
        before, parent = self.head, BASE
        kept = [c for c in self.commits if not c.is_mechanical] or self.commits[:1]
        self.commits = []
        for old in kept:
            made = replace(old, oid=self.oid(), parents=(parent,), paper=None, landed=False, by_github=False)
            self.commits.append(replace(made, is_update=False, is_mechanical=False))
            parent = self.head
        self._forced(who, before, seen)

    def _forced(self, who: int, before: str, seen: str) -> None:
        """GitHub may show a review on the new head."""
        self.pushes.append(Pushed(self.head, who, before, seen))
        self.moves.append(("force-pushed", self.tick()))
        for opinion in self.opinions:
            opinion.shown_on = self.head
        self.told.append(f"{who} force-pushes ({seen}) {self.commits}")

    # the rest

    def move_base(self, path: str) -> None:
        self.base_files[path] = self.base_files.get(path, 0) + 10
        self.told.append(f"{path} changes on the base")

    def retarget(self) -> None:
        self.base = "release" if self.base == "main" else "main"
        self.moves.append(("base changed", self.tick()))
        self.told.append(f"retargeted to {self.base}")

    def say(self, who: int, state: str, *, witnessed: bool = True) -> None:
        at, here = self.tick(), frozenset(c.oid for c in self.commits)
        said = Opinion(at, who, state, self.head, self.base, self.net(), here, witnessed, self.head)
        self.opinions.append(said)
        self.told.append(f"{who} says {state}{'' if witnessed else ', unseen'}")

    def dismiss(self, opinion: Opinion, by: int) -> None:
        if opinion.state != "DISMISSED":
            opinion.was, opinion.state, opinion.dismissed_by = opinion.state, "DISMISSED", by
            self.told.append(f"{by} dismisses what {opinion.who} said at {opinion.number}")

    def involve(self, who: int, role: str) -> None:
        self.involved.append((who, role))
        self.told.append(f"{who} is {role}")

    def __repr__(self) -> str:
        return "\n".join([f"{self.setting}, opened by {self.opener}", *self.told])

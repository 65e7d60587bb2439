"""What all lanes of one server share: the database, the App, the mirrors, and what is remembered between looks."""

import logging
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock

from sqlalchemy import Engine

from foureyes.github_app.client import GitHub, InstallationClient, Observer
from foureyes.github_app.gather import Sources
from foureyes.github_app.git_facts import Kept
from foureyes.github_app.keys import Keys
from foureyes.github_app.landed_facts import Late
from foureyes.github_app.machine_memory import git_memory
from foureyes.github_app.metrics import Figures
from foureyes.github_app.mirror import GitError, Mirror, Remote, basic
from foureyes.github_app.mirror_bounds import MIB, Bounds
from foureyes.github_app.org_floor import Floors, OrgFloor
from foureyes.github_app.pull_query import Ground
from foureyes.github_app.pushes import Activity
from foureyes.github_app.roster import People
from foureyes.github_app.settings import Settings
from foureyes.github_app.unused_mirrors import drop_unused
from foureyes.github_app.witnessed import Contents
from foureyes.shared.agents import Catalogue
from foureyes.shared.facts import Repository

_log = logging.getLogger(__name__)


class Mirrors:
    """One mirror object per repository, so that its lock is one."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._folder = folder
        self._settings = settings
        self._memory = git_memory(settings.workers)
        self._lock = Lock()
        self._mirrors: dict[int, Mirror] = {}

    def of(self, client: InstallationClient, repository: Repository) -> Mirror:
        """Fetches with a token of the installation."""
        url = self._settings.git_url(repository.slug)
        protocols = ("https", "http") if url.startswith("http:") else ("https",)
        remote = Remote(url, lambda: basic(client.token()), protocols)
        with self._lock:
            folder = self._folder / f"{repository.id}.git"
            mirror = self._mirrors.get(repository.id)
            if mirror is None:
                bounds = Bounds(self._settings.mirror_mib * MIB, self._memory)
                mirror = Mirror(folder, remote, self._settings.fetch_seconds, bounds)
                self._mirrors[repository.id] = mirror
            mirror.remote = remote  # a repository can be renamed
            return mirror

    def tidy(self, engine: Engine) -> None:
        """Those that were used here and have grown untidy; those that nobody needs any more go, whoever made them."""
        if count := drop_unused(self._folder, engine, time.time()):
            _log.info("%d mirrors were dropped: nobody needs them any more", count)
        with self._lock:
            mirrors = list(self._mirrors.values())
        for mirror in mirrors:
            try:
                mirror.tidy()
            except GitError as error:
                _log.warning("the mirror %s could not be tidied: %s", mirror.folder.name, error.why)


@dataclass(frozen=True)
class Deps:
    """What all lanes of one server share."""

    settings: Settings
    engine: Engine
    github: GitHub
    catalogue: Catalogue
    mirrors: Mirrors
    people: People = field(default_factory=People)
    keys: Keys = field(default_factory=Keys)
    contents: Contents = field(default_factory=Contents)
    activity: Activity = field(default_factory=Activity)
    git: Kept = field(default_factory=Kept)
    late: Late = field(default_factory=Late)
    floors: Floors = field(default_factory=Floors)
    figures: Figures = field(default_factory=Figures)

    def floor(self, client: InstallationClient, ground: Ground) -> OrgFloor:
        """Of the repository's owner. Raises GitHubError."""
        return self.floors.read(client, self.engine, ground, required=self.settings.org_floor_required)

    def sources(self, client: InstallationClient, repository: Repository) -> Sources:
        """Where the facts of one repository's pull requests come from."""
        mirror = self.mirrors.of(client, repository)
        fork = partial(self.mirrors.of, client)
        return Sources(
            self.engine, client, mirror, self.catalogue, fork, self.people, self.keys, self.contents, self.activity,
            self.git, self.late,
        )  # fmt: skip


def make_deps(
    settings: Settings, engine: Engine, catalogue: Catalogue, observe: Observer | None = None,
    figures: Figures | None = None,
) -> Deps:  # fmt: skip
    github = GitHub(settings, observe=observe) if observe else GitHub(settings)
    mirrors = Mirrors(settings.data / "mirrors", settings)
    return Deps(settings, engine, github, catalogue, mirrors, figures=figures or Figures())

"""One pull request judged here and now, as the App would, by what one person's token can read.

The App's memory is not here: which review arrived on which content, who pushed a head that is gone, records that have
vanished. So what it would know by that is held to what GitHub says now, and the text says so.
"""

import fcntl
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib.resources import files
from pathlib import Path

from sqlalchemy import Engine

from foureyes.github_app import storage
from foureyes.github_app.client import InstallationClient
from foureyes.github_app.gather import Sources, gather
from foureyes.github_app.mirror import Mirror, Remote, basic
from foureyes.github_app.org_floor import Floors
from foureyes.github_app.personal_client import PersonalGitHub
from foureyes.github_app.policy_in_force import InForce, NotSetUp, standing
from foureyes.github_app.pull_query import POLICY_PATH, PullAnswer, ask, ask_head
from foureyes.github_app.review_requests import awaited
from foureyes.github_app.settings import Settings, sqlite_url
from foureyes.shared.agents import Catalogue, parse_catalogue
from foureyes.shared.branches import is_gated
from foureyes.shared.errors import UserError
from foureyes.shared.evaluate import evaluate
from foureyes.shared.explain import explain
from foureyes.shared.explanation import Explanation, Section, broken, combine
from foureyes.shared.facts import Known, PullFacts, Repository

_NO_HEAD = "0" * 40
_FETCH_SECONDS = 900.0


@dataclass(frozen=True)
class Explained:
    """`explanation` None: `said` is all there is to say, and the App publishes nothing."""

    said: str
    head: str = ""
    explanation: Explanation | None = None


def explain_pull(settings: Settings, token: str, slug: str, number: int, cache: Path) -> Explained:
    """`cache` keeps a mirror of the repository between calls. Raises UserError, GitHubError and GitError."""
    client = PersonalGitHub(settings, token).installation(0)
    answer = ask(client, slug, number, _NO_HEAD)
    if answer is None:
        raise UserError(
            f"there is no pull request {slug}#{number} that your token can see",
            next_step="check the name; a private repository needs a token with access to it",
        )
    others = _with_the_same_head(client, answer)
    with _database() as engine, _mirror(settings, client, answer, cache) as mirror:
        return _explain(
            Sources(engine, client, mirror, _catalogue(), partial(_beside, mirror)), answer, others
        )


def _with_the_same_head(client: InstallationClient, answer: PullAnswer) -> tuple[PullAnswer, ...]:
    """Other open pull requests: the check on the head is for all of them."""
    pull = answer.pull
    _ground, shown = ask_head(client, pull.repository.slug, pull.head)
    numbers = [number for number in shown.pulls if number != pull.number]
    asked = (ask(client, pull.repository.slug, number, _NO_HEAD) for number in numbers)
    return tuple(one for one in asked if one is not None and one.pull.is_open and one.pull.head == pull.head)


def _explain(sources: Sources, answer: PullAnswer, others: tuple[PullAnswer, ...]) -> Explained:
    at = time.time_ns() // 1_000_000
    ground, pull = answer.ground, answer.pull
    floor = Floors().read(sources.client, sources.engine, ground)
    with storage.writing(sources.engine) as conn:
        policy = standing(conn, ground, at, floor)
    if isinstance(policy, NotSetUp):
        where = f"{ground.repository.slug} has no {POLICY_PATH} on `{ground.default_branch}`"
        return Explained(f"{where}: foureyes is not set up there.", pull.head)
    if not isinstance(policy, InForce):
        step = f"an admin mends {POLICY_PATH} on `{ground.default_branch}`; nothing passes until then."
        return Explained("", pull.head, broken(policy.problem, step))
    if not is_gated(pull.base_ref, policy.ruling, ground.default_branch):
        return Explained(f"`{pull.base_ref}` is not gated: nobody waits there.", pull.head)
    gated = [one for one in others if is_gated(one.pull.base_ref, policy.ruling, ground.default_branch)]
    judged = [_judged(sources, one, policy, at) for one in (answer, *gated)]
    told = combine([(facts.pull.number, one) for facts, one in judged])
    notes = tuple(_notes([facts for facts, _ in judged], policy))
    return Explained(
        "", pull.head, replace(told, sections=(*told.sections, Section("Read from here", notes)))
    )


def _judged(sources: Sources, answer: PullAnswer, policy: InForce, at: int) -> tuple[PullFacts, Explanation]:
    facts = gather(sources, answer, policy, at)
    names = {agent.id: agent.name for agent in sources.catalogue.agents}
    judgement = evaluate(facts, policy.policy)
    return facts, explain(facts, policy.policy, judgement, names=names, asked=awaited(answer).people)


def _notes(judged: list[PullFacts], policy: InForce) -> Iterator[str]:
    yield "with your own token, without what the App has seen: the check on GitHub is what holds."
    if any(isinstance(facts.reviews, Known) and facts.reviews.value for facts in judged):
        yield (
            "nobody here saw the reviews arrive: an approval counts only if it was given on the head, and nothing "
            "was force-pushed, restored or moved to another base after it."
        )
    if policy.ruling.mode == "observe":
        yield "the policy's mode is observe: nothing waits for this."


def _beside(mirror: Mirror, fork: Repository) -> Mirror:
    """A mirror of the fork, under the lock of the other."""
    base = mirror.remote.url.rsplit("/", 2)[0]
    folder = mirror.folder.with_name(f"{mirror.folder.stem}-{fork.id}.git")
    return Mirror(folder, replace(mirror.remote, url=f"{base}/{fork.slug}.git"), _FETCH_SECONDS)


def _catalogue() -> Catalogue:
    return parse_catalogue((files("foureyes.shared") / "agents.json").read_text("utf-8"))


@contextmanager
def _database() -> Iterator[Engine]:
    """An empty one: nothing was witnessed."""
    with tempfile.TemporaryDirectory(prefix="foureyes-explain-") as folder:
        engine = storage.connect(sqlite_url(Path(folder) / "nothing.sqlite3"))
        try:
            storage.migrate(engine)
            yield engine
        finally:
            engine.dispose()


@contextmanager
def _mirror(
    settings: Settings, client: InstallationClient, answer: PullAnswer, cache: Path
) -> Iterator[Mirror]:
    """Without file contents, and only one process at a time."""
    repository = answer.pull.repository
    url = settings.git_url(repository.slug)
    protocols = ("https", "http") if url.startswith("http:") else ("https",)
    remote = Remote(url, lambda: basic(client.token()), protocols)
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (cache / f"{repository.id}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Mirror(cache / f"{repository.id}.git", remote, _FETCH_SECONDS)

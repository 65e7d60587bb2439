"""The catalogue of agents: by which signs a program that writes changes from prompts is known.

`agents.json` beside this module is the one source; each half reads it at its edge and hands the text in here.
One entry for each agent:

- `id`, `name`, `vendor`; `kind`: `local`, `cloud`, `reviewer` (its suggestions end up in commits), `convention`
  (a sign that names no product), `automation` (robots that are no AI: listed, never answered)
- `environment`: variables of its shells. `value` is a glob (default: anything but empty). `is`: `strong` (an agent
  is at work), `medium` (a person's terminal can have it too), `info` (detail), `trap` (proves nothing; listed so that
  nobody adds it). `gives`: what the value tells (`session`, `model`, `version`). `private`: the value stays out of
  journals and records. A name that begins with `/` is a file that exists
- `processes`: names of its program or script; `not_with`: variables that mark a person's terminal inside its app;
  `forks`: agents whose signs it carries too
- `addresses`: exact e-mails; `accounts`: GitHub accounts, number and login; `author_suffixes`: endings of git names
- `trailers`, `lines`, `names`: what commit messages say (see agent_marks)
- `settings`: files in which its own hooks are configured; `traps`: what looks like it and is not

Each sign has its `source`: `run` (seen in a real run), `source-code` (shipped code or public history), `docs`,
`recall`. People share names with products: only whole addresses, numbers, logins and program names ever match.
"""

import json
import re
from collections.abc import Mapping
from fnmatch import translate
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from foureyes.shared.agent_mark import AgentMark
    from foureyes.shared.agent_marks import CommitSigns, Named

VERSION = 1
_INTERPRETERS = r"(?:node|nodejs|bun|deno|python[0-9.]*|pypy[0-9.]*)(?:\.exe)?"


class CatalogueError(ValueError):
    """The text is not a catalogue of this version."""


@cache
def glob(pattern: str) -> re.Pattern[str]:
    """A shell pattern over a whole value, letter for letter: capture.sh uses the same ones in `case`."""
    return re.compile(translate(pattern))


class Variable(NamedTuple):
    name: str
    sign: str
    """`strong`, `medium`, `info` or `trap`."""
    source: str
    value: str = "?*"
    gives: str = ""
    private: bool = False

    def matches(self, environment: Mapping[str, str]) -> bool:
        return bool(glob(self.value).fullmatch(environment.get(self.name, "")))

    def kept(self, environment: Mapping[str, str]) -> str:
        """The value as a journal may hold it."""
        return "set" if self.private else environment[self.name]


class GitHubAccount(NamedTuple):
    id: int | None
    login: str
    source: str


class Sign(NamedTuple):
    """A text by which an agent is known. `value` is only used by trailers: a glob over the trailer's value."""

    text: str
    source: str
    value: str = ""


class Agent(NamedTuple):
    id: str
    name: str
    vendor: str
    kind: str
    forks: tuple[str, ...] = ()
    not_with: tuple[str, ...] = ()
    environment: tuple[Variable, ...] = ()
    processes: tuple[Sign, ...] = ()
    addresses: tuple[Sign, ...] = ()
    accounts: tuple[GitHubAccount, ...] = ()
    author_suffixes: tuple[Sign, ...] = ()
    trailers: tuple[Sign, ...] = ()
    lines: tuple[Sign, ...] = ()
    names: tuple[Sign, ...] = ()
    settings: tuple[Sign, ...] = ()
    traps: tuple[str, ...] = ()

    def in_persons_terminal(self, environment: Mapping[str, str]) -> bool:
        return any(environment.get(name) for name in self.not_with)


class EnvMark(NamedTuple):
    """An agent as the environment shows it. `strong` False: a person's terminal can look like this."""

    agent: str
    strong: bool
    names: tuple[str, ...]
    session: str = ""
    model: str = ""
    version: str = ""


class Catalogue:
    def __init__(self, agents: tuple[Agent, ...], models: tuple[str, ...]) -> None:
        """`models`: globs for the first word of a model's name, small letters."""
        self.agents, self.models = agents, models

    @cached_property
    def by_id(self) -> dict[str, Agent]:
        return {agent.id: agent for agent in self.agents}

    @cached_property
    def env_allowlist(self) -> frozenset[str]:
        """The only variables whose names or values may enter a journal or a record."""
        return frozenset(v.name for a in self.agents for v in a.environment if v.sign != "trap")

    @cached_property
    def _processes(self) -> dict[str, str]:
        return {sign.text: agent.id for agent in self.agents for sign in agent.processes}

    @cached_property
    def _accounts(self) -> tuple[dict[int, str], dict[str, str]]:
        known = [(a, account) for a in self.agents if a.kind != "automation" for account in a.accounts]
        numbers = {account.id: agent.id for agent, account in known if account.id is not None}
        logins = {x.login.casefold(): agent.id for agent, x in known if x.login.endswith("[bot]")}
        return numbers, logins

    @cached_property
    def commit_signs(self) -> "CommitSigns":
        from foureyes.shared.agent_marks import CommitSigns

        return CommitSigns(self.agents)

    def marks(self, environment: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """What a journal may note of an environment: variables whose value is an agent's, nothing else."""
        found = {
            variable.name: variable.kept(environment)
            for agent in self.agents
            if not agent.in_persons_terminal(environment)
            for variable in agent.environment
            if variable.sign != "trap" and variable.matches(environment)
        }
        return tuple(found.items())

    def by_env(self, environment: Mapping[str, str]) -> tuple[EnvMark, ...]:
        """Agents whose signs an environment carries, the likeliest first. Markers are inherited, so an outer
        agent's may stand beside an inner one's: process ancestry, where it is known, decides.
        """
        found = [mark for agent in self.agents if (mark := _env_mark(agent, environment))]
        forked = {name for mark in found for name in self.by_id[mark.agent].forks}
        found = [mark for mark in found if mark.agent not in forked]
        return tuple(sorted(found, key=lambda mark: (not mark.strong, "AI_AGENT" not in mark.names)))

    @cached_property
    def _tools(self) -> dict[str, str]:
        named = {sign.text.casefold(): agent.id for agent in self.agents for sign in agent.names}
        return named | {agent.id: agent.id for agent in self.agents}

    def by_tool(self, tool: str) -> str | None:
        """The agent to which other tools give this name: `claude`, `github-copilot`."""
        name = tool.casefold()
        return self._tools.get(name) or self._tools.get(name.replace("-", " "))

    def by_process(self, exe: str, argv0: str, argv1: str) -> str | None:
        """The agent behind one process; all three are base names. `argv1`, the first argument that is no option,
        counts only under an interpreter: `vim claude` edits a file.
        """
        for name in (exe, argv0):
            if name in self._processes:
                return self._processes[name]
        if re.fullmatch(_INTERPRETERS, exe) or re.fullmatch(_INTERPRETERS, argv0):
            return self._processes.get(argv1)
        return None

    def is_agent_account(self, id: int | None, login: str) -> str | None:
        """The agent behind a GitHub account: by its number, or by a listed login that ends in `[bot]`, which no
        person's can. So a bot's misspelt number, `41898282+claude[bot]`, is seen through, and @claude is a person.
        """
        numbers, logins = self._accounts
        if id is not None and id in numbers:
            return numbers[id]
        return logins.get(login.casefold())

    def find_marks(self, message: str, author: "Named", committer: "Named") -> "tuple[AgentMark, ...]":
        """Signs in a commit itself: see agent_marks.find."""
        from foureyes.shared import agent_marks  # it needs more than an agent's hook can wait for

        return agent_marks.find(self, message, author, committer)

    def agents_in(self, message: str, author: "Named", committer: "Named") -> tuple[str, ...]:
        """Whom those signs name."""
        from foureyes.shared import agent_marks

        return agent_marks.agents_in(self, message, author, committer)


def _env_mark(agent: Agent, environment: Mapping[str, str]) -> EnvMark | None:
    if agent.in_persons_terminal(environment):
        return None
    hits = [v for v in agent.environment if v.sign != "trap" and v.matches(environment)]
    signs = [v for v in hits if v.sign != "info"]
    if not signs:
        return None
    told = {v.gives: v.kept(environment) for v in hits if v.gives}
    return EnvMark(
        agent.id,
        any(v.sign == "strong" for v in signs),
        tuple(v.name for v in signs),
        told.get("session", ""),
        told.get("model", ""),
        _version(told.get("version", "")),
    )


def _version(text: str) -> str:
    """`claude-code_2-1-330_agent` tells 2.1.330; others tell it plainly."""
    found = re.fullmatch(r"claude-code[_/]([0-9]+(?:[-.][0-9]+)*)[_/]agent", text)
    return found[1].replace("-", ".") if found else text


_SIGN_KEYS = {
    "processes": "name",
    "addresses": "email",
    "author_suffixes": "suffix",
    "trailers": "key",
    "lines": "line",
    "names": "name",
    "settings": "path",
}


def _agent(entry: dict[str, Any]) -> Agent:
    parts: dict[str, Any] = {}
    for key, value in entry.items():
        if key == "environment":
            parts[key] = tuple(Variable(sign=item.pop("is"), **item) for item in value)
        elif key == "accounts":
            parts[key] = tuple(GitHubAccount(**item) for item in value)
        elif key in _SIGN_KEYS:
            parts[key] = tuple(Sign(text=item.pop(_SIGN_KEYS[key]), **item) for item in value)
        else:
            parts[key] = tuple(value) if isinstance(value, list) else value
    return Agent(**parts)


def parse_catalogue(text: str) -> Catalogue:
    """Raises CatalogueError on anything that is not this version's catalogue, unknown keys included."""
    try:
        whole = json.loads(text)
        if whole.pop("version") != VERSION:
            raise CatalogueError(f"not version {VERSION} of the catalogue")
        return Catalogue(
            tuple(_agent(entry) for entry in whole.pop("agents")), tuple(whole.pop("models")), **whole
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CatalogueError(f"not a catalogue of agents: {error}") from error

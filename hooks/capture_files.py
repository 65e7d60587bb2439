"""The shell scripts that an installed repository runs, with the catalogue's tables written into them."""

import shlex
from collections.abc import Callable, Iterable, Sequence
from importlib.resources import files

from foureyes.hooks.version import VERSION
from foureyes.shared.agents import Agent, Catalogue, Variable

EVENTS = ("prepare-commit-msg", "post-commit", "post-merge", "post-applypatch", "post-rewrite", "pre-push")
OF_AGENT = "agent-"
"""What the scripts about single agents start with."""
MARK = "# foureyes hook:"
"""How a hook file of ours is known."""
BEGUN = "begun-"
"""What the files start with that one hook of a commit leaves for the next, one for each worktree."""
BOOTED = "booted"
"""The file that tells the time to a shell without a clock: the boot, how long it was up, and what `date` said then."""
STYLES = ("assisted-by", "co-authored-by", "generated-by", "none")
_SCRIPTS = {
    "capture.sh": "capture.sh",
    "look.sh": "capture_look.sh",
    "processes.sh": "capture_processes.sh",
    "note.sh": "capture_note.sh",
    "marks.sh": "capture_marks.sh",
    "trailers.sh": "capture_trailers.sh",
    "push.sh": "capture_push.sh",
}
SCRIPTS = (*_SCRIPTS, "run.sh")


# An import that fails is told by the shell in one line; a traceback helps nobody who only wants to push.
_CODE = """import sys
sys.path += {path!r}
try:
    from foureyes.hooks.push import main
except Exception:
    sys.exit(1)
sys.exit(main(sys.argv[1:]))"""
NO_AGENTS = (
    "sh",
    "bash",
    "dash",
    "zsh",
    "fish",
    "ksh",
    "login",
    "sshd",
    "systemd",
    "init",
    "tmux*",
    "screen",
)
"""Programs above most commits, which need no search in the list of agents."""
_INTERPRETERS = ("node", "nodejs", "bun", "deno", "python*", "pypy*")
# Set in every shell, so that they cannot tell by being there whether the table is worth reading.
_ALWAYS_SET = {"USER"}


def bootstrap(event: str) -> str:
    """One line of POSIX sh that finds the repository's scripts from within a hook and runs them. It looks for them
    anew each time, so that a repository can be moved; and whatever is wrong with them, git's command goes on.
    """
    return (
        f"{_find_common(event)}foureyes_scripts=$foureyes_common/foureyes; "
        'if [ -r "$foureyes_scripts/capture.sh" ]; then . "$foureyes_scripts/capture.sh"; '
        f"{_gone(event, 'foureyes install')}fi; :"
    )


def bootstrap_everywhere(event: str, scripts: str) -> str:
    """The same for the hooks of all repositories: the scripts are in one folder of the user's, and a repository that
    has its own is left to them.
    """
    return (
        f"{_find_common(event)}foureyes_scripts={shlex.quote(scripts)}; foureyes_everywhere=1; "
        'if [ -r "$foureyes_common/foureyes/capture.sh" ]; then :; '
        'elif [ -r "$foureyes_scripts/capture.sh" ]; then . "$foureyes_scripts/capture.sh"; '
        f"{_gone(event, 'foureyes install --global')}fi; :"
    )


def _gone(event: str, mend: str) -> str:
    """Told once for a commit: by the hook that would have noted it."""
    if event in {"prepare-commit-msg", "post-rewrite"}:
        return ""
    return f"else echo 'foureyes: not recorded, its scripts are gone or not readable; run: {mend}' >&2; "


def _find_common(event: str) -> str:
    return (
        f"foureyes_hook={event}; foureyes_git=${{GIT_DIR:-.git}}; foureyes_git=${{foureyes_git%/}}; "
        "foureyes_common=$foureyes_git; trap 'exit ${foureyes_status:-0}' EXIT; "
        'if [ -f "$foureyes_git/commondir" ]; then read -r foureyes_common <"$foureyes_git/commondir"; '
        "case $foureyes_common in /*) ;; *) foureyes_common=$foureyes_git/$foureyes_common ;; esac; fi; "
    )


# Where git itself finds a hook of ours, that one does the work: a line in a shared file of a hook manager serves those
# who have no other, whatever git they use.
_RUN = f"""# foureyes: runs one hook, for hook managers that keep the hooks themselves. $1 is its name.
# @NOTE@
foureyes_event=$1
shift
if [ "${{FOUREYES_RUNS-}}" = "$foureyes_event:$PWD" ]; then exit 0; fi
case $(git hook list "$foureyes_event" 2>/dev/null) in *foureyes-*) exit 0 ;; esac
foureyes_hooks=$(git rev-parse --git-path hooks 2>/dev/null)
for foureyes_file in "$foureyes_hooks/$foureyes_event" "$foureyes_hooks/$foureyes_event.legacy"; do
    if [ -x "$foureyes_file" ] && grep -q '^@MARK@' "$foureyes_file" 2>/dev/null; then exit 0; fi
done
GIT_DIR=${{GIT_DIR:-$(git rev-parse --git-dir 2>/dev/null)}}
{bootstrap("$foureyes_event")}
exit 0
"""


def render(
    catalogue: Catalogue,
    *,
    style: str,
    python: str,
    path: Sequence[str],
    proc: str = "/proc",
    shared: bool = False,
) -> dict[str, str]:
    """File name below `<git common dir>/foureyes` -> text. `python` is a base interpreter, `path` the folders that
    it imports foureyes and its libraries from. `shared`: what they write is for the group of the repository.
    """
    parts = {
        "MARK": MARK,
        "NOTE": f"foureyes {VERSION}; what is changed here is lost at the next `foureyes install`.",
        "PROC": proc,
        "UMASK": "007" if shared else "077",
        "STYLE": style,
        "PYTHON": shlex.quote(python),
        "CODE": shlex.quote(_CODE.format(path=list(path))),
        "PROCESS_HINTS": " | ".join(f"{_word(name)}* | */{_word(name)}*" for name in _processes(catalogue)),
        "NO_AGENTS": " | ".join(NO_AGENTS),
        "INTERPRETERS": " | ".join(_INTERPRETERS),
        "PROCESS_NAMES": " ".join(_processes(catalogue)),
        "PROCESSES": "\n        ".join(_process_rows(catalogue)),
        "PERSONS_TERMINALS": "\n        ".join(_terminal_rows(catalogue)) or "*) ;;",
        "ANY_VARIABLE": "".join(f"${{{name}-}}" for name in _watched(catalogue)),
        "ANY_FILE": _other_signs(catalogue),
        "VARIABLES": "\n" + "\n".join(_variable_rows(catalogue)),
    }
    own = files("foureyes.hooks")
    texts = {name: own.joinpath(file).read_text("utf-8") for name, file in _SCRIPTS.items()}
    scripts = {name: _fill(text, parts) for name, text in {**texts, "run.sh": _RUN}.items()}
    template = own.joinpath("capture_agent.sh").read_text("utf-8")
    for agent in catalogue.agents:
        if agent.kind in {"local", "cloud"}:
            scripts[f"{OF_AGENT}{agent.id}.sh"] = _fill(template, parts | _agent_parts(catalogue, agent))
    return scripts


def native_line(event: str, arguments: str = '"$@"') -> str:
    """What a person adds to the hook of another hook manager. Silent and harmless where foureyes is not installed, so
    that it can be shared. `arguments` is how the manager hands on those of git.
    """
    return (
        "foureyes=$(git rev-parse --git-common-dir)/foureyes/run.sh; "
        f'[ ! -f "$foureyes" ] || sh "$foureyes" {event}{arguments and " " + arguments} || :'
    )


def _fill(template: str, parts: dict[str, str]) -> str:
    for name, text in parts.items():
        # In a place where sh would choke on a bare mark, the template has it in a comment.
        template = template.replace(f"# @{name}@" if name == "VARIABLES" else f"@{name}@", text)
    return template


def _processes(catalogue: Catalogue) -> list[str]:
    return sorted({sign.text for agent in catalogue.agents for sign in agent.processes})


def _process_rows(catalogue: Catalogue) -> Iterable[str]:
    for agent in catalogue.agents:
        if agent.processes:
            names = " | ".join(_word(sign.text) for sign in agent.processes)
            yield f"{names}) foureyes_agent={agent.id} ;;"


def _terminal_rows(catalogue: Catalogue) -> Iterable[str]:
    for agent in catalogue.agents:
        if agent.not_with:
            yield f'{agent.id}) [ -z "{_any(agent.not_with)}" ] || foureyes_agent= ;;'


def _variables(catalogue: Catalogue) -> list[tuple[Agent, Variable]]:
    """All that may be noted; the cross-vendor AI_AGENT first, because it names the program itself."""
    pairs = [(agent, v) for agent in catalogue.agents for v in agent.environment if v.sign != "trap"]
    return sorted(pairs, key=lambda pair: pair[1].name != "AI_AGENT")


def _watched(catalogue: Catalogue) -> list[str]:
    names = {v.name for _, v in _variables(catalogue) if not v.name.startswith("/")}
    return sorted(names - _ALWAYS_SET)


def _other_signs(catalogue: Catalogue) -> str:
    signs = [v for _, v in _variables(catalogue) if v.name.startswith("/") or v.name in _ALWAYS_SET]
    tests = (
        f"-e {_word(v.name)}" if v.name.startswith("/") else f'"${{{v.name}-}}" = {_word(v.value)}'
        for v in signs
    )
    return " ".join(f"|| [ {test} ]" for test in tests)


def _variable_rows(catalogue: Catalogue) -> Iterable[str]:
    for agent, variable in _variables(catalogue):
        name, what = variable.name, f"{agent.id} {variable.sign}"
        guard = f'[ -n "{_any(agent.not_with)}" ] || ' if agent.not_with else ""
        gives = shlex.quote(variable.gives)
        if name.startswith("/"):
            yield f"if [ -e {_word(name)} ]; then foureyes_mark {what} {_word(name)} {variable.value} {gives}; fi"
            continue
        value = "set" if variable.private else f'"${{{name}}}"'
        mark = f"foureyes_mark {what} {name} {value} {gives}"
        yield f"{guard}case ${{{name}-}} in {_glob(variable.value)}) {mark} ;; esac"


def _agent_parts(catalogue: Catalogue, agent: Agent) -> dict[str, str]:
    return {
        "TITLE": shlex.quote(agent.name),
        "ADDRESS": shlex.quote(_address(agent)),
        "LINES": _naming_row(catalogue, agent.vendor, _lines_of),
        "NAMES": _naming_row(catalogue, agent.vendor, _names_of),
    }


def _address(agent: Agent) -> str:
    if agent.addresses:
        return agent.addresses[0].text
    numbered = [account for account in agent.accounts if account.id is not None]
    return f"{numbered[0].id}+{numbered[0].login}@users.noreply.github.com" if numbered else ""


def _naming_row(catalogue: Catalogue, vendor: str, forms: Callable[[Agent], Iterable[str]]) -> str:
    """The forms in which a vendor's agents name themselves in a message."""
    agents = [a for a in catalogue.agents if a.vendor == vendor and a.kind in {"local", "cloud"}]
    found = dict.fromkeys(form for agent in agents for form in forms(agent))
    return f"{' | '.join(found)}) foureyes_named=1 ;;" if found else "*) ;;"


def _lines_of(agent: Agent) -> Iterable[str]:
    for address in agent.addresses:
        yield f"*{_word(f'<{address.text}>')}*"
    for account in agent.accounts:
        yield "*" + _word(f"<{account.id}+" if account.id is not None else f"<{account.login}@") + "*"
    for trailer in agent.trailers:
        yield f"{_word(trailer.text)}:*"
    for line in agent.lines:
        yield f"*{_glob(line.text)}"


def _names_of(agent: Agent) -> Iterable[str]:
    for name in dict.fromkeys((agent.id, *(sign.text for sign in agent.names))):
        start = _any_case(name)
        yield from (start, f"{start}:*", f"{start}\\ [\\(0123456789]*")


def _any(names: Iterable[str]) -> str:
    return "".join(f"${{{name}-}}" for name in names)


def _any_case(text: str) -> str:
    return "".join(f"[{c.lower()}{c.upper()}]" if c.isalpha() else _word(c) for c in text)


def _word(text: str) -> str:
    """A text that sh takes letter for letter in a pattern."""
    return "".join(c if c.isalnum() or c in "_-./:" else f"\\{c}" for c in text)


def _glob(pattern: str) -> str:
    """The catalogue's globs are sh's own; only what would end a word has to be escaped."""
    return "".join(f"\\{c}" if c in " ()|&;<>$`\"'#~" else c for c in pattern)

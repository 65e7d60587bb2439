"""Programs that are killed in the middle, at a step that a test chooses, as a power cut would end them."""

import sys
from pathlib import Path

from support_git import python_env

_TRACE = r"""
foureyes_test_step() {
    read -r step <"@STEPS@"
    step=$((step + 1))
    echo "$step" >"@STEPS@"
    if [ "$step" -eq @AT@ ]; then kill -9 $$; fi
}
PS4='$(foureyes_test_step 2>/dev/null)'
set -x
"""
_EVENTS = ("open", "os.mkdir", "os.rename", "os.remove", "fcntl.flock", "subprocess.Popen")
_PYTHON = """
import os, signal, sys
left = int(sys.argv[1])
def step(event, arguments):
    global left
    if event in {events!r} and not (event == "open" and isinstance(arguments[1], str) and arguments[1][:1] == "r"):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
{first}
sys.addaudithook(step)
{then}
sys.stdout.flush()
os.write(2, b"steps left: %d" % left)
os._exit(0)
"""


class ShellSteps:
    """The hooks of `repo`, killed at a command of theirs. A step is a command of the shell, built in or not."""

    def __init__(self, repo: Path, scratch: Path) -> None:
        self._steps = scratch / "steps"
        self._script = repo / ".git" / "foureyes" / "capture.sh"
        self._text = self._script.read_text()

    def kill_at(self, step: int) -> None:
        """At that step of all that is run from now on, whichever hook; 0 for never, steps are only counted."""
        self._steps.write_text("0\n")
        trace = _TRACE.replace("@STEPS@", str(self._steps)).replace("@AT@", str(step))
        self._script.write_text(trace + self._text)

    def no_more(self) -> None:
        self._script.write_text(self._text)

    @property
    def count(self) -> int:
        return int(self._steps.read_text())


def python_steps(first: str, then: str, step: int) -> list[str]:
    """A command that runs `first` and `then`, and is killed in `then` at a step: where it opens a file for writing,
    renames, removes or locks one, or starts a program. Says on stderr how many steps were left when it was not killed.
    """
    paths = f"sys.path[:0] = {list(python_env().values())!r}\n"
    code = _PYTHON.format(events=_EVENTS, first=paths + first, then=then)
    return [sys.executable, "-c", code, str(step)]

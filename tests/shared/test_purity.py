"""The core does no I/O: seen by the interpreter's own audit events while it parses, judges and explains."""

import os
import subprocess
import sys

_SCRIPT = """
import sys
sys.path[:0] = sys.argv[1:]
from foureyes.shared import evaluate, explain, facts, policy_text
from foureyes.shared.evaluate import evaluate as run
import support_facts as given
case = given.facts(reviews=(given.review(given.RITA), given.review(given.SAM, number=1)))
case = facts.load(facts.dump(case))  # imports are not what is judged
policy_text.parse_policy('version: 1\\nroster: ["@acme/x"]\\nprotected: ["infra/**"]\\n')
run(case, given.POLICY)
seen = []
def hook(event, args):
    if event.startswith(("open", "socket", "subprocess", "os.", "shutil", "tempfile", "sqlite3", "urllib", "time")):
        seen.append((event, str(args)[:200]))
sys.addaudithook(hook)
parsed = policy_text.parse_policy('version: 1\\nroster: ["@acme/y"]\\nprotected: ["db/**"]\\n')
for policy in (parsed, given.POLICY):
    judgement = run(facts.load(facts.dump(case)), policy)
    told = explain.explain(case, policy, judgement)
    assert told.summary and told.text and told.terminal
print(seen)
open(sys.executable, "rb").close()
print(len(seen) > 0)
"""


def test_the_core_does_no_io(checkout):
    ways = [str(checkout / ".types"), str(checkout / "tests")]
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, *ways],
        capture_output=True,
        text=True,
        env=os.environ.copy(),
        check=False,
    )
    assert done.stderr == ""
    nothing, hook_works = done.stdout.splitlines()
    assert nothing == "[]"
    assert hook_works == "True"

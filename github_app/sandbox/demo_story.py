"""The demo's story: each scene does something real, shows it, and says so if it is not as told."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foureyes.github_app.explain_command import columns
from foureyes.github_app.sandbox.demo_stage import AGENT_SHELLS, Stage
from foureyes.github_app.sandbox.visitor import Answer, told
from foureyes.shared.explanation import wrapped
from foureyes.shared.rules import RULES

RULE_NAMES = ("mergeable", "shown", "no_agents", "recorded", "two_humans")
"""Written out on purpose: a build that lost a rule must not tell this story to its end. It need not know every one."""

# A dead path alone leaves the hooks in the configuration running, which git 2.54 and newer knows.
_HOOKS_OFF = (
    *("-c", f"core.hooksPath={os.devnull}"),
    *("-c", "hook.foureyes-prepare-commit-msg.enabled=false"),
    *("-c", "hook.foureyes-post-commit.enabled=false"),
)


class NotAsTold(Exception):
    """A scene ended otherwise than it should."""


@dataclass(frozen=True)
class Plot:
    """What the story is played on: a protected folder with two files, and a file that nobody waits for."""

    protected: str
    edited: str
    deleted: str
    free: str


SHOP = Plot("infra", "infra/network.tf", "infra/storage.tf", "docs/handbook.md")


@dataclass
class Story:
    stage: Stage
    plot: Plot
    echo: Callable[[str], object]
    patience: float = 30.0
    """Seconds that a check is waited for."""
    clone: Path = Path()
    scenes: int = 0

    def tell(self) -> None:
        """Raises NotAsTold at the first thing that is not as told."""
        self.expect("this build has every rule", {r.name for r in RULES} >= set(RULE_NAMES))
        self.install()
        self.human_change()
        agents = self.agent_change()
        self.operator_approves(agents)
        self.colleagues_approve(agents)
        self.dodge_the_hooks()
        self.hide_from_reviewers()
        self.replay(agents)

    # -- scenes -------------------------------------------------------------------------------------------------

    def install(self) -> None:
        self.scene("@olga clones the repository and installs the hooks, once.")
        self.clone = self.stage.clone("olga")
        self.stage.give_key("olga")
        done = self.stage.foureyes("olga", "install", "--login", "olga", cwd=self.clone)
        self.show("$ foureyes install", done.stdout)

    def human_change(self) -> None:
        self.scene(f"@olga changes `{self.plot.free}` by hand. Nobody has to wait for that.")
        self.branch("handbook")
        self.append(self.plot.free, "One more sentence, typed by a person.\n")
        self.commit("Say one more thing")
        self.push("handbook")
        number = self.stage.visitor("olga").open_pull("handbook", "Say one more thing")
        check = self.check(number, "completed")
        self.expect("the check passes without a review", check["conclusion"] == "success", check)
        self.expect("it merges at once", self.stage.visitor("olga").merge(number).status == 200)
        self.say(f"#{number} foureyes   {check['output']['title']}  → merged")

    def agent_change(self) -> int:
        self.scene(f"Three agents of @olga change `{self.plot.protected}/`; one of them deletes a file.")
        self.branch("agents-at-work")
        self.claude_edits(self.plot.edited, "# tuned by an agent\n")
        self.commit("Tune it", agent="Claude Code")
        self.stage.git("olga", "rm", "-q", self.plot.deleted, cwd=self.clone)
        self.commit("Remove what looks unused", agent="Codex")
        self.append(self.plot.edited, "# and once more\n")
        self.commit("Tune it again", agent="GitHub Copilot CLI")
        log = self.stage.git("olga", "log", "-3", "--format=%h %s%n%(trailers)", cwd=self.clone)
        self.show("$ git log -3   (trailers written by the hooks)", log)
        self.push("agents-at-work")
        shown = self.stage.foureyes("olga", "show", "HEAD~1", cwd=self.clone)
        self.show("$ foureyes show HEAD~1   (the record that was published with the push)", shown.stdout)
        number = self.stage.visitor("raj").open_pull("agents-at-work", "Tune the infrastructure")
        self.say(f"@raj opens pull request #{number} for it.")
        check = self.check(number, "in_progress", "0 of 2")
        self.show_check(number, check)
        for agent in AGENT_SHELLS:
            self.expect(f"the check names {agent}", agent in check["output"]["summary"], check)
        for rule in RULE_NAMES:
            self.expect(f"the check lists the rule {rule}", f"`{rule}`" in check["output"]["text"], check)
        return number

    def operator_approves(self, number: int) -> None:
        self.scene("@olga, who ran the agents, approves. The approval is shown, and does not count.")
        self.approve("olga", number)
        check = self.check(number, "in_progress", "0 of 2")
        check = self.check_text(number, "@olga ran", "the approval is shown but is not one of the two")
        self.show_lines(check, "Does not count")
        refused = self.stage.visitor("olga").merge(number)
        self.expect("GitHub refuses the merge", refused.status == 405, refused)
        self.say(f"@olga presses merge: refused ({refused.message.splitlines()[-1]})")

    def colleagues_approve(self, number: int) -> None:
        self.scene("@ana approves: 1 of 2. @ben approves: passed.")
        self.approve("ana", number)
        check = self.check(number, "in_progress", "1 of 2")
        self.say(f"#{number} foureyes   {check['output']['title']}")
        refused = self.stage.visitor("ana").merge(number)
        self.expect("one approval does not merge", refused.status == 405, refused)
        self.approve("ben", number)
        check = self.check(number, "completed")
        self.expect("the check passes", check["conclusion"] == "success", check)
        self.show_check(number, check)
        self.expect("the merge goes through", self.stage.visitor("olga").merge(number).status == 200)
        self.say("merged")

    def dodge_the_hooks(self) -> None:
        self.scene("A second attempt, with a dead hooks path and without trailers: no record, no gain.")
        self.branch("quietly")
        self.append(self.plot.edited, "# quietly\n")
        self.commit("Small cleanup", *_HOOKS_OFF, agent="Claude Code")
        message = self.stage.git("olga", "log", "-1", "--format=%B", cwd=self.clone)
        self.expect("the commit names no agent", message.strip() == "Small cleanup", message)
        self.stage.git("olga", "push", "-q", "--no-verify", "origin", "quietly", cwd=self.clone)
        number = self.stage.visitor("raj").open_pull("quietly", "Small cleanup")
        check = self.check(number, "in_progress", "no record")
        self.show_check(number, check)
        self.approve("ana", number)
        check = self.check(number, "in_progress", "1 of 2")
        refused = self.stage.visitor("olga").merge(number)
        self.expect("it cannot merge with one approval", refused.status == 405, refused)
        self.say(f"#{number} foureyes   {check['output']['title']}")

    def hide_from_reviewers(self) -> None:
        self.scene(
            "A third attempt: a history whose diff on GitHub is empty, while the merge changes a file."
        )
        self.criss_cross("hidden")
        self.stage.git("olga", "push", "-q", "origin", "hidden", cwd=self.clone)
        number = self.stage.visitor("raj").open_pull("hidden", "Merge main")
        check = self.check(number, "completed", "hides")
        self.expect("it is refused", check["conclusion"] == "failure", check)
        self.show_lines(check, "Stopped by")
        self.expect("and cannot merge", self.stage.visitor("olga").merge(number).status == 405)

    def replay(self, number: int) -> None:
        self.scene(
            "The decision on the agents' change is stored with all that it rested on. It is judged again."
        )
        decision = self.stage.decision(number)
        done = self.stage.foureyes(
            "noor", "replay", decision, "--json", cwd=self.stage.folder, more=self.stage.app
        )
        answer = json.loads(done.stdout)
        self.expect("the same bytes come out", bool(answer.get("equal")), answer)
        self.say(f"$ foureyes replay {decision}  → equal, to the byte")

    # -- what people and agents do ------------------------------------------------------------------------------

    def branch(self, name: str) -> None:
        self.stage.git("olga", "fetch", "-q", "origin", cwd=self.clone)
        self.stage.git("olga", "checkout", "-q", "-B", name, "origin/main", cwd=self.clone)

    def append(self, path: str, text: str) -> None:
        target = self.clone / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("a", encoding="utf-8") as file:
            file.write(text)

    def commit(self, message: str, *options: str, agent: str = "") -> None:
        more = AGENT_SHELLS.get(agent, {})
        self.stage.git("olga", "add", "-A", cwd=self.clone)
        self.stage.git("olga", *options, "commit", "-q", "-m", message, cwd=self.clone, more=more)

    def claude_edits(self, path: str, text: str) -> None:
        """An edit as Claude Code makes it: its hook before, the edit, its hook after."""
        payload: dict[str, Any] = {
            "session_id": AGENT_SHELLS["Claude Code"]["CLAUDE_CODE_SESSION_ID"],
            "cwd": str(self.clone),
            "tool_name": "Edit",
            "tool_use_id": "toolu_01",
            "tool_input": {"file_path": str(self.clone / path)},
        }
        more = AGENT_SHELLS["Claude Code"]
        for event in ("PreToolUse", "PostToolUse"):
            if event == "PostToolUse":
                self.append(path, text)
            body = json.dumps({**payload, "hook_event_name": event})
            self.stage.foureyes("olga", "checkpoint", "claude-code", cwd=self.clone, stdin=body, more=more)

    def push(self, branch: str) -> None:
        done = self.stage.run("olga", ("git", "push", "-q", "-u", "origin", branch), self.clone)
        if done.stderr.strip():
            self.show(f"$ git push -u origin {branch}", done.stderr)

    def criss_cross(self, name: str) -> None:
        """main and the branch merge each other; the branch keeps its old content of a protected file. Which merge base
        GitHub's diff starts from depends on commit dates alone, and the author writes those.
        """
        git, clone = self.stage.git, self.clone
        self.branch(name)
        start = git("olga", "rev-parse", "HEAD", cwd=clone)
        future = {"GIT_COMMITTER_DATE": "2030-01-01T00:00:00Z", "GIT_AUTHOR_DATE": "2030-01-01T00:00:00Z"}
        git("olga", "commit", "-q", "--allow-empty", "-m", "Side", cwd=clone, more=future)
        side = git("olga", "rev-parse", "HEAD", cwd=clone)
        self.stage.land("noor", start, self.plot.edited, side)
        git("olga", "fetch", "-q", "origin", cwd=clone)
        landed = git("olga", "rev-parse", "origin/main^1", cwd=clone)
        git("olga", "merge", "-q", "-s", "ours", "-m", "Merge main", landed, cwd=clone)

    def approve(self, login: str, number: int) -> None:
        answer: Answer = self.stage.visitor(login).review(number)
        self.expect(f"@{login} can review", answer.status == 200, answer)

    # -- looking and telling ------------------------------------------------------------------------------------

    def check(self, number: int, status: str, title: str = "") -> dict[str, Any]:
        """The check once it has this status and these words in its title."""
        return self._wait(number, lambda c: c["status"] == status and title in (c["output"]["title"] or ""))

    def check_text(self, number: int, *words: str) -> dict[str, Any]:
        return self._wait(number, lambda c: all(w in (c["output"]["summary"] or "") for w in words))

    def _wait(self, number: int, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """A check that passes where it should not ends the story: no later one can make that good."""

        def come(check: dict[str, Any]) -> bool:
            if wanted(check):
                return True
            self.expect("nothing passes too early", check["conclusion"] != "success", told(check))
            return False

        try:
            return self.stage.visitor("noor").wait_for_check(number, come, self.patience)
        except TimeoutError as late:
            raise NotAsTold(str(late)) from late

    def expect(self, what: str, holds: bool, got: object = "") -> None:
        if not holds:
            raise NotAsTold(f"expected that {what}; got {got}")

    def scene(self, text: str) -> None:
        self.scenes += 1
        self.echo(f"\n{self.scenes}. {text}\n")

    def say(self, text: str) -> None:
        self.echo(f"   {text}")

    def show(self, heading: str, text: str) -> None:
        self.say(heading)
        for line in text.rstrip().splitlines():
            self.say(f"  {line}" if line else "")

    def show_check(self, number: int, check: dict[str, Any]) -> None:
        self.say(f"#{number} foureyes   {check['output']['title']}")
        for line in _readable(check["output"]["summary"]):
            self.say(f"  │ {line}")

    def show_lines(self, check: dict[str, Any], heading: str) -> None:
        self.say(f"foureyes   {check['output']['title']}")
        for block in check["output"]["summary"].split("\n\n"):
            if block.startswith(f"**{heading}"):
                for line in _readable(block):
                    self.say(f"  │ {line}")


def _readable(markdown: str) -> list[str]:
    """The check's text as the page shows it, for a terminal."""
    plain = markdown.replace("**", "").replace("`", "").replace("*", "")
    room = max(columns() - len("     │ "), 0)
    return [line for line in wrapped(plain, room).splitlines() if line]

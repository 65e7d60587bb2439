"""Git's own answer to "which of these paths do these patterns match": the oracle for our matcher."""

import subprocess
from collections.abc import Sequence
from pathlib import Path


class CheckIgnore:
    """One empty repository, asked again and again. Nothing needs to exist on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
        (folder / ".git" / "info").mkdir(exist_ok=True)

    def matched(self, patterns: Sequence[str], paths: Sequence[str]) -> set[str]:
        (self._folder / ".git" / "info" / "exclude").write_text("".join(f"{line}\n" for line in patterns))
        asked = subprocess.run(
            ["git", "check-ignore", "--no-index", "--stdin", "-z"],
            input="".join(f"{path}\0" for path in paths).encode(),
            cwd=self._folder,
            capture_output=True,
        )
        # 0: some match, 1: none does.
        assert asked.returncode in (0, 1), asked.stderr
        return set(filter(None, asked.stdout.decode().split("\0")))

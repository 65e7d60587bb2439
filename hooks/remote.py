"""A remote, as git's hook and git's configuration name it."""

import re
from typing import NamedTuple

CREDENTIALS = r"//[^/@\s]+@"
"""What of a URL is no one's business."""
FETCH = ("--no-tags", "--quiet", "--no-write-fetch-head", "--recurse-submodules=no")


class Remote(NamedTuple):
    """`name` as git knows it, `url` the place that is pushed to."""

    name: str
    url: str

    @property
    def tracked(self) -> str:
        """rev-list's option for what this repository knows of the remote: of all remotes, if it has no name."""
        return f"--remotes={self.name}" if self.name != self.url else "--remotes"

    @property
    def slug(self) -> str:
        """`host/owner/name`; empty for a folder on this machine."""
        found = re.fullmatch(
            r"(?:[a-z+]+://)?(?:[^/@]+@)?([^/:@]+(?::\d+(?=/))?)[:/]+(.+?)(?:\.git)?/?", self.url
        )
        if found is None or self.url.startswith(("/", ".", "file:")):
            return ""
        return f"{found[1]}/{found[2]}"

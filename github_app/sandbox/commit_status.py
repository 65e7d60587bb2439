"""A commit status: the older kind of check, which is nobody's in particular."""

from dataclasses import dataclass

from foureyes.github_app.sandbox.state import App, User


@dataclass(eq=False)
class CommitStatus:
    """Anyone who may write statuses gives them any name. `app`: whose token it came with, None for a person's."""

    id: int
    sha: str
    context: str
    state: str
    creator: User
    app: App | None
    created_at: str
    description: str | None = None
    target_url: str | None = None

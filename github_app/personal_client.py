"""GitHub for a person who asks what the App would say, with that person's own token."""

from collections.abc import Mapping

from foureyes.github_app.client import Answer, GitHub, GitHubError, Observer, tell_nobody
from foureyes.github_app.settings import Settings


class PersonalGitHub(GitHub):
    """GitHub as one person sees it, with that person's own token: it reads, and writes nothing."""

    def __init__(self, settings: Settings, token: str, *, observe: Observer = tell_nobody) -> None:
        super().__init__(settings, observe=observe)
        self._personal = token

    def token(self, installation_id: int) -> str:  # noqa: ARG002
        return self._personal

    def may_write(self, installation_id: int, permission: str) -> bool:  # noqa: ARG002
        return False

    def as_app(
        self,
        verb: str,
        path: str,
        body: object = None,  # noqa: ARG002
        *,
        params: Mapping[str, str] | None = None,  # noqa: ARG002
    ) -> Answer:
        raise GitHubError(f"{verb} {path}: only the App may ask this")

    def send(
        self,
        installation_id: int,
        verb: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        urgent: bool = False,
    ) -> Answer:
        if verb != "GET" and path != self.graphql_path:
            raise GitHubError(f"{verb} {path}: nothing is written with a person's token")
        return super().send(
            installation_id, verb, path, params=params, body=body, headers=headers, urgent=urgent
        )

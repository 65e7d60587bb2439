"""What GitHub hands over for the code of a new App, read strictly: half of it is no App."""

import re
from dataclasses import dataclass
from typing import Any

from foureyes.github_app.client import GitHub, GitHubError
from foureyes.github_app.credentials import Credentials
from foureyes.github_app.settings import Settings, private_key_problem

_SLUG = re.compile(r"[A-Za-z0-9._-]{1,100}")
_LOGIN = re.compile(r"[A-Za-z0-9_-]{1,100}")
_SECRET = re.compile(r"[\x21-\x2b\x2d-\x7e]{16,200}")


@dataclass(frozen=True)
class Made:
    credentials: Credentials
    name: str
    owner: str
    is_persons: bool
    install_url: str
    settings_url: str


def trade(github: GitHub, code: str) -> Any:
    """GitHub's answer to the code. Raises GitHubError whose text does not hold the code: unspent, it opens the App."""
    try:
        return github.as_nobody("POST", f"/app-manifests/{code}/conversions").data
    except GitHubError as error:
        raise GitHubError(error.why.replace(code, "..."), error.status) from None


def read_answer(answer: Any, settings: Settings) -> Made:
    """Raises GitHubError if anything that is needed is missing or odd; the text repeats nothing of it."""
    try:
        owner, slug, app_id, pem = answer["owner"], answer["slug"], answer["id"], answer["pem"]
        login, is_persons = owner["login"], owner.get("type") != "Organization"
        name, page, secret = str(answer["name"]), str(answer.get("html_url", "")), answer["webhook_secret"]
    except (KeyError, TypeError, AttributeError) as error:
        raise GitHubError("its answer was not understood") from error
    if type(app_id) is not int or app_id < 1 or not _matches(_SLUG, slug) or not _matches(_LOGIN, login):
        raise GitHubError("its answer names no App")
    wrong = private_key_problem(pem) if isinstance(pem, str) else "is missing"
    if wrong:
        raise GitHubError(f"the key in its answer {wrong}")
    if not _matches(_SECRET, secret):
        raise GitHubError("its answer holds no webhook secret")
    found = Credentials(app_id, settings.github_url, pem, (secret,))
    # Only GitHub's own address is linked to; Enterprise Server has its Apps below another path.
    web = settings.github_url
    page = page if page.startswith(f"{web}/") else f"{web}/apps/{slug}"
    whose = "" if is_persons else f"/organizations/{login}"
    return Made(
        found, name, login, is_persons, f"{page}/installations/new", f"{web}{whose}/settings/apps/{slug}"
    )


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and bool(pattern.fullmatch(value))

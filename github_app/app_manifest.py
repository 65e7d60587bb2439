"""The App as GitHub is asked to make it: app.yml, which is packaged, and the addresses of this one server."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

WEBHOOK_PATH = "/webhook"


@cache
def _packaged() -> dict[str, Any]:
    """app.yml at the top of the project; a test holds the packaged copy to it."""
    text = (files("foureyes.github_app") / "app.yml").read_text("utf-8")
    manifest: dict[str, Any] = yaml.safe_load(text)
    return manifest


def manifest(name: str, public_url: str, redirect_url: str) -> dict[str, Any]:
    """What is posted to GitHub. `public_url` has no slash at its end."""
    return {
        **_packaged(),
        "name": name,
        "description": " ".join(str(_packaged()["description"]).split()),
        "url": public_url,
        "hook_attributes": {"url": f"{public_url}{WEBHOOK_PATH}", "active": True},
        "redirect_url": redirect_url,
    }


def permissions(level: str) -> tuple[str, ...]:
    """Names of what the App asks to `read` or `write`."""
    return tuple(name for name, asked in _packaged()["default_permissions"].items() if asked == level)


def missing(granted: Mapping[str, str], events: object) -> tuple[str, ...]:
    """What an App that is there already does not have of app.yml: `checks: write`, `event push`."""
    heard = events if isinstance(events, list) else []
    return (
        *(
            f"{name}: {level}"
            for name, level in _packaged()["default_permissions"].items()
            if granted.get(name) not in (level, "write", "admin")
        ),
        *(f"event {event}" for event in _packaged()["default_events"] if event not in heard),
    )

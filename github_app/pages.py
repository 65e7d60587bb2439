"""The few pages for people: plain HTML that loads nothing, runs nothing and can be framed by nobody."""

import secrets
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from flask import Response
from jinja2 import Environment, FunctionLoader, StrictUndefined


def render(page: str, *, status: int = 200, sends_to: Sequence[str] = (), **values: object) -> Response:
    """The template `PAGE.html` as an answer. `sends_to`: where its forms may lead besides this server."""
    nonce = secrets.token_urlsafe(16)
    text = _environment().get_template(f"{page}.html").render(nonce=nonce, **values)
    response = Response(text, status, content_type="text/html; charset=utf-8")
    response.headers.update(
        {
            "Content-Security-Policy": "; ".join(
                (
                    "default-src 'none'",
                    f"style-src 'nonce-{nonce}'",
                    " ".join(("form-action 'self'", *sends_to)),
                    "frame-ancestors 'none'",
                    "base-uri 'none'",
                )
            ),
            "Cache-Control": "no-store",
            # Not "no-referrer": browsers would then send `Origin: null` with our own forms.
            "Referrer-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Opener-Policy": "same-origin",
        }
    )
    return response


@cache
def _environment() -> Environment:
    folder = files("foureyes.github_app")
    return Environment(
        loader=FunctionLoader(lambda name: (folder / name).read_text("utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

"""Secrets out of every text that leaves: logs, errors, stored failures."""

import re
from collections.abc import Iterable
from urllib.parse import quote

HIDDEN = "[redacted]"

_PATTERNS = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"\bgh[a-z]_[A-Za-z0-9._-]{36,}"),
    re.compile(r"\bgithub_pat_[A-Za-z0-9_]{22,}"),
    re.compile(r"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+"),  # a JSON web token
)
_AUTHORIZATION = re.compile(
    r"(?i)(authorization[\"']?\s*[:=]\s*[\"']?)(?:(?:basic|bearer|token)\s+)?[^\s\"',;]+"
)
_USER_IN_URL = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^/\s@\"']+@")

_SHORTEST = 8
"""A known secret that is shorter would take ordinary words out of every line."""
_known: set[str] = set()


def hide(secrets: Iterable[str]) -> None:
    """From now on these are taken out wherever they stand, whatever they look like; a key also line by line."""
    for secret in secrets:
        lines = [secret, *secret.splitlines()]
        forms = {form for line in lines for form in (line.strip(), quote(line.strip(), safe=""))}
        _known.update(form for form in forms if len(form) >= _SHORTEST and not form.startswith("-----"))


def redact(text: str) -> str:
    for secret in sorted(_known, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    for pattern in _PATTERNS:
        text = pattern.sub(HIDDEN, text)
    text = _AUTHORIZATION.sub(rf"\1{HIDDEN}", text)
    return _USER_IN_URL.sub(rf"\1{HIDDEN}@", text)

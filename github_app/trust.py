"""Whose certificates are believed: where an organisation has a CA of its own, git and the API believe it alike."""

import os

_NAMES = ("GIT_SSL_CAINFO", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


def ca_file() -> str | None:
    """A file of certificates in PEM form that the environment names; None: those that come with the programs."""
    return next((os.environ[name] for name in _NAMES if os.environ.get(name)), None)

"""The version that `--version` shows and every record carries."""

VERSION = "0.1.0"
"""A constant, because a hook starts Python without site-packages metadata; a test holds it to pyproject.toml."""

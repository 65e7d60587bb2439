"""Small pieces of text for people, safe against names that the author of a pull request chose."""

from collections.abc import Sequence

_SHOWN = 120


def code(text: str) -> str:
    """Markdown code span; control characters and back-ticks cannot break out of it."""
    plain = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text.replace("`", "'"))
    if len(plain) > _SHOWN:
        plain = f"{plain[: _SHOWN - 1]}…"
    return f"`{plain or ' '}`"


def short(oid: str) -> str:
    return code(oid[:7])


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 file`, `28,745 lines`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def share(part: int, whole: int, noun: str) -> str:
    """`3 of 4 commits`, `all 4 commits`, `its only commit`."""
    if part < whole:
        return f"{part:,} of {count(whole, noun)}"
    return f"its only {noun}" if whole == 1 else f"all {count(whole, noun)}"


_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def in_words(number: int) -> str:
    """`one`, `two`; beyond ten in digits."""
    return _WORDS[number] if 0 <= number < len(_WORDS) else f"{number:,}"


def either(words: Sequence[str], most: int = 3) -> str:
    """`@ana, @raj or @mia`; beyond `most`, how many more."""
    if len(words) > most:
        return f"{', '.join(words[:most])} or {len(words) - most} more"
    return _joined(words, "or")


def both(words: Sequence[str], most: int = 5) -> str:
    if len(words) > most:
        return f"{', '.join(words[:most])} and {len(words) - most} more"
    return _joined(words, "and")


def _joined(words: Sequence[str], last: str) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def plain(text: str) -> str:
    """The same for a terminal: no back-ticks, no bold, no emphasis."""
    return text.replace("`", "").replace("**", "").replace("*", "")

"""Bracket expressions of a pattern, `[a-z]`, `[!0-9]`, `[[:digit:]]`, read as git reads them."""

_NAMED = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": r"\x21-\x7e",
    "lower": "a-z",
    "print": r"\x20-\x7e",
    "punct": r"\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e",
    "space": r" \t\n\r\f\v",
    "upper": "A-Z",
    "xdigit": "0-9a-fA-F",
}


class PatternProblem(ValueError):
    """`str()` says what is wrong; `hint` what to write instead."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def read_class(piece: str, start: int) -> tuple[str, int]:
    """The class that opens at `start` as regular expression for one character that is no slash, and the place
    behind it. Raises PatternProblem.
    """
    at = start + 1
    negated = piece[at : at + 1] in {"!", "^"}
    members, end = _members(piece, at + negated)
    sign = "^" if negated else ""
    # A slash is never matched, not even by what a class leaves out or by a range over it.
    return f"(?!/)[{sign}{''.join(members)}]", end


def _members(piece: str, start: int) -> tuple[list[str], int]:
    """Ranges as regular expression members. A `]` in first place is a member."""
    members: list[str] = []
    at = start
    low = ""
    while at == start or piece[at : at + 1] != "]":
        if piece.startswith("[:", at) and (named := _named(piece, at)):
            member, at = named
            members.append(member)
            low = ""
            continue
        if low and piece[at : at + 1] == "-" and piece[at + 1 : at + 2] not in {"", "]"}:
            high, at = _character(piece, at + 1)
            if high < low:
                raise PatternProblem(f"the range {low}-{high} is empty", f"write {high}-{low}")
            members[-1] = f"{_escaped(low)}-{_escaped(high)}"
            low = ""
            continue
        low, at = _character(piece, at)
        members.append(_escaped(low))
    return members, at + 1


def _named(piece: str, at: int) -> tuple[str, int] | None:
    """`[:digit:]`; None if this is not closed by `:]`, and so a set of its own characters."""
    close = piece.find("]", at + 2)
    if close < 0 or piece[close - 1] != ":" or close - 1 < at + 2:
        return None
    name = piece[at + 2 : close - 1]
    if name not in _NAMED:
        raise PatternProblem(f"[:{name}:] is no class", f"known: {', '.join(_NAMED)}")
    return _NAMED[name], close + 1


def _character(piece: str, at: int) -> tuple[str, int]:
    escaped = piece[at : at + 1] == "\\"
    found = piece[at + escaped : at + escaped + 1]
    if not found:
        raise PatternProblem("a [ is not closed in the same component", r"write \[ for the character")
    return found, at + escaped + 1


def _escaped(character: str) -> str:
    return f"\\U{ord(character):08x}"

"""A path of a git tree as text: always printable, always exact, and foldable so that look-alikes are found.

Git's paths are bytes. `decode` writes them as UTF-8 text in which a backslash is `\\\\`, and every byte of anything
that is not valid UTF-8, or that would not be seen on a screen, is `\\xNN`. `encode` is its exact inverse.
"""

import re
from functools import cache

MAX_PATH_BYTES = 4096

# A fixed list, not `str.isprintable`: the text of a path is stored and compared, so it must not change with the
# Unicode tables of a Python version. Controls, soft hyphen, zero-width and direction marks, line and paragraph
# separators, byte order mark, annotation marks, tags, and the surrogates that stand for bytes outside UTF-8.
_UNSEEN = (
    r"\x00-\x1f\x7f-\x9f\xad\u061c\u180b-\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    r"\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e01ef"
)
_SHORT = r"(?=[^.]{3,8}(?:\.|\Z))[^.]+~[0-9]+(?:\.[^.]{0,3})?"
"""The second name that Windows gives a file or folder with a long one: `PAYMEN~1` is `payments-service`."""

_ESCAPE = r"\\(?:(\\)|x([0-9a-f]{2})|)"


@cache
def _escaped() -> re.Pattern[str]:
    """Made when it is first needed: most names are plain, and commands that somebody waits for read few."""
    return re.compile(rf"[\\{_UNSEEN}]")


def decode(raw: bytes) -> str:
    """The text of a path. Different bytes give different texts."""
    text = raw.decode("utf-8", "surrogateescape")
    if text.isascii() and text.isprintable() and "\\" not in text:  # what is printable in ASCII stays so
        return text
    return _escaped().sub(_escape, text)


def unseen(text: str) -> str:
    """Its first character that would not be seen on a screen, "" for none."""
    found = _escaped().search(text.replace("\\", ""))
    return found[0] if found else ""


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    if character == "\\":
        return "\\\\"
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))


def encode(path: str) -> bytes:
    """The bytes of a path. Raises ValueError on a text that `decode` never gives: two texts never mean one path."""
    raw = plain(path).encode("utf-8", "surrogateescape")
    if decode(raw) != path:
        raise ValueError(f"{path!r} is not the text of a path")
    return raw


def plain(path: str) -> str:
    """The path with its escapes undone: one character each, bytes outside UTF-8 as lone surrogates. For matching,
    never for showing. Raises ValueError on an escape that `decode` never writes.
    """
    if "\\" not in path:
        return path
    raw = b"".join(_pieces(path))
    return raw.decode("utf-8", "surrogateescape")


def _pieces(path: str) -> list[bytes]:
    pieces: list[bytes] = []
    end = 0
    for escape in re.finditer(_ESCAPE, path):
        pieces.append(path[end : escape.start()].encode())
        if escape[1]:
            pieces.append(b"\\")
        elif escape[2]:
            pieces.append(bytes.fromhex(escape[2]))
        else:
            raise ValueError(f"{path!r} is not the text of a path: a backslash stands alone")
        end = escape.end()
    pieces.append(path[end:].encode())
    return pieces


def fold(path: str) -> str:
    """One text for all spellings that a file system without case, or with another normal form, takes for one name:
    NFC and case-folded. `fold(fold(p)) == fold(p)`, and components stay apart.
    """
    if path.isascii():
        return path.lower()
    import unicodedata  # few names need it

    # Unicode's canonical caseless match: decomposed before folding, for folding moves the iota subscript.
    folded = unicodedata.normalize("NFD", unicodedata.normalize("NFD", path).casefold())
    return unicodedata.normalize("NFC", folded)


def is_odd(path: str) -> bool:
    """True for a name that no honest change needs, or that some system reads as another name: escapes, an empty
    component, `.` and `..`, `.git` in any spelling that a file system takes for it, a trailing dot or space
    (dropped on Windows), a short name of Windows, and more than 4,096 bytes.
    """
    if "\\" in path or len(path.encode("utf-8", "surrogatepass")) > MAX_PATH_BYTES:
        return True
    return any(map(_is_odd_component, path.split("/")))


def _is_odd_component(component: str) -> bool:
    # "." and ".." and "" end in a dot or are empty, so the first test holds them too.
    if not component or component[-1] in ". " or ("~" in component and re.fullmatch(_SHORT, component)):
        return True
    if component[0] not in ".gG":
        return False
    name = fold(component).partition(":")[0].rstrip(". ")
    return name in {".git", "git~1"}

"""SSH's binary encoding (RFC 4251, section 5), read strictly: every byte is accounted for."""

MIN_RSA_BITS = 2048
MAX_RSA_BITS = 16_384
"""Of the keys that are accepted."""


class WireError(ValueError):
    """Completes "the signature was not read: ..." for a person."""


class Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        part = self._data[self._at : self._at + count]
        if len(part) != count:
            raise WireError("it ends in the middle")
        self._at += count
        return part

    def uint32(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def string(self) -> bytes:
        return self.take(self.uint32())

    def name(self) -> str:
        """A string that names something: printable ASCII, short."""
        text = self.string().decode("ascii", "replace")
        if not (0 < len(text) <= 64 and text.isascii() and text.isprintable()):
            raise WireError("a name in it is not a name")
        return text

    def positive(self) -> int:
        """An mpint that is positive and has no needless leading zero."""
        data = self.string()
        if not data or data[0] & 0x80 or (data[0] == 0 and (len(data) == 1 or not data[1] & 0x80)):
            raise WireError("a number in it is not written the one right way")
        return int.from_bytes(data, "big")

    def end(self) -> None:
        if self._at != len(self._data):
            raise WireError("it has trailing bytes")


def string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data

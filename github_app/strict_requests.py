"""Requests whose end two programs could see at different places are refused: a proxy in front and this server must
agree on where the next one begins.
"""

from waitress.channel import HTTPChannel  # type: ignore[import-untyped]
from waitress.parser import HTTPRequestParser, ParsingError  # type: ignore[import-untyped]


class StrictParser(HTTPRequestParser):  # type: ignore[misc]
    def parse_header(self, header_plus: bytes) -> None:
        """Raises ParsingError, which waitress answers with 400 before it closes the connection."""
        first, *lines = header_plus.split(b"\r\n")
        names = [line.partition(b":")[0].strip().lower() for line in lines]
        if any(line[:1] in (b" ", b"\t") for line in lines):
            raise ParsingError("a header in several lines")
        if b"transfer-encoding" in names:
            if b"content-length" in names:
                raise ParsingError("Content-Length and Transfer-Encoding together")
            if names.count(b"transfer-encoding") > 1 or not first.rstrip().endswith(b"HTTP/1.1"):
                raise ParsingError("Transfer-Encoding is not understood")
        super().parse_header(header_plus)


class StrictChannel(HTTPChannel):  # type: ignore[misc]
    parser_class = StrictParser

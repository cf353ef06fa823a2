"""Bodies both ways: answers unpacked within bounds, and the parts of an upload."""

from __future__ import annotations

import os
import zlib
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import IO

from .exchange import ENCODING, PIECE, Allowance, Lost, Oversized, Response, UnaskedEncoding, Upload

_GZIP_ONLY = 31
"""zlib's window for gzip with its header."""
_QUOTED = str.maketrans({'"': "%22", "\\": "\\\\", **{chr(code): f"%{code:02X}" for code in range(32) if code != 27}})
"""How a name stands in a part's head (HTML, section 4.10.21.8)."""


class Moving:
    """An upload's stream that reports each piece which is read from it."""

    def __init__(self, stream: IO[bytes], allowance: Allowance) -> None:
        self._stream = stream
        self._allowance = allowance

    def read(self, size: int = -1) -> bytes:
        """Read as the stream does."""
        piece = self._stream.read(size)
        self._allowance.moved(len(piece))
        return piece

    def seek(self, offset: int, whence: int = 0) -> int:
        """Seek as the stream does."""
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        """Return the position of the stream."""
        return self._stream.tell()


class Multipart:
    """The body of an upload: `multipart/form-data` (RFC 7578) of a length that is known before it is sent."""

    def __init__(self, upload: Upload, allowance: Allowance, boundary: str | None = None) -> None:
        boundary = boundary or os.urandom(16).hex()
        disposition = f'form-data; name="{upload.part.translate(_QUOTED)}"; filename="{upload.name.translate(_QUOTED)}"'
        head = f"--{boundary}\r\nContent-Disposition: {disposition}\r\nContent-Type: {upload.media_type}\r\n\r\n"
        self._head, self._tail = head.encode(), f"\r\n--{boundary}--\r\n".encode()
        self._stream = Moving(upload.stream, allowance)
        self._allowance = allowance
        size = self._stream.seek(0, os.SEEK_END)
        self.headers = {
            "Content-Length": str(len(self._head) + size + len(self._tail)),
            "Content-Type": f"multipart/form-data; boundary={boundary}",
        }
        self.failure: Exception | None = None
        """What reading the stream raised."""

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        self._stream.seek(0)
        while piece := self._stream.read(PIECE):
            yield piece
        yield self._tail

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            for piece in self:
                yield piece
            self._allowance.sent()
        except Exception as error:
            self.failure = error
            raise


async def pieces(response: Response, limit: int, allowance: Allowance | None = None) -> AsyncIterator[bytes]:
    """Yield a body in unpacked pieces; raises Lost, Oversized beyond `limit` bytes, and UnaskedEncoding for any other packing.

    allowance: is told of each byte that comes over the wire.
    """
    unpacking = _Unpacking(response, limit)
    while piece := await response.read():
        if allowance is not None:
            allowance.moved(len(piece))
        for unpacked in unpacking.of(piece):
            yield unpacked
    unpacking.end()


async def whole(response: Response, limit: int) -> bytes:
    """Return an unpacked body; raises what `pieces` does."""
    unpacking = _Unpacking(response, limit)
    first, rest = b"", bytearray()  # Most bodies come at once, and are not copied then.
    while piece := await response.read():
        for unpacked in unpacking.of(piece):
            if first:
                rest += unpacked
            else:
                first = unpacked
    unpacking.end()
    return first + rest if rest else first


class _Unpacking:
    """The unpacking of one body, within its limit."""

    def __init__(self, response: Response, limit: int) -> None:
        encoding = response.encoding.strip().lower()
        if encoding not in ("", "identity", ENCODING):
            raise UnaskedEncoding
        self._packed = zlib.decompressobj(_GZIP_ONLY) if encoding == ENCODING else None
        self._left = limit
        self._is_empty = True

    def of(self, piece: bytes) -> Iterable[bytes]:
        """Return what a piece that is not empty unpacks to, in pieces."""
        self._is_empty = False
        return map(self._counted, (piece,) if self._packed is None else self._unpacked(piece))

    def _counted(self, unpacked: bytes) -> bytes:
        """Return what was unpacked, unless it is beyond the limit."""
        self._left -= len(unpacked)
        if self._left < 0:
            raise Oversized
        return unpacked

    def _unpacked(self, rest: bytes) -> Iterator[bytes]:
        packed, unpacked = self._packed or zlib.decompressobj(_GZIP_ONLY), b"?"
        try:
            while rest or (len(unpacked) == PIECE and not packed.eof):
                if packed.eof:  # one packed part may follow another (RFC 1952, section 2.2)
                    packed = self._packed = zlib.decompressobj(_GZIP_ONLY)
                unpacked = packed.decompress(rest, PIECE)
                rest = packed.unconsumed_tail or packed.unused_data
                yield unpacked
        except zlib.error:
            raise Lost("DecodingError") from None

    def end(self) -> None:
        """Raise Lost where the packed body was cut off."""
        if self._packed is not None and not (self._packed.eof or self._is_empty):
            raise Lost("DecodingError")

"""Bodies both ways: answers unpacked within bounds, and the parts of an upload."""

from __future__ import annotations

import os
import zlib
from collections.abc import AsyncIterator, Iterator
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
    encoding = response.encoding.strip().lower()
    if encoding not in ("", "identity", ENCODING):
        raise UnaskedEncoding
    size = 0
    async for piece in _unpacked(response, allowance) if encoding == ENCODING else _raw(response, allowance):
        size += len(piece)
        if size > limit:
            raise Oversized
        yield piece


async def _unpacked(response: Response, allowance: Allowance | None) -> AsyncIterator[bytes]:
    unpacking = zlib.decompressobj(_GZIP_ONLY)
    is_empty = True
    try:
        async for packed_piece in _raw(response, allowance):
            is_empty = False
            rest, unpacked = packed_piece, b"?"
            while rest or (len(unpacked) == PIECE and not unpacking.eof):
                if unpacking.eof:  # one packed part may follow another (RFC 1952, section 2.2)
                    unpacking = zlib.decompressobj(_GZIP_ONLY)
                unpacked = unpacking.decompress(rest, PIECE)
                rest = unpacking.unconsumed_tail or unpacking.unused_data
                yield unpacked
    except zlib.error:
        raise Lost("DecodingError") from None
    if not (unpacking.eof or is_empty):
        raise Lost("DecodingError")


async def _raw(response: Response, allowance: Allowance | None) -> AsyncIterator[bytes]:
    while piece := await response.read():
        if allowance is not None:
            allowance.moved(len(piece))
        yield piece

"""The pictures that an applicant hands in: small PNGs marked as a simulation."""

from __future__ import annotations

import struct
import zlib
from functools import cache

_WIDTH, _HEIGHT, _SCALE = 320, 200, 4

# Letters of 5 by 7 dots, one number a row, for the words below
_LETTERS = {
    "A": (14, 17, 17, 31, 17, 17, 17),
    "B": (30, 17, 17, 30, 17, 17, 30),
    "C": (14, 17, 16, 16, 16, 17, 14),
    "D": (30, 17, 17, 17, 17, 17, 30),
    "E": (31, 16, 16, 30, 16, 16, 31),
    "F": (31, 16, 16, 30, 16, 16, 16),
    "I": (14, 4, 4, 4, 4, 4, 14),
    "K": (17, 18, 20, 24, 20, 18, 17),
    "L": (16, 16, 16, 16, 16, 16, 31),
    "M": (17, 27, 21, 21, 17, 17, 17),
    "N": (17, 25, 21, 19, 17, 17, 17),
    "O": (14, 17, 17, 17, 17, 17, 14),
    "R": (30, 17, 17, 30, 20, 18, 17),
    "S": (15, 16, 16, 14, 1, 1, 30),
    "T": (31, 4, 4, 4, 4, 4, 4),
    "U": (17, 17, 17, 17, 17, 17, 14),
}

_BACKGROUND = {"FRONT": b"\xdc\xe9\xf5", "BACK": b"\xe6\xf2\xe2", "SELFIE": b"\xf7\xea\xda", "DOCUMENT": b"\xf4\xf1\xe8"}
_INK = b"\x24\x33\x44"


@cache
def picture(label: str) -> bytes:
    """Return a PNG with the word SIMULATION and a label: FRONT, BACK, SELFIE or DOCUMENT."""
    rows = [bytearray(_BACKGROUND[label] * _WIDTH) for _ in range(_HEIGHT)]
    _write(rows, "SIMULATION", 60)
    _write(rows, label, 112)
    # Each row of a PNG starts with its filter, here none.
    pixels = b"".join(b"\0" + bytes(row) for row in rows)
    header = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(pixels, 6)) + _chunk(b"IEND", b"")


def _write(rows: list[bytearray], word: str, top: int) -> None:
    left = (_WIDTH - len(word) * 6 * _SCALE) // 2
    for index, letter in enumerate(word):
        for y, bits in enumerate(_LETTERS[letter]):
            for x in range(5):
                if bits >> (4 - x) & 1:
                    start = 3 * (left + (index * 6 + x) * _SCALE)
                    for row in rows[top + y * _SCALE : top + (y + 1) * _SCALE]:
                        row[start : start + 3 * _SCALE] = _INK * _SCALE


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

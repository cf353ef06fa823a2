"""The pictures that an applicant hands in."""

from __future__ import annotations

import zlib

from persona_block.sandbox.objects.pictures import picture


def test_pictures_are_pngs_with_letters() -> None:
    for label in ("FRONT", "BACK", "SELFIE", "DOCUMENT"):
        image = picture(label)
        assert image.startswith(b"\x89PNG\r\n\x1a\n")
        start = image.index(b"IDAT") + 4
        pixels = zlib.decompress(image[start : image.index(b"IEND") - 8])
        assert len(pixels) == 200 * (1 + 320 * 3)
        assert len({pixels[1 + at * 3 : 4 + at * 3] for at in range(320)}) == 1  # the top row is ground
        assert len(set(zip(pixels[0::961], strict=False))) == 1

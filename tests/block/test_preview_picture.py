"""The picture of the preview page: the one in the documentation is small, and can be made anew."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from scripts.generate import ROOT
from scripts.preview_picture import OPERATION, PICTURE, preview_picture
from tests.support.browser import needs_chromium

LIMIT = 200_000
"""Bytes of the picture."""


def checked(picture: bytes) -> Image.Image:
    """Return a picture that is neither too large nor too small to read."""
    assert len(picture) < LIMIT
    image = Image.open(io.BytesIO(picture))
    assert image.format == "WEBP"
    assert image.width >= 2000
    colours = image.convert("RGB").getcolors(1 << 24)
    assert colours
    assert len(colours) > 100, "it shows something"
    return image


def test_the_page_about_hosts_shows_the_picture() -> None:
    checked(PICTURE.read_bytes())
    assert f"({PICTURE.name})" in (ROOT / "docs/hosts.md").read_text("utf-8")


@pytest.mark.browser
@needs_chromium
def test_the_picture_can_be_made_anew() -> None:
    assert (ROOT / f"tool_specs/{OPERATION}.json").is_file()
    assert checked(preview_picture()).size == checked(PICTURE.read_bytes()).size

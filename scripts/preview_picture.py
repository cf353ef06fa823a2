"""Write the picture of the preview page, with a few fields filled in: `python -m scripts.preview_picture`.

It needs Chromium. The picture depends on the fonts of the machine, so `make generate` leaves it alone.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import ViewportSize, sync_playwright

from persona_block.block.build import manifest
from persona_block.block.preview import preview_page
from tests.support.browser import CHROMIUM, OPTIONS

PICTURE = Path(__file__).resolve().parents[1] / "docs/preview.webp"
OPERATION = "create_report"
VALUES = {"reportTemplateId": "rptp_Watchlist", "term": "Jane Q Doe"}
CHOICES = {"reportType": "watchlist"}

_WINDOW: ViewportSize = {"width": 1280, "height": 760}
_PIXELS = 2
"""Pixels of the picture to a pixel of the page, for sharp text on any screen."""


def preview_picture() -> bytes:
    """Return a picture of the page on a wide screen, in light colours, as lossless WebP."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "block.html"
        path.write_text(preview_page(manifest()), "utf-8")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        page = browser.new_page(viewport=_WINDOW, device_scale_factor=_PIXELS, color_scheme="light", reduced_motion="reduce")
        page.goto(f"{path.as_uri()}#{OPERATION}")
        for name, value in CHOICES.items():
            page.locator(f"#field-{name}").select_option(value)
        for name, value in VALUES.items():
            page.locator(f"#field-{name}").fill(value)
        page.evaluate("document.activeElement.blur()")
        page.locator("#fields").evaluate("form => form.scrollTo(0, 0)")
        picture = Image.open(io.BytesIO(page.screenshot()))
        browser.close()
    file = io.BytesIO()
    picture.convert("RGB").save(file, "WEBP", lossless=True, quality=80)
    return file.getvalue()


if __name__ == "__main__":
    PICTURE.write_bytes(preview_picture())

"""One page that shows the block as a canvas does, made from a manifest alone: it needs no server and loads nothing."""

from __future__ import annotations

import hashlib
import html
import json
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote

_PAGE = Path(__file__).parent / "page"

_SCRIPTS = ("fields.js", "page.js")
"""The files of the page's one script, in order."""

_SCRIPT_SAFE = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
"""What could end or comment out the element that holds the manifest, as JSON spells it otherwise."""


def preview_page(manifest: Mapping[str, Any]) -> str:
    """Return the page as HTML, to be written as UTF-8; `manifest` is what `build.manifest` gives.

    The page's own policy (CSP) lets it run this one script and style, show images that it carries, and load nothing.
    """
    style, script = _text("page.css"), "\n".join(map(_text, _SCRIPTS))
    return Template(_text("page.html")).substitute(
        title=html.escape(manifest["name"]),
        policy=f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)};"
        " base-uri 'none'; form-action 'none'",
        icon=f"data:image/svg+xml,{quote(manifest['icon'])}",
        style=style,
        script=script,
        manifest=json.dumps(manifest, ensure_ascii=False, separators=(",", ":")).translate(_SCRIPT_SAFE),
    )


def _text(name: str) -> str:
    return (_PAGE / name).read_text("utf-8")


def _hash(text: str) -> str:
    """Return the source expression that allows an inline element of this text and no other."""
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

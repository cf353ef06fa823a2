"""The manifest as it was written down, which costs a fraction of deriving it: most of that goes into defining models.

`make generate` writes it. It counts only while everything it was made from is as it was then, in a checkout as in a wheel.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from ..spec import resources
from ..version import __version__

STORED = "shared/manifest.json"
"""Where it is kept, below `tool_specs/`, with the digest of what it was made from."""

_PACKAGE = Path(__file__).resolve().parents[1]
_ROOMS = ("block", "spec")
"""The rooms whose modules derive it."""


def manifest() -> dict[str, Any]:
    """Return the block as JSON data, a fresh copy at each call; `schema.manifest_schema` gives its JSON Schema.

    Raises SpecError where a spec file breaks the grammar.
    """
    stored = _stored()
    if stored is None:
        from . import build

        return build.manifest()
    document: dict[str, Any] = json.loads(stored)["manifest"]
    # Its place among the keys is kept.
    document["version"] = __version__
    return document


def sources_digest() -> str:
    """Return a digest of all that a manifest is made from, beside the package's version."""
    specs = resources.specs()
    paths = [*specs.glob("*.json"), *specs.glob("shared/*.json"), *resources.folder("icons").glob("*.svg")]
    paths = [path for path in paths if path.name not in _NOT_SOURCES]
    paths += [path for room in _ROOMS for path in (_PACKAGE / room).glob("*.py")]
    digest = hashlib.sha256()
    for path in sorted(paths, key=lambda path: (path.parent.name, path.name)):
        content = path.read_bytes()
        digest.update(f"{path.parent.name}/{path.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


_NOT_SOURCES = frozenset({"manifest.json", "manifest.schema.json", "spec.schema.json", "vectors.json"})
"""Files beside the specs that are made from them."""


@cache
def _stored() -> str | None:
    """Return the text of the manifest that was written down, or None where there is none or it is not fresh."""
    try:
        text = (resources.specs() / STORED).read_text("utf-8")
    except FileNotFoundError:
        return None
    head = text.partition(",")[0]
    return text if sources_digest() in head else None

"""The test vectors: what goes in and what has to come out, for runtimes of the manifest in other languages."""

from __future__ import annotations

from typing import Any

from ..spec import catalog


def conformance_vectors() -> dict[str, Any]:
    """Return the test vectors of this version, several hundred, as JSON data; `grammar.vectors` says how to read them."""
    return dict(catalog.read("shared/vectors.json"))

"""The block manifest: its building, its canvas, its models, its workflow templates and its preview.

The names are imported on first use, because a manifest that was written down needs none of the models.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .build import definition
    from .prebuilt import manifest
    from .schema import manifest_schema
    from .vectors import conformance_vectors

_HOME_OF = {
    "conformance_vectors": "vectors",
    "definition": "build",
    "manifest": "prebuilt",
    "manifest_schema": "schema",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOME_OF[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})


__all__ = ["conformance_vectors", "definition", "manifest", "manifest_schema"]

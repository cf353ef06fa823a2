"""The block manifest, derived from the specs: its building, its canvas, its models, its workflow templates and its preview."""

from __future__ import annotations

from .build import definition, manifest
from .schema import manifest_schema
from .vectors import conformance_vectors

__all__ = ["conformance_vectors", "definition", "manifest", "manifest_schema"]

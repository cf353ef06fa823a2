"""The operations as data: the grammar of a spec file, the catalog that reads them, and how keys are spelled."""

from __future__ import annotations

from .catalog import load, load_all, names
from .grammar import Param, ToolSpec

__all__ = ["Param", "ToolSpec", "load", "load_all", "names"]

"""The Sim block: a block, a tool for each operation and the JavaScript runtime that they share."""

from __future__ import annotations

from .package import export

__all__ = ["export"]

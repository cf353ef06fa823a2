"""The package of an n8n community node: what it shows is data from the manifest, what it runs is the JavaScript runtime."""

from __future__ import annotations

from .package import export

__all__ = ["export"]

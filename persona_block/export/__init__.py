"""Blocks and skills for other platforms, made from the manifest: one module for each platform, which writes a folder.

What a platform cannot express, and what the block does there instead, is listed in `docs/exports.md`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, cast


class Generator(Protocol):
    """A module that writes the block for one platform."""

    def export(self, manifest: Mapping[str, Any], folder: Path) -> list[Path]:
        """Write the block of a manifest into a folder and return its files; the same manifest gives the same bytes."""
        ...


GENERATORS: Mapping[str, str] = {"dify": "dify", "n8n": "n8n", "sim": "sim", "skills": "skills"}
"""The module of each platform's generator, by the platform's name as the command line takes it."""


def generator(platform: str) -> Generator:
    """Import the generator of a platform; raises KeyError for a platform that has none."""
    return cast(Generator, importlib.import_module(f".{GENERATORS[platform]}", __name__))


__all__ = ["GENERATORS", "Generator", "generator"]

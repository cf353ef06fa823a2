"""The command line `persona-block`, a module for each group of commands."""

from __future__ import annotations

from .command import main

__all__ = ["main"]

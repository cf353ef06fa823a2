"""Where files come from and go to: local folders, remote storage, and the look through a CSV file."""

from __future__ import annotations

from .rules import FileRules
from .store import FileRef, FileStore

__all__ = ["FileRef", "FileRules", "FileStore"]

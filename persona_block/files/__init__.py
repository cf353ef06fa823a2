"""Files to upload and files to keep: local folders, remote storage, and the check of a CSV file."""

from __future__ import annotations

from .reference import FileRef
from .rules import FileRules
from .store import FileStore

__all__ = ["FileRef", "FileRules", "FileStore"]

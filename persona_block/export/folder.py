"""The files of an export on their way to disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def write_files(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Write texts into a folder by their relative paths, in place of files of the same names, and return the paths written.

    Folders are made where they are missing, and what else a folder holds stays. Raises OSError.
    """
    paths = []
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", newline="\n")
        paths.append(path)
    return paths

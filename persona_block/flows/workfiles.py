"""The files of a flow between two of its steps: each step has a folder of its own, so that doing it again leaves one file."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ..files.store import FileStore


def is_local(address: str) -> bool:
    """Return whether an address is a path of this machine."""
    return "://" not in address or address.startswith("file://")


def step_files(folder: str, workflow_id: str, step_key: str) -> FileStore:
    """Return the store for the files of one step of a flow; a local folder is made when the first file comes."""
    return FileStore(f"{_flow_folder(folder, workflow_id)}/{step_key}")


def is_own(folder: str, file: Mapping[str, Any]) -> bool:
    """Return whether a file of an output lies in the folder of the flows' files.

    What Persona answered may look like a file of this machine, and must not make a flow read one.
    """
    url, path = file.get("url"), file.get("path")
    if not isinstance(url, str) or not isinstance(path, str | None):
        return False
    if not is_local(folder):
        return path is None and url.startswith(f"{folder.rstrip('/')}/") and ".." not in url.split("/")
    root = Path(url2pathname(urlsplit(folder).path)) if folder.startswith("file://") else Path(folder)
    return path is not None and Path(path).resolve().is_relative_to(root.resolve())


def delete_files(folder: str, workflow_id: str) -> None:
    """Delete the files of a flow, where there are any; raises OSError, and what a storage library raises."""
    address = _flow_folder(folder, workflow_id)
    if is_local(address):
        path = Path(url2pathname(urlsplit(address).path)) if address.startswith("file://") else Path(address)
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(path)
        return
    import fsspec

    filesystem, path_there = fsspec.core.url_to_fs(address)
    with contextlib.suppress(FileNotFoundError):
        filesystem.rm(path_there, recursive=True)


def _flow_folder(folder: str, workflow_id: str) -> str:
    return f"{folder.rstrip('/')}/{hashlib.sha256(workflow_id.encode()).hexdigest()[:24]}"

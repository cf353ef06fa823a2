"""The files of a flow between two of its steps: each step has a folder of its own, so that doing it again leaves one file."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ..files.store import FileStore


def is_local(address: str) -> bool:
    """Return whether an address is a path of this machine."""
    return "://" not in address or address.startswith("file://")


def step_files(folder: str, workflow_id: str, step_key: str) -> FileStore:
    """Return the store for the files of one step of a flow; a local folder is made when the first file comes."""
    return FileStore(f"{_flow_folder(folder, workflow_id)}/{step_key}")


def delete_files(folder: str, workflow_id: str) -> None:
    """Delete the files of a flow; those that are gone already do no harm."""
    address = _flow_folder(folder, workflow_id)
    if is_local(address):
        path = Path(url2pathname(urlsplit(address).path)) if address.startswith("file://") else Path(address)
        shutil.rmtree(path, ignore_errors=True)
        return
    import fsspec

    filesystem, path_there = fsspec.core.url_to_fs(address)
    with contextlib.suppress(FileNotFoundError):
        filesystem.rm(path_there, recursive=True)


def _flow_folder(folder: str, workflow_id: str) -> str:
    return f"{folder.rstrip('/')}/{hashlib.sha256(workflow_id.encode()).hexdigest()[:24]}"

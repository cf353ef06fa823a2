"""Files that tools made, kept in memory for the life of the server and readable as resources by whom they were made for."""

from __future__ import annotations

import base64
import secrets
import tempfile
import weakref
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import mcp_types as types
from mcp.shared.exceptions import MCPError

from ...files.store import FileStore

OWNER_FILES = 50
"""How many files of one owner are kept; older ones make room."""
OWNER_BYTES = 32 * 1024 * 1024
"""How many bytes of one owner's files are kept; older ones make room, and no single file is larger."""
ALL_BYTES = 8 * OWNER_BYTES
"""How many bytes are kept of all owners; whoever made none for longest makes room."""

_URI_ROOT = "persona://files"
_open_files: weakref.WeakSet[Files] = weakref.WeakSet()


@dataclass(frozen=True)
class _KeptFile:
    name: str
    mime_type: str
    content: bytes = field(repr=False)


class Files:
    """The files by their owners; entered as a context, it has a folder that downloads pass through."""

    def __init__(self) -> None:
        self._by_owner: OrderedDict[str, OrderedDict[str, _KeptFile]] = OrderedDict()
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="persona-mcp-")
        _open_files.add(self)
        return self

    def __exit__(self, *exception: object) -> None:
        self._by_owner.clear()
        if self._folder is not None:
            self._folder.cleanup()

    @staticmethod
    def close_all() -> None:
        """Close all that are open, for a process that ends at once."""
        for files in tuple(_open_files):
            files.__exit__()

    @property
    def store(self) -> FileStore:
        """Where downloads are put."""
        if self._folder is None:
            raise RuntimeError("the files are used outside their context")
        return FileStore(self._folder.name)

    def keep(self, owner: str, file: Mapping[str, Any]) -> types.ResourceLink:
        """Take a stored file off the disk, so that no end of this process leaves it there, and link it for its owner alone."""
        path = Path(file["path"])
        kept = _KeptFile(file["name"], file["mimeType"], path.read_bytes())
        path.unlink()
        uri = f"{_URI_ROOT}/{secrets.token_urlsafe(18)}/{kept.name}"
        owned = self._by_owner.setdefault(owner, OrderedDict())
        self._by_owner.move_to_end(owner)
        owned[uri] = kept
        while len(owned) > 1 and (len(owned) > OWNER_FILES or _size(owned) > OWNER_BYTES):
            owned.popitem(last=False)
        while len(self._by_owner) > 1 and sum(map(_size, self._by_owner.values())) > ALL_BYTES:
            self._by_owner.popitem(last=False)
        return types.ResourceLink(
            type="resource_link", uri=uri, name=kept.name, mime_type=kept.mime_type, size=len(kept.content)
        )

    def listed(self, owner: str) -> list[types.Resource]:
        """Return the files of an owner, newest first."""
        return [
            types.Resource(uri=uri, name=kept.name, mime_type=kept.mime_type, size=len(kept.content))
            for uri, kept in reversed(self._by_owner.get(owner, OrderedDict()).items())
        ]

    def read(self, owner: str, uri: str) -> types.ReadResourceResult:
        """Return a file's bytes; raises an MCPError for one that is not there, or not this owner's."""
        kept = self._by_owner.get(owner, OrderedDict()).get(uri)
        if kept is None:
            message = "There is no such file: it made room for newer ones, or the server was started anew. Make it again."
            raise MCPError(code=types.INVALID_PARAMS, message=message)
        blob = base64.b64encode(kept.content).decode()
        return types.ReadResourceResult(contents=[types.BlobResourceContents(uri=uri, mime_type=kept.mime_type, blob=blob)])


def _size(files: Mapping[str, _KeptFile]) -> int:
    return sum(len(kept.content) for kept in files.values())

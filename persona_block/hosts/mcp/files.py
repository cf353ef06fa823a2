"""Files that tools made, kept for the life of the server and readable as resources by the caller they were made for."""

from __future__ import annotations

import base64
import secrets
import tempfile
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import mcp_types as types
from mcp.shared.exceptions import MCPError

from ...files import FileStore

KEPT = 200
"""How many files are kept; older ones make room."""

_SCHEME = "persona://files"


@dataclass(frozen=True)
class _Kept:
    owner: str
    name: str
    mime_type: str
    size: int
    path: Path = field(repr=False)


class Files:
    """The files, in a folder of their own that lasts as long as this is entered as a context."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="persona-mcp-")
        return self

    def __exit__(self, *exception: object) -> None:
        self._kept.clear()
        if self._folder is not None:
            self._folder.cleanup()

    @property
    def store(self) -> FileStore:
        """Where downloads are put."""
        if self._folder is None:
            raise RuntimeError("the files are used outside their context")
        return FileStore(self._folder.name)

    def keep(self, owner: str, file: Mapping[str, Any]) -> types.ResourceLink:
        """Make a stored file readable for its owner alone."""
        kept = _Kept(owner, file["name"], file["mimeType"], file["size"], Path(file["path"]))
        uri = f"{_SCHEME}/{secrets.token_urlsafe(18)}/{kept.name}"
        self._kept[uri] = kept
        while len(self._kept) > KEPT:
            _, oldest = self._kept.popitem(last=False)
            oldest.path.unlink(missing_ok=True)
        return _link(uri, kept)

    def listed(self, owner: str) -> list[types.Resource]:
        """The files of an owner, newest first."""
        mine = [(uri, kept) for uri, kept in reversed(self._kept.items()) if kept.owner == owner]
        return [types.Resource(uri=uri, name=kept.name, mime_type=kept.mime_type, size=kept.size) for uri, kept in mine]

    def read(self, owner: str, uri: str) -> types.ReadResourceResult:
        """A file's bytes; raises an MCPError for one that is not there, or not this owner's."""
        kept = self._kept.get(uri)
        if kept is None or kept.owner != owner:
            message = "There is no such file; files go when the server ends, so make it again with the tool that made it"
            raise MCPError(code=types.INVALID_PARAMS, message=message)
        blob = base64.b64encode(kept.path.read_bytes()).decode()
        return types.ReadResourceResult(contents=[types.BlobResourceContents(uri=uri, mime_type=kept.mime_type, blob=blob)])


def _link(uri: str, kept: _Kept) -> types.ResourceLink:
    return types.ResourceLink(type="resource_link", uri=uri, name=kept.name, mime_type=kept.mime_type, size=kept.size)

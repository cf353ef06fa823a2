"""Files on storage that fsspec knows, such as `s3://` or `gs://`, which needs the extra `storage`."""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from .names import candidates

_PIECE = 1024 * 1024
"""How much of a file is read at once, in bytes."""
_naming = threading.Lock()
"""Held while a name is chosen and its object written, so that two writers of this process do not choose the same."""


def _filesystem(url: str) -> tuple[Any, str]:
    """Return the file system of a URL and the path in it; raises ValueError where the extra or its protocol is missing."""
    try:
        import fsspec
    except ModuleNotFoundError:
        raise ValueError("is a storage URL, which needs: pip install 'persona-block[storage]'") from None
    protocol = url.partition("://")[0]
    try:
        filesystem, path = fsspec.core.url_to_fs(url)
    except (ImportError, ValueError):
        raise ValueError(f"is a {protocol}:// URL, for which no storage library is installed") from None
    return filesystem, path


class RemoteFolder:
    """A folder on remote storage, which keeps files whole or not at all."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._filesystem, self._path = _filesystem(self._url)

    def scratch(self) -> Path | None:
        """Return None: a file grows on this machine before it is uploaded."""
        return None

    def take(self, part: Path, name: str) -> tuple[str, str, str | None]:
        """Upload the file `part` under `name` or one like it that is free: the name, the URL and no local path."""
        folder = self._path.rstrip("/")
        with _naming:
            free_name = next(each for each in candidates(name) if not self._filesystem.exists(f"{folder}/{each}"))
            self._filesystem.put_file(str(part), f"{folder}/{free_name}")
        return free_name, f"{self._url}/{free_name}", None


@contextlib.contextmanager
def fetched(url: str) -> Iterator[IO[bytes]]:
    """Open a copy of a remote file on this machine, which can be rewound; raises ValueError, as a phrase, where it cannot."""
    filesystem, path = _filesystem(url)
    with tempfile.TemporaryFile() as local:
        try:
            with filesystem.open(path, "rb") as remote:
                while piece := remote.read(_PIECE):
                    local.write(piece)
        except Exception as error:  # every storage library has errors of its own
            raise ValueError(f"cannot be read from storage: {type(error).__name__}") from None
        local.seek(0)
        yield local

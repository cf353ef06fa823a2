"""Files on storage that fsspec knows, such as `s3://` or `gs://`: the extra `storage`."""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from .names import candidates

_PIECE = 1024 * 1024
_naming = threading.Lock()


def _filesystem(url: str) -> tuple[Any, str]:
    """The file system of a URL and the path in it; raises ValueError where the extra or its protocol is missing."""
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
    """A folder on remote storage."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._filesystem, self._path = _filesystem(self._url)

    def scratch(self) -> Path | None:
        return None

    def take(self, part: Path, name: str) -> tuple[str, str, str | None]:
        """Names are given out one at a time; an object appears only when its upload is whole."""
        with _naming:
            free = next(each for each in candidates(name) if not self._filesystem.exists(f"{self._path.rstrip('/')}/{each}"))
            self._filesystem.put_file(str(part), f"{self._path.rstrip('/')}/{free}")
        return free, f"{self._url}/{free}", None


@contextlib.contextmanager
def fetched(url: str) -> Iterator[IO[bytes]]:
    """A remote file as a local one that can be rewound; raises ValueError, as a phrase, where it cannot be read."""
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

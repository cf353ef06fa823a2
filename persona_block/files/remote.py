"""Files on storage that fsspec knows, such as `s3://` or `gs://`, which needs the extra `storage`."""

from __future__ import annotations

import errno
import threading
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any

from .names import candidates
from .regular import UnreadableFile

_naming = threading.Lock()
"""Held while a name is chosen and its object written, so that two writers of this process do not choose the same."""


def _filesystem(url: str) -> tuple[Any, str]:
    """Return the file system of a URL and the path in it; raises UnreadableFile where the extra or its protocol is missing."""
    try:
        import fsspec
    except ModuleNotFoundError:
        raise UnreadableFile("is a storage URL, which needs: pip install 'persona-block[storage]'") from None
    try:
        filesystem, path = fsspec.core.url_to_fs(url)
    except (ImportError, ValueError):
        raise UnreadableFile("is a URL for which no storage library is installed") from None
    except Exception as error:  # each storage library raises errors of its own
        raise UnreadableFile(f"is a URL that its storage library does not take: {type(error).__name__}") from None
    return filesystem, path


class RemoteFolder:
    """A folder on remote storage, which keeps files whole or not at all."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._filesystem, self._path = _filesystem(self._url)

    def scratch(self) -> Path | None:
        """Return None: a file grows on this machine before it is uploaded."""
        return None

    def take(self, part: Path, name: str, overwrite: bool) -> tuple[str, str, str | None]:
        """Upload the file `part` under `name`, or one like it that is free: the name, the URL and no local path.

        An object that has the name is replaced with `overwrite`. Raises OSError where the storage does not take it.
        """
        folder = self._path.rstrip("/")
        try:
            with _naming:
                names = [name] if overwrite else candidates(name)
                used_name = next(each for each in names if overwrite or not self._filesystem.exists(f"{folder}/{each}"))
                self._filesystem.put_file(str(part), f"{folder}/{used_name}")
        except Exception as error:  # each storage library raises errors of its own
            raise OSError(errno.EIO, f"the storage failed with {type(error).__name__}") from None
        return used_name, f"{self._url}/{used_name}", None


def open_remote(url: str) -> AbstractContextManager[IO[bytes]]:
    """Open a file on storage; raises UnreadableFile where no library reads it, and whatever its library raises."""
    filesystem, path = _filesystem(url)
    opened: AbstractContextManager[IO[bytes]] = filesystem.open(path, "rb")
    return opened

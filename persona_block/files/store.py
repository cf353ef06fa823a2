"""The file store: it keeps downloaded files and opens files to upload, on this machine or on remote storage."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol, Self
from urllib.parse import urlsplit
from urllib.request import url2pathname

from .names import candidates, safe_name
from .reference import FileRef
from .rules import FileRules
from .sources import UNNAMED, open_source

DEFAULT_FOLDER = "persona-files"
"""The folder of a store that is given none, below the working directory."""
_HEAD = 16
"""How many of a file's first bytes are kept to tell its type."""
_NO_HARD_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EXDEV, errno.EMLINK, errno.ENOSYS}
"""What a mount without hard links says to one."""


class FileStore:
    """A place for files: a local folder, or with the extra `storage` any fsspec URL such as `s3://bucket/folder`.

    folder: a path, a `file://` URL or a storage URL; by default `persona-files` below the working directory.

    A local folder is made when the first file comes, readable by its owner only. Two files of one name get two names: in a
    local folder whoever writes them, on remote storage if one process writes both. Raises ValueError, as a phrase, for a
    storage URL that no installed library reads.
    """

    def __init__(self, folder: str | os.PathLike[str] = DEFAULT_FOLDER) -> None:
        if isinstance(folder, str) and "://" in folder and not folder.startswith("file://"):
            from .remote import RemoteFolder

            self._place: Place = RemoteFolder(folder)
        else:
            self._place = LocalFolder(_local_folder(folder))

    def writer(self, name: str, mime_type: str, *, overwrite: bool = False) -> FileWriter:
        """Return a writer of one file, to use as a context; the file appears under its name only once committed.

        overwrite: take the place of a file that has the name; by default the new one gets a numbered name beside it.
        """
        return FileWriter(self._place, safe_name(name), mime_type, overwrite)

    @contextlib.contextmanager
    def reader(
        self, source: Any, unnamed: str = UNNAMED, *, rules: FileRules | None = None
    ) -> Iterator[tuple[str, IO[bytes]]]:
        """Open what a `file` param holds: its name and its bytes, in a stream that can be rewound.

        Arguments, defaults and the ValueError are those of `sources.open_source`. This may block: where an event loop runs, it
        belongs into a thread.
        """
        opened = open_source(source, unnamed, rules)
        try:
            yield opened.name, opened.stream
        finally:
            opened.close()


class Place(Protocol):
    """A folder that a store keeps its files in, local or remote."""

    def scratch(self) -> Path | None:
        """Return the folder in which a file grows before it is whole; None for the system's."""
        ...

    def take(self, part: Path, name: str, overwrite: bool) -> tuple[str, str, str | None]:
        """Keep the whole file `part` under `name`: the name, the URL and the local path, None when remote.

        A file that has the name is replaced with `overwrite`, else the new one gets a name like it.
        """
        ...


class LocalFolder:
    """A folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def scratch(self) -> Path:
        """Return the folder itself, made where it is missing, so that a whole file is only given its name."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._folder

    def take(self, part: Path, name: str, overwrite: bool) -> tuple[str, str, str | None]:
        """Give the file `part` its name in this folder, in the place of another or a free one beside it.

        Raises OSError where 9,999 files have the name or one like it, or a folder has the name.
        """
        if overwrite:
            path = self._folder / name
            os.replace(part, path)
            # A link is replaced and not followed, so the path is that of the file itself.
            return name, path.resolve().as_uri(), str(path.resolve())
        for candidate in candidates(name):
            try:
                _claim(part, self._folder / candidate)
            except FileExistsError:
                continue
            path = (self._folder / candidate).resolve()
            return candidate, path.as_uri(), str(path)
        raise OSError(f"{self._folder} holds too many files called {name}")


def _claim(part: Path, path: Path) -> None:
    """Give a whole file a name that is free; raises FileExistsError where it is taken.

    Any other OSError, such as that of a `part` which a cancelled download has removed, leaves nothing under the name.
    """
    try:
        os.link(part, path)  # takes the name in one step, so two writers can never share it
        return
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
    # An empty file holds the name until the whole one replaces it.
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        os.replace(part, path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


class FileWriter:
    """A file that is being written; leaving the context without a commit removes every trace of it."""

    def __init__(self, place: Place, name: str, mime_type: str, overwrite: bool) -> None:
        self._place = place
        self._name = name
        self._mime_type = mime_type
        self.overwrite = overwrite
        """Whether a file of the same name is replaced."""
        self._size = 0
        self._head = b""
        self._file: IO[bytes] | None = None
        self._part = Path()

    def __enter__(self) -> Self:
        descriptor, part = tempfile.mkstemp(prefix=".", suffix=".part", dir=self._place.scratch())
        self._part = Path(part)
        self._file = os.fdopen(descriptor, "wb")
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()
        self._part.unlink(missing_ok=True)

    @property
    def _stream(self) -> IO[bytes]:
        if self._file is None:
            raise RuntimeError("the writer is used outside its context")
        return self._file

    def restart(self) -> None:
        """Drop what has been written and begin again."""
        self._stream.seek(0)
        self._stream.truncate()
        self._size, self._head = 0, b""

    def write(self, piece: bytes) -> None:
        """Append bytes to the file."""
        if len(self._head) < _HEAD:
            self._head += piece[:_HEAD]
        self._stream.write(piece)
        self._size += len(piece)

    def begins_with(self, signature: bytes) -> bool:
        """Tell whether the bytes written so far begin with `signature`, of at most 16 bytes."""
        return self._head.startswith(signature)

    def commit(self) -> FileRef:
        """Give the whole file its name, or one like it where that is taken and stays, and return a reference to it."""
        self._stream.flush()
        os.fsync(self._stream.fileno())
        name, url, path = self._place.take(self._part, self._name, self.overwrite)
        return FileRef(name=name, mime_type=self._mime_type, size=self._size, url=url, path=path)


def _local_folder(value: str | os.PathLike[str]) -> Path:
    """Return the folder that a path or a `file://` URL names; raises ValueError, as a phrase, for anything else."""
    text = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(text, str):
        raise ValueError("must be a path or a storage URL")
    parts = urlsplit(text)
    try:
        return Path(url2pathname(parts.path)) if parts.scheme == "file" else Path(text).expanduser()
    except RuntimeError:
        raise ValueError("is below a home folder that is not known") from None

"""The file store: it keeps downloaded files and opens files to upload, on this machine or on remote storage."""

from __future__ import annotations

import contextlib
import inspect
import io
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol, Self, cast
from urllib.parse import urlsplit
from urllib.request import url2pathname

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from .names import candidates, safe_name

DEFAULT_FOLDER = "persona-files"
"""The folder of a store that is given none, below the working directory."""
UNNAMED = "upload.bin"
"""The name of a file to upload that comes without one, unless the caller of `reader` knows better."""
_HEAD = 16
"""How many of a file's first bytes are kept to tell its type."""
_SPOOL = 4 * 1024 * 1024
"""How much of an unseekable stream is copied into memory before the copy goes to disk, in bytes."""


class FileRef(BaseModel):
    """A stored file, as an output holds it and as a `file` param takes it; `size` is in bytes, `path` None when remote."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    name: str
    mime_type: str
    size: int
    url: str
    path: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the reference as JSON data, keys in camelCase."""
        return self.model_dump(by_alias=True)


class FileStore:
    """A place for files: a local folder, or with the extra `storage` any fsspec URL such as `s3://bucket/folder`.

    folder: a path, a `file://` URL or a storage URL; by default `persona-files` below the working directory.

    A local folder is made when the first file comes, readable by its owner only. Two files of one name get two names: in a
    local folder whoever writes them, on remote storage if one process writes both. Raises ValueError, as a phrase, for a
    storage URL that no installed library reads.
    """

    def __init__(self, folder: str | os.PathLike[str] = DEFAULT_FOLDER) -> None:
        if is_remote(folder):
            from .remote import RemoteFolder

            self._place: Place = RemoteFolder(os.fspath(folder))
        else:
            self._place = LocalFolder(local_path(folder))

    def writer(self, name: str, mime_type: str) -> FileWriter:
        """Return a writer of one file, to use as a context; the file appears under its name only once committed."""
        return FileWriter(self._place, safe_name(name), mime_type)

    @contextlib.contextmanager
    def reader(self, source: Any, unnamed: str = UNNAMED) -> Iterator[tuple[str, IO[bytes]]]:
        """Open what a `file` param holds: its name and its bytes, in a stream that can be rewound.

        source: a path, a `file://` or storage URL, bytes, an open binary file, a FileRef, or an object with path, url or
            content, and perhaps name.
        unnamed: the name of bytes or of an open file that has none.

        Raises ValueError, as a phrase, where it cannot be read.
        """
        value = _unreferenced(source)
        if isinstance(value, bytes):
            yield _name_of(source, unnamed), io.BytesIO(value)
        elif hasattr(value, "read"):
            with _binary(value) as stream:
                yield _name_of(source, unnamed), stream
        elif is_remote(value):
            from .remote import fetched

            with fetched(value) as stream:
                yield _name_of(source, value.rpartition("/")[2]), stream
        else:
            path = local_path(value)
            try:
                stream = path.open("rb")
            except OSError as error:
                raise ValueError(f"cannot be read: {error.strerror or 'no such file'}") from None
            with stream, _rewindable(stream) as opened:
                yield _name_of(source, path.name), opened


class Place(Protocol):
    """A folder that a store keeps its files in, local or remote."""

    def scratch(self) -> Path | None:
        """Return the folder in which a file grows before it is whole; None for the system's."""
        ...

    def take(self, part: Path, name: str) -> tuple[str, str, str | None]:
        """Keep the whole file `part` under `name` or one like it: the name, the URL and the local path, None when remote."""
        ...


class LocalFolder:
    """A folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def scratch(self) -> Path:
        """Return the folder itself, made where it is missing, so that a whole file is only given its name."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._folder

    def take(self, part: Path, name: str) -> tuple[str, str, str | None]:
        """Give the file `part` a free name in this folder; raises OSError where 9,999 files have the name or one like it."""
        for candidate in candidates(name):
            try:
                _claim(part, self._folder / candidate)
            except FileExistsError:
                continue
            path = (self._folder / candidate).resolve()
            return candidate, path.as_uri(), str(path)
        raise OSError(f"{self._folder} holds too many files called {name}")


def _claim(part: Path, path: Path) -> None:
    """Give a whole file a name that is free; raises FileExistsError where it is taken."""
    try:
        os.link(part, path)  # takes the name in one step, so two writers can never share it
    except FileExistsError:
        raise
    except OSError:  # a mount without hard links: an empty file holds the name until the whole one replaces it
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        os.replace(part, path)


class FileWriter:
    """A file that is being written; leaving the context without a commit removes every trace of it."""

    def __init__(self, place: Place, name: str, mime_type: str) -> None:
        self._place = place
        self._name = name
        self._mime_type = mime_type
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
        """Give the whole file its name, another one where that is taken, and return a reference to it."""
        self._stream.flush()
        os.fsync(self._stream.fileno())
        name, url, path = self._place.take(self._part, self._name)
        return FileRef(name=name, mime_type=self._mime_type, size=self._size, url=url, path=path)


def _unreferenced(source: Any) -> Any:
    """Return what a reference points at: its path, else its URL, else its content; anything else as it is."""
    if isinstance(source, FileRef):
        return source.path or source.url
    if isinstance(source, Mapping):
        value = next((source[name] for name in ("path", "url", "content") if source.get(name)), None)
        if value is None:
            raise ValueError("names no path, url or content")
        is_text = isinstance(value, str) and value is source.get("content")
        return value.encode() if is_text else value
    return source


def _name_of(source: Any, unnamed: str) -> str:
    """Return the name that a source has of its own, else `unnamed`, as one that is safe on every system."""
    name = source.get("name") if isinstance(source, Mapping) else getattr(source, "name", None)
    return safe_name(name) if isinstance(name, str) else safe_name(unnamed)


@contextlib.contextmanager
def _binary(stream: Any) -> Iterator[IO[bytes]]:
    """Yield an open file as one that can be read and rewound; it stays open for whoever opened it."""
    inner = getattr(stream, "file", stream)  # an upload of a web framework holds the file it wraps
    if isinstance(inner, io.TextIOBase):
        raise ValueError("is opened as text; open it in binary mode")
    if inspect.iscoroutinefunction(inner.read):
        raise ValueError("is read asynchronously; give its bytes or its path")
    with _rewindable(inner) as opened:
        yield opened


@contextlib.contextmanager
def _rewindable(stream: IO[bytes]) -> Iterator[IO[bytes]]:
    """Yield the stream itself, or a copy of one that can be read only once, such as a pipe."""
    if stream.seekable():
        yield stream
        return
    with tempfile.SpooledTemporaryFile(max_size=_SPOOL) as copy:
        shutil.copyfileobj(stream, copy)
        copy.seek(0)
        yield cast(IO[bytes], copy)


def is_remote(value: Any) -> bool:
    """Tell whether a folder or a file param is a storage URL."""
    return isinstance(value, str) and "://" in value and not value.startswith("file://")


def local_path(value: Any) -> Path:
    """Return the path that a path or a `file://` URL names; raises ValueError, as a phrase, for anything else."""
    text = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(text, str):
        raise ValueError("must be a path, a storage URL or a file")
    parts = urlsplit(text)
    return Path(url2pathname(parts.path)) if parts.scheme == "file" else Path(text).expanduser()

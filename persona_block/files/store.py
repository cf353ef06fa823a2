"""Where a downloaded file goes and where an uploaded one comes from."""

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
_HEAD = 16
_SPOOL = 4 * 1024 * 1024


class FileRef(BaseModel):
    """A stored file, as an output holds it and as a `file` param may be given."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    name: str
    mime_type: str
    size: int
    url: str
    path: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The reference as plain JSON data."""
        return self.model_dump(by_alias=True)


class FileStore:
    """A local folder, or with the extra `storage` any fsspec URL such as `s3://bucket/folder`.

    A local folder is made when the first file comes, readable by its owner only. Two files of one name get two names: on
    this machine in one step, on remote storage within one process.
    """

    def __init__(self, folder: str | os.PathLike[str] = DEFAULT_FOLDER) -> None:
        if is_remote(folder):
            from .remote import RemoteFolder

            self._place: Place = RemoteFolder(os.fspath(folder))
        else:
            self._place = LocalFolder(local_path(folder))

    def writer(self, name: str, mime_type: str) -> FileWriter:
        """A place for one file, used as a context; it appears under its name only once committed."""
        return FileWriter(self._place, safe_name(name), mime_type)

    @contextlib.contextmanager
    def reader(self, source: Any) -> Iterator[tuple[str, IO[bytes]]]:
        """The name and the opened bytes of what a `file` param holds; raises ValueError, as a phrase, where it cannot be read.

        A param is a path, a `file://` or storage URL, bytes, an open binary file, a FileRef, or an object with path, url or
        content.
        """
        value = _unreferenced(source)
        if isinstance(value, bytes):
            yield _name_of(source, "accounts.csv"), io.BytesIO(value)
        elif hasattr(value, "read"):
            with _binary(value) as stream:
                yield _name_of(source, "accounts.csv"), stream
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
    """Where a store keeps its files."""

    def scratch(self) -> Path | None:
        """The folder in which a file grows before it is whole; None for the system's."""
        ...

    def take(self, part: Path, name: str) -> tuple[str, str, str | None]:
        """Keep the whole file `part` under `name` or one like it: the name, the URL and, where it has one, the local path."""
        ...


class LocalFolder:
    """A folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def scratch(self) -> Path:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._folder

    def take(self, part: Path, name: str) -> tuple[str, str, str | None]:
        """A hard link takes a free name in one step, so two writers can never share one."""
        for candidate in candidates(name):
            try:
                _claim(part, self._folder / candidate)
            except FileExistsError:
                continue
            path = (self._folder / candidate).resolve()
            return candidate, path.as_uri(), str(path)
        raise OSError(f"{self._folder} holds too many files called {name}")


def _claim(part: Path, path: Path) -> None:
    """Give a whole file its name; some mounts know no hard links, and there an empty file holds the name for a moment."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        os.replace(part, path)


class FileWriter:
    """One file on its way to its place; leaving the context without a commit removes every trace of it."""

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

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stream.close()
        self._part.unlink(missing_ok=True)

    @property
    def _stream(self) -> IO[bytes]:
        if self._file is None:
            raise RuntimeError("the writer is used outside its context")
        return self._file

    def restart(self) -> None:
        """Forget what has been written."""
        self._stream.seek(0)
        self._stream.truncate()
        self._size, self._head = 0, b""

    def write(self, piece: bytes) -> None:
        """Add bytes to the end."""
        if len(self._head) < _HEAD:
            self._head += piece[:_HEAD]
        self._stream.write(piece)
        self._size += len(piece)

    def begins_with(self, signature: bytes) -> bool:
        """Whether the bytes written so far begin with `signature`."""
        return self._head.startswith(signature)

    def commit(self) -> FileRef:
        """Give the whole file its name, another one where that is taken, and tell where it is."""
        self._stream.flush()
        os.fsync(self._stream.fileno())
        name, url, path = self._place.take(self._part, self._name)
        return FileRef(name=name, mime_type=self._mime_type, size=self._size, url=url, path=path)


def _unreferenced(source: Any) -> Any:
    """What a reference points at: its path, else its URL, else its content."""
    if isinstance(source, FileRef):
        return source.path or source.url
    if isinstance(source, Mapping):
        value = next((source[key] for key in ("path", "url", "content") if source.get(key)), None)
        if value is None:
            raise ValueError("names no path, url or content")
        is_text = isinstance(value, str) and value is source.get("content")
        return value.encode() if is_text else value
    return source


def _name_of(source: Any, fallback: str) -> str:
    name = source.get("name") if isinstance(source, Mapping) else getattr(source, "name", None)
    return safe_name(name) if isinstance(name, str) else safe_name(fallback)


@contextlib.contextmanager
def _binary(stream: Any) -> Iterator[IO[bytes]]:
    """An open file as one that can be read and rewound; it stays open for whoever opened it."""
    inner = getattr(stream, "file", stream)  # an upload of a web framework holds the file it wraps
    if isinstance(inner, io.TextIOBase):
        raise ValueError("is opened as text; open it in binary mode")
    if inspect.iscoroutinefunction(inner.read):
        raise ValueError("is read asynchronously; give its bytes or its path")
    with _rewindable(inner) as opened:
        yield opened


@contextlib.contextmanager
def _rewindable(stream: IO[bytes]) -> Iterator[IO[bytes]]:
    """The stream itself, or a copy of one that can be read only once, such as a pipe."""
    if stream.seekable():
        yield stream
        return
    with tempfile.SpooledTemporaryFile(max_size=_SPOOL) as copy:
        shutil.copyfileobj(stream, copy)
        copy.seek(0)
        yield cast(IO[bytes], copy)


def is_remote(value: Any) -> bool:
    """Whether a folder or a file param is a storage URL."""
    return isinstance(value, str) and "://" in value and not value.startswith("file://")


def local_path(value: Any) -> Path:
    """The path that a path or a `file://` URL names; raises ValueError for anything else."""
    text = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(text, str):
        raise ValueError("must be a path, a storage URL or a file")
    parts = urlsplit(text)
    return Path(url2pathname(parts.path)) if parts.scheme == "file" else Path(text).expanduser()

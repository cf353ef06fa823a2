"""Where a downloaded file goes and where an uploaded one comes from."""

from __future__ import annotations

import contextlib
import io
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self
from urllib.parse import urlsplit
from urllib.request import url2pathname

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

DEFAULT_FOLDER = "persona-files"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_NAME_LIMIT = 120
_HEAD = 16


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


def safe_name(name: str) -> str:
    """A file name that is one plain path segment on every system: ASCII letters, digits, dot, dash and underscore."""
    cleaned = _UNSAFE.sub("-", name.replace("\\", "/").rpartition("/")[2]).strip(".-")
    stem, dot, suffix = cleaned.rpartition(".")
    if dot and len(suffix) <= 10:
        return f"{stem[: _NAME_LIMIT - len(suffix) - 1]}.{suffix}"
    return cleaned[:_NAME_LIMIT] or "file"


class FileStore:
    """A local folder: made when the first file comes, readable by its owner only."""

    def __init__(self, folder: str | os.PathLike[str] = DEFAULT_FOLDER) -> None:
        self.folder = Path(folder)

    def writer(self, name: str, mime_type: str) -> FileWriter:
        """A place for one file, used as a context; it appears under its name only once committed."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return FileWriter(self.folder, safe_name(name), mime_type)

    @contextlib.contextmanager
    def reader(self, source: Any) -> Iterator[tuple[str, IO[bytes]]]:
        """The name and the opened bytes of what a `file` param holds; raises ValueError, as a phrase, where it cannot be read.

        A param is a path, a `file://` URL, bytes, an open binary file, a FileRef, or an object with path, url or content.
        """
        value = _unreferenced(source)
        if isinstance(value, bytes):
            yield _name_of(source, "accounts.csv"), io.BytesIO(value)
        elif hasattr(value, "read"):
            yield _name_of(source, "accounts.csv"), _binary(value)
        else:
            path = _local_path(value)
            try:
                stream = path.open("rb")
            except OSError as error:
                raise ValueError(f"cannot be read: {error.strerror or 'no such file'}") from None
            with stream:
                yield _name_of(source, path.name), stream


class FileWriter:
    """One file on its way into a folder; leaving the context without a commit removes every trace of it."""

    def __init__(self, folder: Path, name: str, mime_type: str) -> None:
        self._folder = folder
        self._name = name
        self._mime_type = mime_type
        self._size = 0
        self._head = b""
        self._stream: IO[bytes] | None = None
        self._part = Path()

    def __enter__(self) -> Self:
        descriptor, part = tempfile.mkstemp(prefix=".", suffix=".part", dir=self._folder)
        self._part = Path(part)
        self._stream = os.fdopen(descriptor, "wb")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._stream is not None:
            self._stream.close()
        self._part.unlink(missing_ok=True)

    def restart(self) -> None:
        """Forget what has been written."""
        if self._stream is None:
            raise RuntimeError("the writer is used outside its context")
        self._stream.seek(0)
        self._stream.truncate()
        self._size, self._head = 0, b""

    def write(self, piece: bytes) -> None:
        """Add bytes to the end."""
        if self._stream is None:
            raise RuntimeError("the writer is used outside its context")
        if len(self._head) < _HEAD:
            self._head += piece[:_HEAD]
        self._stream.write(piece)
        self._size += len(piece)

    def begins_with(self, signature: bytes) -> bool:
        """Whether the bytes written so far begin with `signature`."""
        return self._head.startswith(signature)

    def commit(self) -> FileRef:
        """Give the whole file its name, another one where that is taken, and tell where it is."""
        if self._stream is None:
            raise RuntimeError("the writer is used outside its context")
        self._stream.flush()
        os.fsync(self._stream.fileno())
        path = self._claim().resolve()
        return FileRef(name=path.name, mime_type=self._mime_type, size=self._size, url=path.as_uri(), path=str(path))

    def _claim(self) -> Path:
        """A hard link takes a free name in one step, so two writers can never share one."""
        stem, dot, suffix = self._name.rpartition(".")
        for number in range(1, 10_000):
            name = self._name if number == 1 else (f"{stem}-{number}.{suffix}" if dot else f"{self._name}-{number}")
            try:
                os.link(self._part, self._folder / name)
            except FileExistsError:
                continue
            return self._folder / name
        raise OSError(f"{self._folder} holds too many files called {self._name}")


def _unreferenced(source: Any) -> Any:
    """What a reference points at: its path, else its URL, else its content."""
    if isinstance(source, FileRef):
        return source.path or source.url
    if isinstance(source, Mapping):
        value = next((source[key] for key in ("path", "url", "content") if source.get(key)), None)
        if value is None:
            raise ValueError("names no path, url or content")
        return value
    return source


def _name_of(source: Any, fallback: str) -> str:
    name = source.get("name") if isinstance(source, Mapping) else getattr(source, "name", None)
    return safe_name(name) if isinstance(name, str) else safe_name(fallback)


def _binary(stream: Any) -> IO[bytes]:
    if isinstance(stream, io.TextIOBase):
        raise ValueError("is opened as text; open it in binary mode")
    opened: IO[bytes] = stream
    return opened


def _local_path(value: Any) -> Path:
    text = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(text, str):
        raise ValueError("must be a path, a storage URL or a file")
    parts = urlsplit(text)
    if parts.scheme == "file":
        return Path(url2pathname(parts.path))
    if "://" in text:
        raise ValueError(f"is a {parts.scheme} URL, which this file store cannot read")
    return Path(text).expanduser()

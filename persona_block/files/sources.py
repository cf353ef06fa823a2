"""What a `file` param holds, opened as bytes that can be rewound: a path, bytes, an open file, or storage that is trusted."""

from __future__ import annotations

import contextlib
import inspect
import io
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import urlsplit
from urllib.request import url2pathname

from .names import safe_name
from .reference import FileRef
from .regular import FileBelow, UnreadableFile, open_regular, refuse_other_kinds
from .rules import FileRules

UNNAMED = "upload.bin"
"""The name of a file to upload that comes without one, unless the caller knows better."""

_PIECE = 256 * 1024
"""How much of a file is copied at once, in bytes."""
_SPOOL = 4 * 1024 * 1024
"""How much of a copy is held in memory before it goes to disk, in bytes."""

_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]+):(//|:)|(?P<opaque>data|file):", re.IGNORECASE)
"""How a URL begins, chained ones (`zip::s3://…`) too; a single letter is a drive of Windows, and other colons are names."""


@dataclass(slots=True)
class OpenedFile:
    """A file to upload: its name, safe on every system, and its bytes, in a stream that can be rewound."""

    name: str
    stream: IO[bytes] = field(repr=False)
    own_stream: IO[bytes] | None = field(default=None, repr=False)
    """What was opened here and has to be closed; None where the stream is somebody else's."""

    def close(self) -> None:
        """Close what was opened here."""
        if self.own_stream is not None:
            self.own_stream.close()


def open_source(source: Any, unnamed: str = UNNAMED, rules: FileRules | None = None) -> OpenedFile:
    """Open what a `file` param holds; this may block, and belongs into a thread where an event loop runs.

    source: a path, a `file://` URL, a URL of storage whose scheme the rules name, bytes, an open binary file, a FileRef, a
        FileBelow, or a mapping with path, url or content, and perhaps name.
    unnamed: the name of bytes or of an open file that has none.
    rules: the largest file, and the schemes of storage that are trusted; the default is `FileRules()`.

    A path must lead to a regular file. An open file is used as it is where it is a regular one or a BytesIO, and copied
    otherwise; one that can be rewound is taken from its start. Raises UnreadableFile, a ValueError whose text is a phrase,
    where it cannot be read or is larger than the rules allow.
    """
    try:
        return _open_any(source, unnamed, rules or FileRules())
    except UnreadableFile:
        raise
    except Exception as error:  # a file-like object or a storage library may raise anything
        raise UnreadableFile(f"cannot be read: {type(error).__name__}") from None


def _open_any(source: Any, unnamed: str, rules: FileRules) -> OpenedFile:
    value = _unreferenced(source)
    if isinstance(value, bytes | bytearray | memoryview):
        _refuse_larger(memoryview(value).nbytes, rules)
        return OpenedFile(_name_of(source, unnamed), io.BytesIO(value))
    if isinstance(value, FileBelow):
        return _opened_here(_name_of(source, unnamed), value.open(), rules)
    if isinstance(value, str) and (scheme := url_scheme(value)):
        if scheme != "file":
            return _from_storage(source, value, scheme, rules)
        value = _path_of_file_url(value)
    if isinstance(value, str | os.PathLike):
        path = _path(value)
        return _opened_here(_name_of(source, path.name), open_regular(path), rules)
    if hasattr(value, "read"):
        return _from_open_file(value, _name_of(source, unnamed), rules)
    raise UnreadableFile("must be a path, a storage URL or a file")


def _unreferenced(source: Any) -> Any:
    """Return what a reference points at: its path, else its URL, else its content; anything else as it is."""
    if isinstance(source, FileRef):
        return source.path or source.url
    if not isinstance(source, Mapping):
        return source
    for name in ("path", "url"):
        if source.get(name):
            if not isinstance(source[name], str | os.PathLike | FileBelow):
                raise UnreadableFile(f"holds a {name} that is no text")
            return source[name]
    content = source.get("content")
    if content is None or content == "":
        raise UnreadableFile("names no path, url or content")
    if not isinstance(content, str):
        return content
    try:
        return content.encode()
    except UnicodeEncodeError:
        raise UnreadableFile("holds characters that cannot be written as UTF-8") from None


def _name_of(source: Any, unnamed: str) -> str:
    """Return the name that a source has of its own, else `unnamed`, as one that is safe on every system."""
    name = source.get("name") if isinstance(source, Mapping) else getattr(source, "name", None)
    return safe_name(name) if isinstance(name, str) and name else safe_name(unnamed)


def _refuse_larger(size: int, rules: FileRules) -> None:
    if size > rules.limit:
        raise UnreadableFile(f"is over {rules.limit} bytes, which is the largest file allowed here")


def _opened_here(name: str, stream: IO[bytes], rules: FileRules) -> OpenedFile:
    """Return a regular file that was opened here."""
    with contextlib.ExitStack() as opened:
        opened.callback(stream.close)
        _refuse_larger(os.fstat(stream.fileno()).st_size, rules)
        opened.pop_all()
        return OpenedFile(name, stream, stream)


# --- texts -----------------------------------------------------------------------------------------------------------------


def url_scheme(text: str) -> str | None:
    """Return the scheme that a text begins with, in small letters, or None where it is a path."""
    beginning = _URL.match(text)
    return (beginning["scheme"] or beginning["opaque"]).lower() if beginning else None


def _path(value: str | os.PathLike[str]) -> Path:
    text = os.fspath(value)
    if not isinstance(text, str):
        raise UnreadableFile("must be a path, a storage URL or a file")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise UnreadableFile("cannot be read: its home folder is not known") from None


def _path_of_file_url(text: str) -> Path:
    parts = urlsplit(text)
    is_plain = text.isprintable() and parts.netloc in ("", "localhost") and not (set("?#\\") & set(text))
    if not is_plain or not re.match(r"/(?!/)", parts.path) or not text[5:].startswith("//"):
        raise UnreadableFile("is a file URL of another form than file:///folder/name")
    return Path(url2pathname(parts.path))


def _from_storage(source: Any, url: str, scheme: str, rules: FileRules) -> OpenedFile:
    """Copy a file from storage that is trusted; no other URL is followed, since a model may have written it."""
    if scheme not in rules.schemes:
        raise UnreadableFile("is a URL, and only storage is read that the runner was told to trust: FileRules(schemes=…)")
    if "::" in url:
        raise UnreadableFile("is a chain of URLs, which is not followed")
    from .remote import open_remote

    with open_remote(scheme + url[len(scheme) :]) as remote:
        copy = _copied(remote, rules)
    return OpenedFile(_name_of(source, url.rpartition("/")[2]), copy, copy)


# --- open files ------------------------------------------------------------------------------------------------------------


def _from_open_file(value: Any, name: str, rules: FileRules) -> OpenedFile:
    """Return an open file that can be rewound without waiting for anybody, or a copy of one; whoever opened it closes it."""
    inner = getattr(value, "file", value)  # an upload of a web framework holds the file it wraps
    stream = inner if hasattr(inner, "read") else value
    if isinstance(stream, io.TextIOBase):
        raise UnreadableFile("is opened as text; open it in binary mode")
    if inspect.iscoroutinefunction(stream.read):
        raise UnreadableFile("is read asynchronously; give its bytes or its path")
    if type(stream) is io.BytesIO:
        _refuse_larger(stream.getbuffer().nbytes, rules)
        return OpenedFile(name, stream)
    if type(stream) in (io.BufferedReader, io.BufferedRandom, io.FileIO) and _is_regular(stream):
        _refuse_larger(os.fstat(stream.fileno()).st_size, rules)
        return OpenedFile(name, stream)
    if hasattr(stream, "seekable") and stream.seekable() is True:
        stream.seek(0)
    copy = _copied(stream, rules)
    return OpenedFile(name, copy, copy)


def _is_regular(stream: IO[bytes]) -> bool:
    try:
        refuse_other_kinds(os.fstat(stream.fileno()))
    except (OSError, ValueError):
        return False
    return stream.readable() and stream.seekable()


def _copied(stream: Any, rules: FileRules) -> IO[bytes]:
    """Return a copy of a stream from where it stands, in memory or in a temporary file, no larger than the rules allow."""
    with contextlib.ExitStack() as opened:
        copy = opened.enter_context(tempfile.SpooledTemporaryFile(max_size=_SPOOL))
        size = 0
        while len(piece := _bytes_read(stream)):
            size += len(piece)
            _refuse_larger(size, rules)
            copy.write(piece)
        copy.seek(0)
        opened.pop_all()
        return cast(IO[bytes], copy)


def _bytes_read(stream: Any) -> bytes:
    """Return the next bytes of a stream; raises UnreadableFile where it gives something else."""
    piece = stream.read(_PIECE)
    if isinstance(piece, bytes | bytearray | memoryview):
        return bytes(piece)
    if inspect.iscoroutine(piece):
        piece.close()
    raise UnreadableFile("gives something else than bytes when it is read; open it in binary mode, so that reading waits")

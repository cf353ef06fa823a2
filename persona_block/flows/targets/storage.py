"""Storage as a target: a folder of this machine, or any that fsspec knows, such as `s3://records/2026` or `gs://…`.

Storage URLs need the extra `storage` and the library of their scheme, which finds its credentials by its own rules. A file's
name holds a digest of the dedupe id: a step that is done again writes the same file, and no other step does.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ...errors import DeliveryError
from ...files.names import safe_name
from ...files.threads import run_in_thread
from ..ports import Content, StoredRef
from .delivery import check_dedupe_id, in_doubt, not_sent, refused

_SCHEME = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]+)://", re.IGNORECASE)
_NO_STORAGE = frozenset({"http", "https", "data", "blob", "github", "git", "reference", "zip", "tar", "libarchive"})
"""Schemes of fsspec that are no place to keep files."""
_CONTENT_TYPE = {"s3": "ContentType", "s3a": "ContentType", "gs": "content_type", "gcs": "content_type"}
"""How the library of a scheme is told the content type of an object."""
_WHOLE = frozenset({*_CONTENT_TYPE, "az", "abfs", "abfss", "adl", "oss", "oci", "r2", "memory"})
"""Schemes whose objects appear whole or not at all."""
_LASTING = (FileNotFoundError, PermissionError, NotADirectoryError, IsADirectoryError, NotImplementedError)
_KEPT = "kept"


class Storage:
    """Keeps files in folders and on storage that fsspec knows.

    shared: whether several workers run the flows, for whom a folder of one machine means nothing. The default is False.
    """

    def __init__(self, *, shared: bool = False) -> None:
        self._shared = shared

    async def put(self, content: Content, url: str, dedupe_id: str) -> StoredRef:
        """Keep the content in the folder `url`, with its content type where the storage has one, and return where.

        A file appears under its name once it is whole. Raises InputError for a URL that can never work, and DeliveryError
        where keeping failed; after one that is retryable, the same call leaves one file.
        """
        check_dedupe_id(dedupe_id)
        scheme = check_folder(url, shared=self._shared)
        work = partial(_put_local, _local(url)) if scheme == "file" else partial(_put_remote, url, scheme)
        return await run_in_thread(lambda: work(content, stored_name(content.name, dedupe_id), dedupe_id))


def stored_name(name: str, dedupe_id: str) -> str:
    """Return the name that a file is kept under: its own, made safe, with a digest of the dedupe id before the suffix."""
    stem, dot, suffix = safe_name(name).rpartition(".")
    digest = hashlib.sha256(dedupe_id.encode()).hexdigest()[:16]
    return f"{stem[:90]}-{digest}.{suffix[:10]}" if dot else f"{suffix[:90]}-{digest}"


def check_folder(url: str, *, shared: bool = False) -> str:
    """Return the scheme of a folder, `file` for one of this machine; raises InputError, which repeats nothing of it.

    shared: whether several workers need it, so that a folder of one machine is refused.
    """
    match = _SCHEME.match(url)
    scheme = match["scheme"].lower().replace("local", "file") if match else "file"
    path = url[match.end() :] if match else url
    if not url.strip() or url != url.strip() or re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", url):
        fault = "must be a folder or a storage URL, without control characters and spaces around it"
    elif "::" in url or scheme in _NO_STORAGE or (match is None and "://" in url):
        fault = "must be a folder or the URL of storage that files can be kept on, such as s3://bucket/folder"
    elif ".." in re.split(r"[/\\]", path):
        fault = "must not hold .. as a part of the path"
    elif "@" in path.partition("/")[0] and ":" in path.partition("/")[0].rpartition("@")[0]:
        fault = "holds a password, which would be kept with the flow; give it to the storage library by its own configuration"
    elif scheme == "file" and shared:
        fault = "is a folder of one machine, and several workers run these flows; use storage that all of them reach"
    else:
        return scheme
    raise refused("to", fault, action="store")


def _local(url: str) -> Path:
    try:
        return (Path(url2pathname(urlsplit(url).path)) if "://" in url else Path(url)).expanduser().absolute()
    except RuntimeError:
        raise refused("to", "is below a home folder that is not known", action="store") from None


def _put_local(folder: Path, content: Content, name: str, _dedupe_id: str) -> StoredRef:
    path = folder / name
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # What an attempt that was killed has left behind.
        for part in folder.glob(f".{name}.*.part"):
            part.unlink(missing_ok=True)
        descriptor, part_name = tempfile.mkstemp(prefix=f".{name}.", suffix=".part", dir=folder)
        try:
            with os.fdopen(descriptor, "wb") as target, content.open() as source:
                shutil.copyfileobj(source, target)
                target.flush()
                os.fsync(target.fileno())
            os.replace(part_name, path)
        except BaseException:
            Path(part_name).unlink(missing_ok=True)
            raise
    except OSError as error:
        may_help = error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ENAMETOOLONG)
        words = f"The folder does not take the file: {error.strerror or type(error).__name__}."
        raise not_sent(words, may_help=may_help, done=_KEPT) from None
    return StoredRef(path.as_uri())


def _put_remote(url: str, scheme: str, content: Content, name: str, dedupe_id: str) -> StoredRef:
    filesystem, folder = _filesystem(url)
    path = f"{folder.rstrip('/')}/{name}"
    keyword = _CONTENT_TYPE.get(scheme)
    options = {keyword: content.media_type} if keyword else {}
    with _local_file(content) as source:
        try:
            if scheme in _WHOLE:
                filesystem.put_file(str(source), path, **options)
            else:
                _move_whole(filesystem, source, folder, name)
        except Exception as error:  # each storage library raises errors of its own
            raise _failure(error, dedupe_id) from None
    return StoredRef(f"{url.rstrip('/')}/{name}")


def _filesystem(url: str) -> tuple[Any, str]:
    try:
        import fsspec
    except ModuleNotFoundError:
        raise refused("to", "is a storage URL, which needs: pip install 'persona-block[storage]'", action="store") from None
    try:
        filesystem, path = fsspec.core.url_to_fs(url)
    except (ImportError, ValueError):
        raise refused("to", "is a URL for which no storage library is installed", action="store") from None
    except Exception as error:  # each storage library raises errors of its own
        words = f"is a URL that its storage library does not take: {type(error).__name__}"
        raise refused("to", words, action="store") from None
    return filesystem, path


def _move_whole(filesystem: Any, source: Path, folder: str, name: str) -> None:
    """Upload under a name of its own and rename, on storage where a file grows under the eyes of its readers."""
    folder = folder.rstrip("/")
    part, path = f"{folder}/.{name}.part", f"{folder}/{name}"
    filesystem.makedirs(folder, exist_ok=True)
    filesystem.put_file(str(source), part)
    if filesystem.exists(path):  # an earlier attempt of this very step; some file systems rename onto nothing
        filesystem.rm_file(path)
    filesystem.mv(part, path)


@contextlib.contextmanager
def _local_file(content: Content) -> Iterator[Path]:
    """Give the content as a file of this machine, for as long as the context lasts; raises DeliveryError."""
    if isinstance(content.data, Path):
        if not content.data.is_file():
            raise not_sent("The file that is to be kept is gone.", done=_KEPT)
        yield content.data
        return
    with tempfile.TemporaryDirectory(prefix="persona-block-") as scratch:
        path = Path(scratch) / "content"
        try:
            path.write_bytes(content.data)
        except OSError as error:
            raise not_sent(f"The file cannot be prepared: {error.strerror}.", may_help=True, done=_KEPT) from None
        yield path


def _failure(error: Exception, dedupe_id: str) -> DeliveryError:
    words = f"The storage failed with {type(error).__name__}."
    if isinstance(error, _LASTING):
        return not_sent(words, done=_KEPT)
    return in_doubt(words, idempotency_key=dedupe_id)

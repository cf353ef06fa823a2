"""Regular files, opened so that nothing else is read in their place: no pipe, no device, and below a folder no link."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import IO

_READING = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_FILE = _READING | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
"""A pipe that takes the file's place after its kind was looked up is then opened without waiting for a writer."""
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_FOLDER = _READING | getattr(os, "O_DIRECTORY", 0)

HAS_FOLDER_HANDLES = bool(_NO_LINK and hasattr(os, "O_DIRECTORY")) and {os.open, os.stat} <= os.supports_dir_fd
"""Whether a file can be opened relative to an open folder, as everywhere but on Windows."""

_JUNCTION = 0xA0000003
"""IO_REPARSE_TAG_MOUNT_POINT of Windows."""
_LINK = "is a link or lies behind one, and no link is followed here"
_OTHER_KINDS = (
    (stat.S_ISDIR, "is a folder, not a file"),
    (stat.S_ISLNK, _LINK),
    (stat.S_ISFIFO, "is a pipe, not a file"),
    (stat.S_ISSOCK, "is a socket, not a file"),
    (stat.S_ISCHR, "is a character device, not a file"),
    (stat.S_ISBLK, "is a block device, not a file"),
)


class UnreadableFile(ValueError):
    """What was given as a file cannot be taken; its text is a phrase that holds no name and no content."""


def open_regular(path: str | os.PathLike[str]) -> IO[bytes]:
    """Open the regular file of a path, links followed; raises UnreadableFile for what is none or cannot be read."""
    with _explained():
        # A device is not even opened, which may already do something to it.
        refuse_other_kinds(os.stat(path))
        return _stream(os.open(path, _FILE))


def refuse_other_kinds(status: os.stat_result) -> None:
    """Raise UnreadableFile for the status of anything but a regular file."""
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableFile(next((text for is_kind, text in _OTHER_KINDS if is_kind(status.st_mode)), "is not a file"))


@dataclass(frozen=True, slots=True)
class FileBelow:
    """A file below a folder, by the names that lead to it; it is looked up only when it is opened, and through no link.

    folder: the folder, reached through links if need be.
    names: the names of the folders below it, and last that of the file.
    """

    folder: Path
    names: tuple[str, ...]

    @classmethod
    def of(cls, folder: Path, text: str) -> FileBelow:
        """Return the file that a text names, as a path relative to the folder or as an absolute one below it.

        A `..` takes back the name before it. Raises UnreadableFile for a path that leads out of the folder. Nothing is
        looked up on disk but the folder's own links.
        """
        with _explained():
            roots = [Path(os.path.normpath(folder.absolute())), folder.resolve()]
            path = Path(os.path.normpath(roots[0] / text))
            for root in roots:
                if path.is_relative_to(root):
                    return cls(folder.absolute(), path.relative_to(root).parts)
        raise UnreadableFile("is outside the folder that files may be read from")

    @property
    def name(self) -> str:
        """The name of the file itself."""
        return self.names[-1] if self.names else ""

    def open(self) -> IO[bytes]:
        """Open the file; raises UnreadableFile for anything but a regular file that is reached through no link.

        Each folder on the way is opened relative to the one before, so that no swap of a folder for a link leads elsewhere.
        Where a system has no such handles (Windows), the way is looked through after the file is open.
        """
        if not self.names or any(PurePath(name).parts != (name,) or name == ".." for name in self.names):
            raise UnreadableFile("is a folder, not a file")
        with _explained(f"cannot be read: it {_LINK}, or behind a file"):
            return self._walk() if HAS_FOLDER_HANDLES else self._open_then_check()

    def _walk(self) -> IO[bytes]:
        folder = os.open(self.folder, _FOLDER)
        try:
            for name in self.names[:-1]:
                inner = os.open(name, _FOLDER | _NO_LINK, dir_fd=folder)
                os.close(folder)
                folder = inner
            refuse_other_kinds(os.stat(self.name, dir_fd=folder, follow_symlinks=False))
            return _stream(os.open(self.name, _FILE | _NO_LINK, dir_fd=folder))
        finally:
            os.close(folder)

    def _open_then_check(self) -> IO[bytes]:
        path = self.folder.joinpath(*self.names)
        refuse_other_kinds(os.lstat(path))
        stream = _stream(os.open(path, _FILE))
        try:
            for depth in range(1, len(self.names) + 1):
                step = os.lstat(self.folder.joinpath(*self.names[:depth]))
                if _is_link(step):
                    raise UnreadableFile(_LINK)
            if not os.path.samestat(step, os.fstat(stream.fileno())):
                raise UnreadableFile("changed while it was opened")
        except BaseException:
            stream.close()
            raise
        return stream


def _is_link(status: os.stat_result) -> bool:
    """Return whether a status is that of a link, or of a junction of Windows, which is no symbolic link."""
    tag: int = getattr(status, "st_reparse_tag", 0)
    return stat.S_ISLNK(status.st_mode) or tag == _JUNCTION


def _stream(descriptor: int) -> IO[bytes]:
    """Return the stream of a descriptor, which is closed where it is not that of a regular file."""
    try:
        refuse_other_kinds(os.fstat(descriptor))
        if hasattr(os, "O_NONBLOCK"):
            os.set_blocking(descriptor, True)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


@contextlib.contextmanager
def _explained(behind_link: str = "") -> Iterator[None]:
    """Raise what the system says of a path as UnreadableFile.

    behind_link: the phrase for a path on which a link was met; the default is the system's own.
    """
    try:
        yield
    except OSError as error:
        if behind_link and error.errno in (errno.ELOOP, errno.EMLINK, errno.ENOTDIR):
            raise UnreadableFile(behind_link) from None
        raise UnreadableFile(f"cannot be read: {error.strerror or 'no such file'}") from None
    except UnreadableFile:
        raise
    except (ValueError, RuntimeError):  # a null character, a lone surrogate, a loop of links
        raise UnreadableFile("cannot be read: it is no path of this system") from None

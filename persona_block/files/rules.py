"""What a runner may read and fetch as a file."""

from __future__ import annotations

from dataclasses import dataclass

FILE_LIMIT = 512 * 1024 * 1024
"""The largest file that is read unless a runner is told otherwise, in bytes."""


@dataclass(frozen=True, slots=True)
class FileRules:
    """What a runner may read and fetch as a file.

    limit: the largest file that is fetched, in bytes; the default is 512 MiB.
    check: look a CSV file through before it is sent; the default is to do so.
    hosts: hosts trusted with downloads beside Persona's own; the default is none.
    """

    limit: int = FILE_LIMIT
    check: bool = True
    hosts: tuple[str, ...] = ()

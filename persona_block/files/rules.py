"""What a runner may read, send and fetch as a file."""

from __future__ import annotations

import re
from dataclasses import dataclass

FILE_LIMIT = 512 * 1024 * 1024
"""The largest file that is sent or fetched unless a runner is told otherwise, in bytes."""

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+")


@dataclass(frozen=True, slots=True)
class FileRules:
    """What a runner may read, send and fetch as a file.

    limit: the largest file that is sent or fetched, in bytes; the default is 512 MiB.
    check: look a CSV file through before it is sent; the default is to do so.
    hosts: hosts trusted with downloads beside Persona's own; the default is none.
    schemes: schemes of storage that a `file` param may name URLs of, such as `s3`; the default is none. A model may fill that
        param, so what a scheme reaches, a model may reach: naming `http` or `https` lets it fetch from any host that this
        machine can reach.

    Raises ValueError for a limit that is no whole number from 0 on, for hosts or schemes that are a text instead of several,
    and for a scheme that is not written as in `s3`.
    """

    limit: int = FILE_LIMIT
    check: bool = True
    hosts: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.limit, bool) or not isinstance(self.limit, int) or self.limit < 0:
            raise ValueError("limit: must be a whole number of bytes, 0 or more")
        if isinstance(self.hosts, str) or isinstance(self.schemes, str):
            raise ValueError("hosts and schemes: give several, such as ('s3',), even where it is one")
        if not all(isinstance(scheme, str) and _SCHEME.fullmatch(scheme) for scheme in self.schemes):
            raise ValueError("schemes: each must be written as in 's3', in small letters and without ://")

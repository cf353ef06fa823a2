"""File names that are one plain path segment on every system, and alternatives to a name that is taken."""

from __future__ import annotations

import re
from collections.abc import Iterator

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_NAME_LIMIT = 120
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)", re.IGNORECASE)
"""Names that Windows takes for devices, whatever follows their first dot (learn.microsoft.com, "Naming Files, Paths, and
Namespaces"); its others hold characters that no safe name has."""


def safe_name(name: str) -> str:
    """Return a file name that is one plain path segment on every system, at most 120 characters, `file` where none is left.

    It holds ASCII letters, digits, dot, dash and underscore, does not begin with a dot or end with one, and is the name of no
    device of Windows: before such a name it puts `file-`.
    """
    cleaned = _UNSAFE.sub("-", name.replace("\\", "/").rpartition("/")[2]).strip(".-")
    if _DEVICE.match(cleaned):
        cleaned = f"file-{cleaned}"
    stem, dot, suffix = cleaned.rpartition(".")
    if dot and len(suffix) <= 10:
        return f"{stem[: _NAME_LIMIT - len(suffix) - 1]}.{suffix}"
    return cleaned[:_NAME_LIMIT].rstrip(".-") or "file"


def candidates(name: str) -> Iterator[str]:
    """Yield `name`, then `name-2`, `name-3` and so on up to 9,999, each with the suffix of the file."""
    yield name
    stem, dot, suffix = name.rpartition(".")
    for number in range(2, 10_000):
        yield f"{stem}-{number}.{suffix}" if dot else f"{name}-{number}"

"""The known name that a mistyped one was probably meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LONGEST_COMPARED = 100
"""Characters of a name that are compared. No known name is so long that a longer one could be close to it."""


def nearest_name(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the known name that is closest to `name`, or None where none is close.

    `cutoff` is the least similarity from 0 to 1, as `difflib.get_close_matches` measures it. The time taken does not grow
    with the length of `name`, which may be a megabyte that a model wrote.
    """
    matches = difflib.get_close_matches(name[:_LONGEST_COMPARED], known, n=1, cutoff=cutoff)
    return matches[0] if matches else None

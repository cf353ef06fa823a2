"""Keys of rows, which tell in a later run what was done in an earlier one."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, Iterator

from ..credentials import ApiKey


def key_text(key: object) -> str:
    """Return a key as text, blank where it is missing: None, or what is not even equal to itself, such as NaN."""
    return "" if key is None or key != key else str(key).strip()


def is_stable(key: object) -> bool:
    """Return whether the text of a key is the same in every run and tells it from others; that of a set, an address in memory
    or an API key does not.
    """
    if inspect.isawaitable(key):
        if inspect.iscoroutine(key):
            key.close()
        return False
    shows_address = type(key).__str__ is object.__str__ and type(key).__repr__ is object.__repr__
    return not (shows_address or callable(key) or isinstance(key, set | frozenset | Iterator | AsyncIterable | ApiKey))

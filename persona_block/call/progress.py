"""How far work is that takes a while: what paging, waiting and rows tell while they go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProgressUpdate:
    """One report of progress; it holds no personal data.

    message: what happened, in a few words for a person.
    done: how many ended well: rows, items of pages, or rows of an import that is waited for.
    failed, skipped: how many of these failed, or were passed over.
    total: how many there are in all; None where nobody knows yet.
    rate: how many a second, over the time so far; 0 before the first.
    time_left: seconds to the end at this rate, and to the deadline of a wait; None where nobody knows.
    """

    message: str
    done: int = 0
    failed: int = 0
    skipped: int = 0
    total: int | None = None
    rate: float = 0.0
    time_left: float | None = None


Progress = Callable[[ProgressUpdate], object]
"""Told of retries, pages, looks and rows, from the event loop's thread; what it returns counts for nothing."""

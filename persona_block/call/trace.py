"""What became of one run, filled in while it goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Progress = Callable[[str], None]
"""Told, in a few words without personal data, how retries, paging and waiting go."""


def _nothing(_text: str) -> None:
    """Tell nobody."""


@dataclass(slots=True)
class Trace:
    """What became of one run, over all its calls, and who is told of it meanwhile."""

    attempts: int = 0
    """Requests made so far."""
    request_id: str | None = None
    status: int | None = None
    retries: list[dict[str, Any]] = field(default_factory=list)
    """Why each further attempt was made, and after how many seconds."""
    tell: Progress = field(default=_nothing, repr=False)
    """Told of each further attempt, of pages and of waiting."""

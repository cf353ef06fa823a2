"""What became of one run, filled in while it goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Trace:
    """What became of one run, filled in while it goes on."""

    attempts: int = 0
    request_id: str | None = None
    status: int | None = None
    retries: list[dict[str, Any]] = field(default_factory=list)
    """Why each further attempt was made, and after how many seconds."""
    tell: Callable[[str], None] | None = field(default=None, repr=False)
    """Told, in a few words, of each further attempt."""

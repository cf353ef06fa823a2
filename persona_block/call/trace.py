"""What became of one run, filled in while it goes on."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import Any

from .progress import Progress, ProgressUpdate

log = logging.getLogger("persona_block")


@dataclass(slots=True)
class Trace:
    """What became of one run, over all its calls, and who is told of it meanwhile."""

    attempts: int = 0
    """Requests made so far."""
    request_id: str | None = None
    status: int | None = None
    retries: list[dict[str, Any]] = field(default_factory=list)
    """Why each further attempt was made, and after how many seconds."""
    hints: list[str] = field(default_factory=list)
    """What the caller may have meant otherwise, each once."""
    progress: Progress | None = field(default=None, repr=False)
    """Told of each further attempt, of pages and of waiting."""
    update: ProgressUpdate = field(default=ProgressUpdate(""), repr=False)
    """What was told last; its counts hold until others are told."""

    def hint(self, sentence: str) -> None:
        """Note and tell a hint, unless it was given before."""
        if sentence not in self.hints:
            self.hints.append(sentence)
            self.tell(sentence)

    def tell(self, message: str, **counts: Any) -> None:
        """Tell of a step in a few words without personal data; `counts` are those of ProgressUpdate that have changed.

        An exception of whoever is told must not end a write, so it is logged by its type alone.
        """
        if self.progress is None:
            return
        self.update = replace(self.update, message=message, **counts)
        try:
            self.progress(self.update)
        except Exception as error:
            log.warning("what is told of progress failed: %s", type(error).__name__)

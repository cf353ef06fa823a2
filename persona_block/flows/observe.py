"""What is told of a step while it runs: standard logging, and a span where OpenTelemetry is set up; nothing personal.

The flow's id is told, which whoever starts a flow chooses; the names of steps are those of the document or the program.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..call.observe import tracer
from ..errors import PersonaError

logger = logging.getLogger("persona_block.flows")


@dataclass
class Tries:
    """How often a step was tried in this process."""

    made: int = 0


@contextmanager
def observed_step(label: str, workflow_id: str, tries: Tries) -> Iterator[Callable[[PersonaError], None]]:
    """Log one step when it ends, and make it a span; gives what is to be called with the error of a step that failed."""
    began = time.monotonic()
    outcome = "interrupted"
    spans = tracer()
    with _span(spans, f"flow step {label.partition('[')[0]}") as span:

        def ended(error: PersonaError) -> None:
            nonlocal outcome
            outcome = error.kind

        try:
            yield ended
            outcome = "done" if outcome == "interrupted" else outcome
        finally:
            _describe(span, label, workflow_id, tries.made, outcome)
            seconds = time.monotonic() - began
            level = logging.INFO if outcome in ("done", "interrupted") else logging.WARNING
            logger.log(level, "%s of flow %s: %s after %d tries in %.2f s", label, workflow_id, outcome, tries.made, seconds)


def _span(spans: Any, name: str) -> contextlib.AbstractContextManager[Any]:
    """Open a span without the exception's text, which may quote Persona."""
    if spans is None:
        return contextlib.nullcontext()
    span: contextlib.AbstractContextManager[Any] = spans.start_as_current_span(
        name, record_exception=False, set_status_on_exception=False
    )
    return span


def _describe(span: Any, label: str, workflow_id: str, tries: int, outcome: str) -> None:
    if span is None:
        return
    attributes = {"flow.id": workflow_id, "flow.step": label, "flow.tries": tries, "flow.outcome": outcome}
    for name, value in attributes.items():
        span.set_attribute(f"persona.{name}", value)
    if outcome != "done":
        from opentelemetry.trace import Status, StatusCode

        span.set_status(Status(StatusCode.ERROR, outcome))

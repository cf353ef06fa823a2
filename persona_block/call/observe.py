"""What is told of a call while it happens: standard logging, and a span where OpenTelemetry is installed; nothing personal.

The logger `persona_block` says operation, status, attempts, duration and Persona's request id. The HTTP libraries' own log
lines hold whole URLs, and those hold file tokens and search terms, so they are held back while a call of ours runs.
"""

from __future__ import annotations

import contextlib
import contextvars
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .trace import Trace

log = logging.getLogger("persona_block")
_LIBRARIES = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy", "httpcore.socks")
EventHooks = Mapping[str, list[Callable[..., Awaitable[None]]]]
"""Coroutine functions by event, as httpx calls them: `request` before each is sent, `response` before each is read."""

event_hooks: contextvars.ContextVar[EventHooks | None] = contextvars.ContextVar("persona_block_hooks", default=None)
"""The hooks of the HTTP clients that are made in this context; the headers of a request that they see hold the API key."""

_ours: contextvars.ContextVar[bool] = contextvars.ContextVar("persona_block_call", default=False)


class _HeldBack(logging.Filter):
    def filter(self, _record: logging.LogRecord) -> bool:
        return not _ours.get()


_held_back = _HeldBack()


@contextlib.contextmanager
def silent_libraries() -> Iterator[None]:
    """Hold back what the HTTP libraries would log of the requests made inside."""
    for name in _LIBRARIES:
        logging.getLogger(name).addFilter(_held_back)
    token = _ours.set(True)
    try:
        yield
    finally:
        _ours.reset(token)


@contextlib.contextmanager
def observed(operation: str, trace: Trace) -> Iterator[None]:
    """Log one call when it ends, and make it a span where OpenTelemetry is installed."""
    started = time.monotonic()
    outcome = "failed"
    with _span(operation) as span:
        try:
            yield
            outcome = "succeeded"
        finally:
            attributes = {
                "persona.operation": operation,
                "persona.outcome": outcome,
                "http.response.status_code": trace.status,
                "persona.attempts": trace.attempts,
                "persona.request_id": trace.request_id,
            }
            if span is not None:
                span.set_attributes({name: value for name, value in attributes.items() if value is not None})
            log.info(
                "%s %s: status %s, %d attempts, %d ms, %s",
                operation,
                outcome,
                trace.status,
                trace.attempts,
                round((time.monotonic() - started) * 1000),
                trace.request_id,
            )


@contextlib.contextmanager
def _span(operation: str) -> Iterator[Any]:
    """Open a span without the exception's text, which may quote Persona; None where OpenTelemetry is missing."""
    telemetry = _telemetry()
    if telemetry is None:
        yield None
        return
    tracer = telemetry.get_tracer("persona_block")
    with tracer.start_as_current_span(
        f"persona {operation}", kind=telemetry.SpanKind.CLIENT, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except BaseException as error:
            span.set_status(telemetry.StatusCode.ERROR, type(error).__name__)
            raise


@cache
def _telemetry() -> Any:
    """Return OpenTelemetry's tracing API, or None where it is not installed; looked for once."""
    try:
        import opentelemetry.trace as trace
    except ModuleNotFoundError:
        return None
    return trace

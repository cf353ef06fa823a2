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
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .trace import Trace

log = logging.getLogger("persona_block")
_LIBRARIES = tuple(
    map(
        logging.getLogger,
        (
            "httpx",
            "httpcore.connection",
            "httpcore.http11",
            "httpcore.http2",
            "httpcore.proxy",
            "httpcore.socks",
            "aiohttp.client",
        ),
    )
)
EventHooks = Mapping[str, list[Callable[..., Awaitable[None]]]]
"""Coroutine functions by event, as httpx calls them: `request` before each is sent, `response` before each is read."""

event_hooks: contextvars.ContextVar[EventHooks | None] = contextvars.ContextVar("persona_block_hooks", default=None)
"""The hooks of the HTTP clients that are made in this context; the headers of a request that they see hold the API key."""

_ours: contextvars.ContextVar[bool] = contextvars.ContextVar("persona_block_call", default=False)


class _HeldBack(logging.Filter):
    def filter(self, _record: logging.LogRecord) -> bool:
        return not _ours.get()


_held_back = _HeldBack()


def silent_libraries() -> contextlib.AbstractContextManager[None]:
    """Hold back what the HTTP libraries would log of the requests made inside."""
    return _Silence()


def observed(operation: str, trace: Trace) -> contextlib.AbstractContextManager[None]:
    """Log one call when it ends, and make it a span; neither where nobody listens."""
    return _Observation(operation, trace)


class _Silence:
    """Two of them may hold at a time, in one task or in several."""

    def __enter__(self) -> None:
        for library in _LIBRARIES:
            # Whoever configures logging anew may take the filter away.
            if _held_back not in library.filters:
                library.addFilter(_held_back)
        self._token = _ours.set(True)

    def __exit__(self, *_error: object) -> None:
        _ours.reset(self._token)


class _Observation:
    """One call while it goes on."""

    def __init__(self, operation: str, trace: Trace) -> None:
        self._operation = operation
        self._trace = trace
        self._span: contextlib.AbstractContextManager[Any] | None = None

    def __enter__(self) -> None:
        spans = tracer()
        if spans is not None:
            self._span = _span(spans, self._operation)
            self._recording = self._span.__enter__()
        self._started = time.monotonic()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if self._span is None and not log.isEnabledFor(logging.INFO):
            return
        trace = self._trace
        outcome = "succeeded" if kind is None else "failed"
        log.info(
            "%s %s: status %s, %d attempts, %d ms, %s",
            self._operation,
            outcome,
            trace.status,
            trace.attempts,
            round((time.monotonic() - self._started) * 1000),
            trace.request_id,
        )
        if self._span is None:
            return
        attributes = {
            "persona.operation": self._operation,
            "persona.outcome": outcome,
            "http.response.status_code": trace.status,
            "persona.attempts": trace.attempts,
            "persona.request_id": trace.request_id,
        }
        self._recording.set_attributes({name: value for name, value in attributes.items() if value is not None})
        self._span.__exit__(kind, error, traceback)


@contextlib.contextmanager
def _span(spans: Any, operation: str) -> Iterator[Any]:
    """Open a span without the exception's text, which may quote Persona."""
    telemetry = _telemetry()
    with spans.start_as_current_span(
        f"persona {operation}", kind=telemetry.SpanKind.CLIENT, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except BaseException as error:
            span.set_status(telemetry.StatusCode.ERROR, type(error).__name__)
            raise


def tracer() -> Any:
    """Return a tracer, or None where OpenTelemetry is not installed, or nobody has set up where its spans go."""
    telemetry = _telemetry()
    if telemetry is None:
        return None
    found = telemetry.get_tracer("persona_block")
    return None if isinstance(found, telemetry.ProxyTracer | telemetry.NoOpTracer) else found


@cache
def _telemetry() -> Any:
    """Return OpenTelemetry's tracing API, or None where it is not installed; looked for once."""
    try:
        import opentelemetry.trace as trace
    except ModuleNotFoundError:
        return None
    return trace

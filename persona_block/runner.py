"""The runner: every operation alike as an envelope or an output, and paging, waiting and downloads on top of it."""

from __future__ import annotations

import asyncio
import mimetypes
import os
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote

import httpx

from .call import waiting
from .call.caller import Caller, Output, Params, commit_in_thread, storing
from .call.client import TIMEOUT, Client
from .call.filehost import FileHost
from .call.inputs import sealed
from .call.paging import Span, collect, pages
from .call.result import Stopwatch, ToolResult, failed_result
from .call.retry import DEADLINE
from .call.trace import Progress, Trace
from .call.waiting import Patience
from .credentials import ApiKey
from .errors import InputError, PersonaError, Problem
from .files.names import safe_name
from .files.reference import FileRef
from .files.rules import FileRules
from .files.store import FileStore
from .spec import catalog
from .spec.grammar import ToolSpec

BASE_URL_VARIABLE = "PERSONA_BASE_URL"


class Runner:
    """Runs operations with one API key over one connection pool.

    api_key: falls back to PERSONA_API_KEY; a key among a call's params wins over it.
    base_url: falls back to PERSONA_BASE_URL and then to Persona itself.
    timeout: seconds for connecting, reading and writing; the default is 10 for connecting and 30 for the others.
    deadline: seconds for one call with all its attempts, from the first request on; waiting for the rate limit's window before
        that does not count, and a file that keeps moving may take longer. The default is 60.
    transport: answers in the place of the network, such as a sandbox's.
    files: where downloads go and uploads come from; the default is the folder `persona-files`.
    file_rules: what may be read and fetched as a file.

    Use it as `async with`, or call `aclose`; one runner belongs to one event loop.
    """

    def __init__(
        self,
        *,
        api_key: str | ApiKey | None = None,
        base_url: str | None = None,
        timeout: httpx.Timeout | float = TIMEOUT,
        deadline: float = DEADLINE,
        transport: httpx.AsyncBaseTransport | None = None,
        files: FileStore | None = None,
        file_rules: FileRules | None = None,
    ) -> None:
        api_key = ApiKey.of(api_key)
        rules = file_rules or FileRules()
        self._client = Client(
            base_url or os.environ.get(BASE_URL_VARIABLE),
            timeout=timeout,
            deadline=deadline,
            transport=transport,
            file_limit=rules.limit,
        )
        self._file_host = FileHost(rules.hosts, timeout=timeout, transport=transport, limit=rules.limit, deadline=deadline)
        self._files = files or FileStore()
        self._caller = Caller(self._client, self._files, api_key=api_key, rules=rules)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()
        await self._file_host.aclose()

    async def run(
        self,
        operation: str,
        params: Params | None = None,
        *,
        all_pages: bool = False,
        wait: bool = False,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
    ) -> ToolResult:
        """Return the envelope of `operation`; a PersonaError becomes its `error` and is never raised.

        all_pages: follow the cursor of a list to its end and give every item.
        wait: poll to the outcome of what is read or started.
        idempotency_key: the key of a write; a call made again under one happens once. The default is a new one.
        progress: told how retries, paging and waiting go.
        """
        params = sealed(params)
        watch, trace = Stopwatch(), _trace(progress)
        try:
            spec, checked = _named(operation, params)
            if all_pages:
                output = await collect(self._caller, spec, checked, trace)
            elif wait:
                output = await waiting.wait(self._caller, spec, checked, trace, idempotency_key=idempotency_key)
            else:
                output = await self._caller.call(spec.name, checked, trace, idempotency_key)
        except PersonaError as error:
            return failed_result(error, watch, request_id=trace.request_id, attempts=trace.attempts, retries=trace.retries)
        return ToolResult(
            success=True,
            output=output,
            timing=watch.timing(),
            request_id=trace.request_id,
            attempts=trace.attempts,
            retries=trace.retries,
        )

    async def call(self, operation: str, params: Params | None = None, *, idempotency_key: str | None = None) -> Output:
        """Return the output of one call of `operation`; raises PersonaError."""
        params = sealed(params)
        spec, checked = _named(operation, params)
        return await self._caller.call(spec.name, checked, Trace(), idempotency_key)

    def paginate(
        self,
        operation: str,
        params: Params | None = None,
        *,
        max_items: int | None = None,
        page_size: int | None = None,
        progress: Progress | None = None,
    ) -> AsyncIterator[Output]:
        """Return every page of a list operation, following the cursor to its end; raises PersonaError.

        max_items: items in all, from 1; the default is every one. The last page's cursor says where to go on.
        page_size: items a page, from 1; the default is the params' and then Persona's own.
        progress: told of each further attempt.
        """
        params = sealed(params)
        spec, checked = _named(operation, params)
        return pages(self._caller, spec, checked, _trace(progress), Span(max_items, page_size))

    async def wait(
        self,
        operation: str,
        params: Params | None = None,
        *,
        delay: float | None = None,
        deadline: float | None = None,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
    ) -> Output:
        """Return the output of `operation` once what it reads, or what it started, has ended.

        delay: seconds between two looks; the default is the spec's.
        deadline: seconds in all; the default is the spec's number of looks times `delay`.

        Raises WaitFailed where it ended badly and WaitTimedOut where it did not end, each with the last output.
        """
        params = sealed(params)
        spec, checked = _named(operation, params)
        patience = Patience(delay, deadline)
        return await waiting.wait(self._caller, spec, checked, _trace(progress), patience, idempotency_key)

    async def download(self, file: str | Mapping[str, Any], store: FileStore | None = None) -> FileRef:
        """Store one of Persona's file URLs, or an output's file object with `url`; raises PersonaError.

        It is fetched without the API key, and only from Persona's file host or one of the rules' `hosts`, redirects included.

        store: where it goes; the default is the runner's own.
        """
        url, filename = _file_address(file)
        name = safe_name(filename or unquote(url.partition("?")[0].rpartition("/")[2]))
        media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        with storing("download"), (store or self._files).writer(name, media_type) as writer:
            await self._file_host.fetch(url, writer)
            return await commit_in_thread(writer)


def _trace(progress: Progress | None) -> Trace:
    return Trace() if progress is None else Trace(tell=progress)


def _file_address(file: Any) -> tuple[str, str | None]:
    """Return the URL of a file and its name, where it has one; raises InputError for what is no URL and no file object."""
    url, filename = (file.get("url"), file.get("filename")) if isinstance(file, Mapping) else (file, None)
    if not isinstance(url, str):
        raise InputError("download", [Problem("file", "must be a file URL or an object with a url")])
    if not isinstance(filename, str | None):
        raise InputError("download", [Problem("file", "has a filename that is no text")])
    return url, filename


def _named(operation: Any, params: Any) -> tuple[ToolSpec, dict[str, Any]]:
    """Return the spec and the params as a dict of their own; hosts send what models write, which may be anything."""
    if not isinstance(operation, str):
        raise InputError("operation", [Problem("operation", "must be the name of an operation")])
    if params is not None and not isinstance(params, Mapping):
        raise InputError(operation, [Problem("params", "must be an object of params by name")])
    return catalog.load(operation), dict(params or {})


def run_sync(
    operation: str,
    params: Params | None = None,
    *,
    api_key: str | ApiKey | None = None,
    base_url: str | None = None,
    files: FileStore | None = None,
) -> ToolResult:
    """Return the envelope of one call from a script without an event loop; inside a loop, await `Runner.run` instead."""

    api_key, params = ApiKey.of(api_key), sealed(params)

    async def once() -> ToolResult:
        async with Runner(api_key=api_key, base_url=base_url, files=files) as runner:
            return await runner.run(operation, params)

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(once())
    raise RuntimeError("an event loop is running here: await Runner.run instead of run_sync")

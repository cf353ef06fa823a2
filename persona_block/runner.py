"""The runner: every operation alike as an envelope or an output, and paging, waiting and downloads on top of it."""

from __future__ import annotations

import asyncio
import mimetypes
import os
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote

import httpx

from .call.caller import Caller, Output, Params, storing
from .call.client import TIMEOUT, Client
from .call.filehost import FILE_LIMIT, FileHost
from .call.parse import first
from .call.result import Stopwatch, ToolResult, failed
from .call.retry import DEADLINE
from .call.trace import Trace
from .errors import InputError, PersonaError, Problem, ResponseError, WaitFailed, WaitTimedOut
from .files.store import FileRef, FileStore
from .spec import catalog
from .spec.grammar import API_KEY_PARAM, Pagination, Then, ToolSpec

Progress = Callable[[str], None]
"""Told, in a few words without personal data, how paging or waiting goes."""

BASE_URL_VARIABLE = "PERSONA_BASE_URL"


class Runner:
    """Runs operations with one API key over one connection pool.

    api_key: falls back to PERSONA_API_KEY; a key among a call's params wins over it.
    base_url: falls back to PERSONA_BASE_URL and then to Persona itself.
    timeout: seconds for connecting, reading and writing.
    deadline: seconds for one call with all its attempts, from the first request on; waiting for the rate limit's window before
        that does not count, and a file that keeps moving may take longer.
    files: where downloads go and uploads come from.
    file_limit: the largest file that is read, in bytes.
    check_files: look a CSV through before it is sent.
    file_hosts: hosts trusted with downloads beside Persona's own.

    Use it as `async with`, or call `aclose`; one runner belongs to one event loop.
    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout: httpx.Timeout | float = TIMEOUT,
        deadline: float = DEADLINE,
        transport: httpx.AsyncBaseTransport | None = None,
        files: FileStore | None = None,
        file_limit: int = FILE_LIMIT,
        check_files: bool = True,
        file_hosts: Collection[str] = (),
    ) -> None:
        self._client = Client(
            base_url or os.environ.get(BASE_URL_VARIABLE),
            timeout=timeout,
            deadline=deadline,
            transport=transport,
            file_limit=file_limit,
        )
        self._file_host = FileHost(file_hosts, timeout=timeout, transport=transport, limit=file_limit)
        self._files = files or FileStore()
        self._caller = Caller(self._client, self._files, api_key=api_key, check_files=check_files)

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
        """`operation` as an envelope; a PersonaError becomes its `error` and is never raised.

        `all_pages` follows the cursor of a list to its end and gives every item; `wait` polls to the outcome.
        """
        watch, trace = Stopwatch(), Trace(tell=progress)
        try:
            given = _params(operation, params)
            if all_pages:
                output = await self._collect(operation, given, trace, progress)
            elif wait:
                output = await self._wait(operation, given, trace, None, None, progress, idempotency_key)
            else:
                output = await self._caller.call(operation, given, trace, idempotency_key)
        except PersonaError as error:
            return failed(error, watch, request_id=trace.request_id, attempts=trace.attempts, retries=trace.retries)
        return ToolResult(
            success=True,
            output=output,
            timing=watch.timing(),
            request_id=trace.request_id,
            attempts=trace.attempts,
            retries=trace.retries,
        )

    async def call(self, operation: str, params: Params | None = None, *, idempotency_key: str | None = None) -> Output:
        """One call of `operation`: its output; raises PersonaError."""
        return await self._caller.call(operation, _params(operation, params), Trace(), idempotency_key)

    def paginate(self, operation: str, params: Params | None = None) -> AsyncIterator[Output]:
        """Every page of a list operation, following the cursor to its end; raises PersonaError."""
        return self._pages(operation, _params(operation, params), Trace())

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
        """The output of `operation` once what it reads, or what it started, has ended.

        Polls every `delay` seconds for at most `deadline` seconds, by default as the spec says. Raises WaitFailed where it
        ended badly and WaitTimedOut where it did not end, each with the last output.
        """
        return await self._wait(
            operation, _params(operation, params), Trace(tell=progress), delay, deadline, progress, idempotency_key
        )

    async def download(self, file: str | Mapping[str, Any], store: FileStore | None = None) -> FileRef:
        """One of Persona's file URLs, or an output's file object with `url`, stored; raises PersonaError.

        It is fetched without the API key, and only from Persona's file host or one of `file_hosts`, redirects included.
        """
        url = file if isinstance(file, str) else file.get("url")
        given = None if isinstance(file, str) else file.get("filename")
        if not isinstance(url, str):
            raise InputError("download", [Problem("file", "must be a file URL or an object with a url")])
        name = given or unquote(url.partition("?")[0].rpartition("/")[2])
        media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        with storing("download"), (store or self._files).writer(name, media_type) as writer:
            await self._file_host.fetch(url, writer)
            return await asyncio.to_thread(writer.commit)

    # --- paging and waiting ------------------------------------------------------------------------------------------------

    async def _pages(self, operation: str, params: Params, trace: Trace) -> AsyncIterator[Output]:
        spec = catalog.load(operation)
        paging = _paging(spec)
        given = dict(params)
        seen: set[str] = set()
        while True:
            page = await self._caller.call(spec.name, given, trace)
            yield page
            cursor = page[paging.next]
            if cursor is None:
                return
            if cursor in seen:
                raise ResponseError(f"Persona gave {spec.name} the same cursor twice, so its pages would never end.")
            seen.add(cursor)
            given[paging.cursor] = cursor

    async def _collect(self, operation: str, params: Params, trace: Trace, progress: Progress | None) -> Output:
        """Every item as one page; an error on the way keeps what was read and the cursor to go on from."""
        spec = catalog.load(operation)
        paging = _paging(spec)
        largest = {"pageSize": spec.params["pageSize"].maximum} if "pageSize" in spec.params else {}
        merged: Output = {paging.items: [], paging.next: None}
        count = 0
        try:
            async for page in self._pages(spec.name, largest | dict(params), trace):
                count += 1
                merged[paging.items] += page[paging.items]
                merged[paging.next] = page[paging.next]
                if progress:
                    progress(f"{count} pages, {len(merged[paging.items])} {paging.items}")
        except PersonaError as error:
            error.output = merged if count else {}
            raise
        return merged

    async def _wait(
        self,
        operation: str,
        params: Params,
        trace: Trace,
        delay: float | None,
        deadline: float | None,
        progress: Progress | None,
        idempotency_key: str | None,
    ) -> Output:
        spec = catalog.load(operation)
        given = dict(params)
        if spec.then is not None:
            started = await self._caller.call(spec.name, given, trace, idempotency_key)
            found = {name: first(started, pointer) for name, pointer in spec.then.params.items()}
            key = {name: value for name, value in given.items() if name == API_KEY_PARAM}
            try:
                return await self._wait(spec.then.operation, key | found, trace, delay, deadline, progress, None)
            except PersonaError as error:
                raise _begun(error, spec, spec.then, started, found) from None
        if spec.wait is None:
            raise InputError(spec.name, [Problem("operation", "has nothing to wait for")])
        delay = delay or spec.wait.delay
        loop = asyncio.get_running_loop()
        ends = loop.time() + (delay * spec.wait.attempts if deadline is None else deadline)
        while True:
            output = await self._caller.call(spec.name, given, trace)
            status = first(output, spec.wait.for_)
            if progress:
                progress(f"{spec.name}: {status}")
            if status in spec.wait.success:
                return output
            if status in spec.wait.failure:
                raise WaitFailed(f"{spec.name} ended as {status}.", output)
            if loop.time() + delay > ends:
                raise WaitTimedOut(f"{spec.name} is still {status}; wait longer, or read it again later.", output)
            await asyncio.sleep(delay)


def _params(operation: Any, params: Any) -> dict[str, Any]:
    """The params as a dict of their own; hosts send what models write, which may be anything."""
    if not isinstance(operation, str):
        raise InputError("operation", [Problem("operation", "must be the name of an operation")])
    if params is not None and not isinstance(params, Mapping):
        raise InputError(operation, [Problem("params", "must be an object of params by name")])
    return dict(params or {})


def _begun(error: PersonaError, spec: ToolSpec, then: Then, started: Output, found: Output) -> PersonaError:
    """An error of the waiting, which must not read as if nothing had been started: sending it again would start another."""
    error.output = error.output or started
    error.took_effect = "yes"
    error.retryable = False
    ids = ", ".join(f"{name} {value}" for name, value in found.items())
    error.message = f"{spec.name} was done, but waiting for it was not: {error.message} Go on with {then.operation} ({ids})."
    error.args = (error.message,)
    return error


def _paging(spec: ToolSpec) -> Pagination:
    if spec.paginate is None:
        raise InputError(spec.name, [Problem("operation", "gives no pages; only list operations do")])
    return spec.paginate


def run_sync(
    operation: str,
    params: Params | None = None,
    *,
    api_key: str | None = None,
    base_url: str | None = None,
    files: FileStore | None = None,
) -> ToolResult:
    """One call of `operation` from a script without an event loop; inside a loop, await `Runner.run` instead."""

    async def once() -> ToolResult:
        async with Runner(api_key=api_key, base_url=base_url, files=files) as runner:
            return await runner.run(operation, params)

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(once())
    raise RuntimeError("an event loop is running here: await Runner.run instead of run_sync")

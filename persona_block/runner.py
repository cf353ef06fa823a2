"""The runner: every operation alike as an envelope or an output, and on top of it paging, waiting, rows and downloads."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import AsyncIterator, Collection, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypedDict
from urllib.parse import unquote

import httpx

from .call import waiting
from .call.bulk import Mapped, Plan, RowKey, Rows, RowSource, mapped
from .call.caller import Caller, Output, Params, Target, commit_in_thread, storing
from .call.client import TIMEOUT, Client
from .call.filehost import FileHost, file_address
from .call.inputs import sealed
from .call.paging import Span, collect, pages
from .call.progress import Progress, ProgressUpdate
from .call.result import Stopwatch, ToolResult, failed_result
from .call.retry import DEADLINE
from .call.trace import Trace
from .call.waiting import Patience, Until
from .call.wire import WireName
from .credentials import ApiKey
from .errors import InputError, PersonaError, Problem
from .files.names import safe_name
from .files.reference import FileRef
from .files.rules import FileRules
from .files.store import FileStore
from .spec import catalog
from .spec.grammar import ToolSpec

if TYPE_CHECKING:
    from .typed.runner import as_call, as_map, as_paginate, as_run, as_wait
else:
    as_call = as_map = as_paginate = as_run = as_wait = lambda function: function

BASE_URL_VARIABLE = "PERSONA_BASE_URL"


class RunnerOptions(TypedDict, total=False):
    """The options of a Runner, which says what they are."""

    api_key: str | ApiKey | None
    base_url: str | None
    timeout: httpx.Timeout | float
    deadline: float
    transport: httpx.AsyncBaseTransport | None
    files: FileStore | None
    file_rules: FileRules | None
    wire: WireName | None


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
    wire: `httpx` or `aiohttp`; falls back to PERSONA_WIRE, then to `auto`: aiohttp where the extra `fast` has it tested.

    Use it as `async with`, or call `aclose`; one runner belongs to one event loop.

    Type checkers know the params and the output of an operation whose name is written out without the `persona_` prefix; any
    other name goes through `persona_block.operation`.
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
        wire: WireName | None = None,
    ) -> None:
        api_key = ApiKey.of(api_key)
        rules = file_rules or FileRules()
        self._client = Client(
            base_url or os.environ.get(BASE_URL_VARIABLE),
            timeout=timeout,
            deadline=deadline,
            transport=transport,
            file_limit=rules.limit,
            wire=wire,
        )
        self._file_host = FileHost(
            rules.hosts, timeout=timeout, transport=transport, limit=rules.limit, deadline=deadline, wire=wire
        )
        self._files = files or FileStore()
        self._caller = Caller(self._client, self._files, api_key=api_key, rules=rules)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def api_key(self) -> ApiKey:
        """The key that calls without one of their own use: the runner's, else PERSONA_API_KEY, else an absent one."""
        return self._caller.api_key

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()
        await self._file_host.aclose()

    @as_run
    async def run(
        self,
        operation: str,
        params: Params | None = None,
        *,
        all_pages: bool = False,
        wait: bool | float = False,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ToolResult:
        """Return the envelope of `operation`; a PersonaError becomes its `error` and is never raised.

        all_pages: follow the cursor of a list to its end and give every item; not beside `wait`.
        wait: poll to the outcome of what is read or started; a number is the seconds for that in all, as `deadline` of `wait`.
        idempotency_key: the key of a write; a call made again under one happens once. The default is a new one.
        progress: told how retries, paging and waiting go.
        store, overwrite: where a file goes, as for `call`.
        """
        params = sealed(params)
        watch, trace, target = Stopwatch(), Trace(progress=progress), Target(store, overwrite)
        try:
            spec, checked = _named(operation, params)
            if all_pages and wait:
                raise InputError(spec.name, [Problem("wait", "is for one object, and all_pages for a list; give one of them")])
            if all_pages:
                output = await collect(self._caller, spec, checked, trace)
            elif wait:
                patience = Patience(deadline=None if wait is True else wait)
                output = await waiting.wait(self._caller, spec, checked, trace, patience, idempotency_key)
            else:
                output = await self._caller.call(spec.name, checked, trace, idempotency_key, target)
        except PersonaError as error:
            return failed_result(error, watch, request_id=trace.request_id, attempts=trace.attempts, retries=trace.retries)
        return ToolResult(
            success=True,
            output=output,
            timing=watch.timing(),
            request_id=trace.request_id,
            attempts=trace.attempts,
            retries=trace.retries,
            hint=" ".join(trace.hints) or None,
        )

    @as_call
    async def call(
        self,
        operation: str,
        params: Params | None = None,
        *,
        idempotency_key: str | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> Output:
        """Return the output of one call of `operation`; raises PersonaError.

        store: where the file of an operation goes that gives one, such as print_inquiry_pdf; the default is the runner's own.
        overwrite: replace a file that has its name; by default the new one gets a numbered name, such as `inq_1-2.pdf`.

        Such an output holds the file as JSON data; `FileRef.model_validate(output["file"])` is what `download` gives.
        """
        params = sealed(params)
        spec, checked = _named(operation, params)
        return await self._caller.call(spec.name, checked, Trace(), idempotency_key, Target(store, overwrite))

    @as_paginate
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
        progress: told of each page, with the items so far, and of each further attempt.
        """
        params = sealed(params)
        spec, checked = _named(operation, params)
        return pages(self._caller, spec, checked, Trace(progress=progress), Span(max_items, page_size))

    @as_wait
    async def wait(
        self,
        operation: str,
        params: Params | None = None,
        *,
        until: Until | None = None,
        delay: float | None = None,
        deadline: float | None = None,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
    ) -> Output:
        """Return the output of `operation` once what it reads, or what it started, has come to an end.

        until: the statuses to wait for, or a function of the output that tells whether it is what is waited for. The default
            is the spec's: every ending, of which the bad ones raise.
        delay: seconds between two looks. The default is the spec's for the first, growing by half each time to a minute.
        deadline: seconds in all; the default is the spec's number of looks times its delay, or times `delay`.
        idempotency_key: the key under which something is started; the default is a new one.
        progress: told of each look and each further attempt.

        A look that fails in a way that may pass is made again, ever later, until the deadline. Raises WaitFailed where it
        ended otherwise than asked for and nothing changes any more by itself, WaitTimedOut where the deadline came first, each
        with the last output, and PersonaError where a look failed for good.
        """
        params = sealed(params)
        spec, checked = _named(operation, params)
        patience = Patience(delay, deadline, until)
        return await waiting.wait(self._caller, spec, checked, Trace(progress=progress), patience, idempotency_key)

    @as_map
    def map(
        self,
        operation: str,
        rows: Rows,
        *,
        concurrency: int = 16,
        key: RowKey | None = None,
        done: Collection[object] = (),
        ordered: bool = True,
        progress: Progress | None = None,
    ) -> AsyncIterator[Mapped]:
        """Run `operation` for each row of params and return what became of each; no row's failure is raised.

        rows: params, from an iterable or an async one; as many are read ahead as twice `concurrency`.
        concurrency: how many rows run at once, from 1. The rate limit holds them back as it does all calls.
        key: the param that names a row, or a function of the row; a row without one, or with that of a row before, fails and
            is not sent.
        done: keys of rows that were done before; these are passed over.
        ordered: give results in the order of the rows; with False, as they come.
        progress: told of each row that ended, with counts.

        With `key`, the POST of a row goes out under an idempotency key that is made of the operation and the row's key alone.
        So rows whose end is not known can be run again under the same keys: for 24 hours, Persona answers as it did the first
        time and does nothing twice. A row that was corrected, or is meant to happen again, needs another key, such as one with
        a date in it; with changed params Persona refuses the old one.

        Raises InputError for arguments that cannot be used, and what reading the rows raises, once the rows before have ended.
        Where the iteration is left early, rows under way are cancelled, and their writes may have taken effect.
        """
        source = RowSource(rows)
        del rows
        spec = catalog.load(_operation_name(operation))
        plan = Plan.of(spec, source, concurrency, key, done, ordered)
        trace = Trace(progress=progress)

        def retold(update: ProgressUpdate) -> None:
            trace.tell(update.message)

        async def run_row(params: Any, idempotency_key: str | None) -> ToolResult:
            return await self.run(spec.name, params, idempotency_key=idempotency_key, progress=retold)

        return mapped(plan, source, run_row, trace)

    async def download(
        self, file: str | Mapping[str, Any], store: FileStore | None = None, *, overwrite: bool = False
    ) -> FileRef:
        """Store one of Persona's file URLs, or an output's file object with `url`; raises PersonaError.

        It is fetched without the API key, and only from Persona's file host or one of the rules' `hosts`, redirects included.

        store: where it goes; the default is the runner's own.
        overwrite: replace a file that has its name; by default the new one gets a numbered name, such as `selfie-2.jpg`.
        """
        url, filename = file_address(file)
        name = safe_name(filename or unquote(url.partition("?")[0].rpartition("/")[2]))
        media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        with storing("download"), (store or self._files).writer(name, media_type, overwrite=overwrite) as writer:
            await self._file_host.fetch(url, writer)
            return await commit_in_thread(writer)


def _named(operation: Any, params: Any) -> tuple[ToolSpec, dict[str, Any]]:
    """Return the spec and the params as a dict of their own; hosts send what models write, which may be anything."""
    name = _operation_name(operation)
    if params is not None and not isinstance(params, Mapping):
        raise InputError(name, [Problem("params", "must be an object of params by name")])
    return catalog.load(name), dict(params or {})


def _operation_name(operation: Any) -> str:
    if not isinstance(operation, str):
        raise InputError("operation", [Problem("operation", "must be the name of an operation")])
    return operation

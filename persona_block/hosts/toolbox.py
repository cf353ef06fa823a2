"""The toolbox: chosen operations with a bound key, called as models call tools; every host stands on it."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
from collections.abc import Callable
from copy import copy
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from weakref import WeakKeyDictionary

from ..call.caller import KEY_VARIABLE
from ..call.inputs import check_api_key
from ..call.trace import Progress
from ..errors import InputError, PersonaError, Problem, Unavailable, WaitTimedOut, printable
from ..runner import Runner
from ..spec.grammar import API_KEY_PARAM, TOOL_PREFIX, ToolSpec
from .answer import Answer, answered, failed, refused
from .arguments import Arguments, Given, check
from .brevity import narrowed, settled
from .consent import Consent, ConsentRequest, consent_request
from .selection import Selection
from .tool import PAGE_SIZE, PAGE_SIZE_PARAM, WAIT, WAIT_SECONDS, Tool, tool

LARGEST_PAGE = 100
GRACE = 2.0
"""Seconds for the last look of a wait, after which what does not answer is no longer waited for."""

_log = logging.getLogger(__name__)


class Toolbox:
    """The chosen operations as tools that a program calls on behalf of a model.

    selection: which operations are offered; None offers all.
    api_key: the key that calls are made with, never visible to a model; falls back to PERSONA_API_KEY.
    consent: asks a person before an operation that decides or erases; without it those are refused.
    runner: makes the runner that does the work, one for each event loop; None makes one with its defaults.
    file_root: the folder that an import may read files from; None lets it read none. CSV text is taken all the same.

    Use it as `async with`, or call `aclose`.
    """

    def __init__(
        self,
        selection: Selection | None = None,
        *,
        api_key: str | None = None,
        consent: Consent | None = None,
        runner: Callable[[], Runner] | None = None,
        file_root: Path | None = None,
    ) -> None:
        self.selection = selection or Selection.of()
        self.tools = _tools(self.selection, file_root)
        self._api_key = api_key
        self._consent = consent
        self._make_runner = runner or Runner
        self._file_root = file_root
        self._runners: WeakKeyDictionary[asyncio.AbstractEventLoop, Runner] = WeakKeyDictionary()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        runner = self._runners.pop(asyncio.get_running_loop(), None)
        if runner is not None:
            await runner.aclose()

    async def dispatch(
        self,
        name: str,
        arguments: Arguments = None,
        *,
        api_key: str | None = None,
        consent: Consent | None = None,
        progress: Progress | None = None,
        idempotency_key: str | None = None,
    ) -> Answer:
        """Call a tool with the arguments that a model gave, as an object or as JSON text; an error is an answer too.

        `api_key` and `consent` win over the toolbox's own; `progress` is told how paging and waiting go. A call that is made
        again under one `idempotency_key` happens once.
        """
        called: Tool | None = None
        begun = False
        try:
            called = self.find(name)
            key = self._key(api_key)
            given = check(called, arguments, self._file_root, _key_problems(key))
            request = consent_request(called.spec, given.values)
            if request is not None and not await _agreed(request, consent or self._consent):
                return refused(request)
            begun = True
            try:
                output = await self._run(called.spec, given, {**given.values, API_KEY_PARAM: key}, progress, idempotency_key)
            except PersonaError as error:
                error.output = narrowed(called, settled(called, error.output), given.fields)
                raise
            return answered(called, output, given.fields)
        except PersonaError as error:
            return failed(error, called)
        except Exception as error:
            # Its text may hold anything, so neither a model nor a log gets to see it.
            _log.error("%s failed inside: %s", printable(name), type(error).__name__)
            inside = PersonaError(f"{printable(name)} failed by a fault of its own, {type(error).__name__}.")
            if begun:
                inside.took_effect = None if called and called.spec.effect == "read" else "unknown"
            return failed(inside)

    def find(self, name: str) -> Tool:
        """The offered tool of a name, with or without the prefix; raises InputError for one that is not offered."""
        bare = name.removeprefix(TOOL_PREFIX)
        found = next((each for each in self.tools if each.spec.name == bare), None)
        if found is None:
            offered = ", ".join(each.name for each in self.tools) or "none"
            raise InputError("tools", [Problem(name, f"is not offered here; these tools are: {offered}")])
        return found

    def consent_request(self, name: str, arguments: Arguments = None, *, api_key: str | None = None) -> ConsentRequest | None:
        """What a person has to be asked before this call, or None; raises InputError for a call that cannot be made.

        `api_key` is the one that the call will be made with, where that is known.
        """
        called = self.find(name)
        problems = [] if api_key is None else _key_problems(api_key)
        return consent_request(called.spec, check(called, arguments, self._file_root, problems).values)

    def to_approve(self, name: str, arguments: Arguments = None) -> ConsentRequest | None:
        """What a framework with approvals of its own has to ask before this call.

        None where nobody has to be asked, where `consent` will be, and where the call cannot be made, as `dispatch` then says.
        """
        try:
            return None if self._consent else self.consent_request(name, arguments)
        except InputError:
            return None

    def narrowed(self, selection: Selection) -> Toolbox:
        """The same toolbox, over the same connections, with those of its operations that are also in `selection`."""
        other = copy(self)
        other.selection = self.selection.narrowed(selection)
        other.tools = _tools(other.selection, self._file_root)
        return other

    def _key(self, given: str | None) -> str | None:
        """The key to use; one that is given but blank never falls back to another."""
        keys = (given, self._api_key, os.environ.get(KEY_VARIABLE))
        return next((key for key in keys if key is not None), None)

    async def _run(
        self,
        spec: ToolSpec,
        given: Given,
        params: dict[str, Any],
        progress: Progress | None,
        idempotency_key: str | None,
    ) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        if loop not in self._runners:
            self._runners[loop] = self._make_runner()
        runner = self._runners[loop]
        if spec.paginate:
            return await _pages(runner, spec, params, given.items, progress)
        if given.wait:
            more = {"more": f"It has not ended yet. Call {spec.tool_id} with {WAIT} again."}
            try:
                async with asyncio.timeout(WAIT_SECONDS + GRACE):
                    return await runner.wait(spec.name, params, deadline=WAIT_SECONDS, progress=progress)
            except WaitTimedOut as still:
                return more | still.output
            except TimeoutError:
                return more
        return await runner.call(spec.name, params, idempotency_key=idempotency_key)


def _tools(selection: Selection, file_root: Path | None) -> tuple[Tool, ...]:
    return tuple(tool(name, file_root is not None) for name in selection.names)


def _key_problems(key: str | None) -> list[Problem]:
    """What is wrong with a key, as a problem of the host: no model can put it right."""
    if key is None or not key.strip():
        return [Problem("host", f"has no Persona API key; whoever runs it has to set one, such as {KEY_VARIABLE}")]
    try:
        check_api_key(key)
    except ValueError as error:
        return [Problem("host", f"has a Persona API key that {error}")]
    return []


async def _pages(
    runner: Runner, spec: ToolSpec, params: dict[str, Any], wanted: int | None, progress: Progress | None
) -> dict[str, Any]:
    """One page, or as many as it takes to have so many items, and never more items than that."""
    paging = spec.paginate
    assert paging is not None
    size = params.pop(PAGE_SIZE_PARAM, PAGE_SIZE if wanted is None else LARGEST_PAGE)
    output: dict[str, Any] = {paging.items: []}
    ends = asyncio.get_running_loop().time() + WAIT_SECONDS
    while True:
        rest = size if wanted is None else min(size, wanted - len(output[paging.items]))
        try:
            async with asyncio.timeout_at(ends):
                page = await runner.call(spec.name, {**params, PAGE_SIZE_PARAM: rest})
        except TimeoutError:
            if output[paging.items]:
                return output
            text = f"{spec.name} took longer than {WAIT_SECONDS:.0f} seconds; ask for fewer items, or try again later."
            raise Unavailable(text, status=408, took_effect=None) from None
        except PersonaError as error:
            error.output = output if output[paging.items] else {}
            raise
        items = output[paging.items] + page[paging.items]
        cursor = page[paging.next]
        output = {**page, paging.items: items}
        if cursor is not None:
            output["more"] = f"There are more. Call {spec.tool_id} again with {paging.cursor} set to {paging.next}."
        if progress:
            progress(f"{len(items)} {paging.items}")
        if cursor is None or wanted is None or len(items) >= wanted or cursor == params.get(paging.cursor):
            if not items and params.keys() - {API_KEY_PARAM, paging.cursor}:
                output["more"] = "Nothing matches all of that. Check how what you look for is spelled."
            return output
        params[paging.cursor] = cursor


async def _agreed(request: ConsentRequest, consent: Consent | None) -> bool:
    """Whether a person agreed; where nobody can be asked, nobody has."""
    if consent is None:
        problem = Problem("host", "cannot ask a person here, and this needs a person's word; do not try again")
        raise InputError(TOOL_PREFIX + request.operation, [problem])
    try:
        given = consent(request)
        return (await given if inspect.isawaitable(given) else given) is True
    except Exception as error:
        # Its text may hold anything, so neither a model nor a log gets to see it.
        _log.error("asking about %s failed: %s", request.operation, type(error).__name__)
        problem = Problem("host", "failed while asking a person, and this needs a person's word")
        raise InputError(TOOL_PREFIX + request.operation, [problem]) from None

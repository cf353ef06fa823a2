"""The toolbox: chosen operations with a bound API key, called as models call tools; every host stands on it."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
from collections.abc import Callable, Mapping
from copy import copy
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from weakref import WeakKeyDictionary

from ..call.parse import first
from ..call.trace import Progress
from ..credentials import KEY_VARIABLE, ApiKey
from ..errors import InputError, PersonaError, Problem, ResponseError, TookEffect, WaitTimedOut, printable
from ..runner import Runner
from ..spec import catalog
from ..spec.grammar import API_KEY_PARAM, TOOL_PREFIX, Confirm, ToolSpec
from .answer import ToolAnswer, failure_answer, not_agreed_answer, success_answer
from .arguments import Arguments, CheckedArguments, check_arguments
from .brevity import select_fields, without_early_findings
from .consent import NEEDS_CONSENT, Consent, ConsentRequest, call_digest, consent_request
from .listing import read_list
from .selection import Selection
from .tool import WAIT, WAIT_SECONDS, Tool, load_tool

GRACE_SECONDS = 2.0
"""Seconds for the last look of a wait, after which what does not answer is no longer waited for."""

CHECK_SECONDS = 5.0
"""Seconds for reading whether a decision holds."""

_log = logging.getLogger(__name__)


class Toolbox:
    """The chosen operations as tools that a program calls on behalf of a model.

    selection: which operations are offered; the default is all.
    api_key: the key that calls are made with, never visible to a model; the default is PERSONA_API_KEY.
    consent: asks a person before an operation that decides or erases; without it those are refused.
    runner: makes the runner that does the work, one for each event loop; the default makes one with its defaults.
    file_root: the folder that an import may read files from; by default none is read. CSV text is taken all the same.

    Use it as `async with`, or call `aclose`.
    """

    def __init__(
        self,
        selection: Selection | None = None,
        *,
        api_key: str | ApiKey | None = None,
        consent: Consent | None = None,
        runner: Callable[[], Runner] | None = None,
        file_root: Path | None = None,
    ) -> None:
        self.selection = selection or Selection.of()
        self.tools = _tools(self.selection, file_root)
        self._api_key = None if api_key is None else ApiKey.of(api_key)
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
        api_key: str | ApiKey | None = None,
        consent: Consent | None = None,
        progress: Progress | None = None,
        idempotency_key: str | None = None,
    ) -> ToolAnswer:
        """Call a tool with the arguments that a model gave, as an object or as JSON text; an error is an answer too.

        api_key: wins over the toolbox's own.
        consent: wins over the toolbox's own.
        progress: told how paging and waiting go.
        idempotency_key: a call that is made again under one key happens once; the default is a new key.
        """
        api_key = None if api_key is None else ApiKey.of(api_key)
        tool: Tool | None = None
        took_effect: TookEffect | None = "no"
        try:
            tool = self.find(name)
            used_key = self._used_key(api_key)
            checked = check_arguments(tool, arguments, self._file_root, _key_problems(used_key))
            request = consent_request(tool.spec, checked.params)
            if request is not None and not await _agreed(request, consent or self._consent):
                return not_agreed_answer(request)
            took_effect = None if tool.spec.effect == "read" else "unknown"
            params = {**checked.params, API_KEY_PARAM: used_key}
            try:
                output = await self._run(tool.spec, checked, params, progress, idempotency_key)
            except PersonaError as error:
                partial_output = select_fields(tool, without_early_findings(tool, error.output), checked.output_fields)
                return failure_answer(error.revised(output=partial_output), tool)
            return success_answer(tool, output, checked.output_fields)
        except PersonaError as error:
            return failure_answer(error, tool)
        except Exception as error:
            # Its text may hold anything, so neither a model nor a log gets to see it.
            _log.error("%s failed inside: %s", printable(name), type(error).__name__)
            text = f"{printable(name)} failed by a fault of its own, {type(error).__name__}."
            return failure_answer(PersonaError(text, took_effect=took_effect))

    def find(self, name: str) -> Tool:
        """Return the offered tool of a name, with or without the prefix; raises InputError for one that is not offered."""
        current = catalog.current_name(name)
        tool = next((each for each in self.tools if each.spec.name == current), None)
        if tool is None:
            offered = ", ".join(each.name for each in self.tools) or "none"
            raise InputError("tools", [Problem(name, f"is not offered here; these tools are: {offered}")])
        return tool

    def consent_request(
        self, name: str, arguments: Arguments = None, *, api_key: str | ApiKey | None = None
    ) -> ConsentRequest | None:
        """Return what a person has to be asked before this call, or None; raises InputError for a call that cannot be made.

        api_key: the one that the call will be made with, which is then checked too; None leaves the key unchecked.
        """
        api_key = None if api_key is None else ApiKey.of(api_key)
        tool = self.find(name)
        key_problems = [] if api_key is None else _key_problems(api_key)
        return consent_request(tool.spec, check_arguments(tool, arguments, self._file_root, key_problems).params)

    def to_approve(self, name: str, arguments: Arguments = None) -> ConsentRequest | None:
        """Return what a framework with approvals of its own has to ask before this call.

        None where nobody has to be asked, where `consent` will be, and where the call cannot be made, as `dispatch` then says.
        """
        try:
            return None if self._consent else self.consent_request(name, arguments)
        except InputError:
            return None

    def call_digest(self, name: str, arguments: Arguments = None) -> str | None:
        """Return what stands for a call: the same for one operation and what is sent, however the arguments were written.

        None for a call that cannot be made.
        """
        try:
            tool = self.find(name)
            return call_digest(tool.spec, check_arguments(tool, arguments, self._file_root).params)
        except InputError:
            return None

    def narrowed(self, selection: Selection) -> Toolbox:
        """Return a toolbox over the same connections, with those of its operations that are also in `selection`."""
        narrower = copy(self)
        narrower.selection = self.selection.narrowed(selection)
        narrower.tools = _tools(narrower.selection, self._file_root)
        return narrower

    def _used_key(self, api_key: ApiKey | None) -> ApiKey:
        """Return the key to use; one that is given but blank never falls back to another."""
        candidates = (api_key, self._api_key, ApiKey.of_environment())
        return next(candidate for candidate in candidates if candidate is not None)

    async def _run(
        self,
        spec: ToolSpec,
        checked: CheckedArguments,
        params: dict[str, Any],
        progress: Progress | None,
        idempotency_key: str | None,
    ) -> dict[str, Any]:
        """Return the output of a call; raises PersonaError. `params` are the checked ones with the API key."""
        loop = asyncio.get_running_loop()
        if loop not in self._runners:
            self._runners[loop] = self._make_runner()
        runner = self._runners[loop]
        if spec.paginate:
            return await read_list(runner, spec, params, checked.max_items, progress)
        if checked.wait:
            hint = {"more": f"It has not ended yet. Call {spec.tool_id} with {WAIT} again."}
            try:
                async with asyncio.timeout(WAIT_SECONDS + GRACE_SECONDS):
                    return await runner.wait(spec.name, params, deadline=WAIT_SECONDS, progress=progress)
            except WaitTimedOut as error:
                return hint | error.output
            except TimeoutError:
                return hint
        output = await runner.call(spec.name, params, idempotency_key=idempotency_key)
        may_be_repeated = idempotency_key is not None and spec.request.method == "POST"
        if may_be_repeated and spec.effect in NEEDS_CONSENT and spec.confirm:
            await _check_that_it_holds(runner, spec, spec.confirm, params)
        return output


async def _check_that_it_holds(runner: Runner, spec: ToolSpec, confirm: Confirm, params: Mapping[str, Any]) -> None:
    """Raise ResponseError where an object is not as the answer to a decision says.

    Under a key that was used before, Persona repeats its first answer, whatever became of the object since
    (docs.withpersona.com/idempotence). Where the object cannot be read, the answer has to do.
    """
    reader = catalog.load(confirm.operation)
    reader_params = {name: params[name] for name in (API_KEY_PARAM, *reader.params) if name in params}
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            current = await runner.call(reader.name, reader_params)
    except (PersonaError, TimeoutError):
        return
    value = first(current, confirm.at)
    if value in confirm.values if confirm.values else value is not None:
        return
    field = confirm.at.rpartition("/")[2]
    text = (
        f"{spec.tool_id} is not in effect: {field} is {json.dumps(value)} now. Either the same step was made before, so that"
        " Persona only repeated its answer, or the object has been changed since."
    )
    raise ResponseError(text, output=current, took_effect="unknown")


def _tools(selection: Selection, file_root: Path | None) -> tuple[Tool, ...]:
    return tuple(load_tool(name, file_root is not None) for name in selection.names)


def _key_problems(api_key: ApiKey) -> list[Problem]:
    """Return what is wrong with an API key, as a problem of the host: no model can put it right."""
    if api_key.is_absent:
        return [Problem("host", f"has no Persona API key; whoever runs it has to set one, such as {KEY_VARIABLE}")]
    try:
        api_key.checked()
    except ValueError as error:
        return [Problem("host", f"has a Persona API key that {error}")]
    return []


async def _agreed(request: ConsentRequest, consent: Consent | None) -> bool:
    """Return whether a person agreed; raises InputError where nobody can be asked, or asking failed."""
    if consent is None:
        problem = Problem("host", "cannot ask a person here, and this needs a person's word; do not try again")
        raise InputError(TOOL_PREFIX + request.operation, [problem])
    try:
        word = consent(request)
        return (await word if inspect.isawaitable(word) else word) is True
    except Exception as error:
        # Its text may hold anything, so neither a model nor a log gets to see it.
        _log.error("asking about %s failed: %s", request.operation, type(error).__name__)
        problem = Problem("host", "failed while asking a person, and this needs a person's word")
        raise InputError(TOOL_PREFIX + request.operation, [problem]) from None

"""The toolbox: chosen operations with a bound API key, called as models call tools; every host stands on it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Collection, Mapping
from copy import copy
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from weakref import WeakKeyDictionary

from ..call.parse import first
from ..call.progress import Progress
from ..credentials import KEY_VARIABLE, ApiKey
from ..errors import InputError, PersonaError, Problem, ResponseError, TookEffect, WaitTimedOut, printable
from ..runner import Runner
from ..spec import catalog
from ..spec.grammar import API_KEY_PARAM, Confirm, ToolSpec
from .agreement import Question, is_agreed
from .answer import ToolAnswer, failure_answer, not_agreed_answer, success_answer
from .arguments import Arguments, CheckedArguments, check_arguments
from .brevity import UNREAD_FIELDS, brief
from .callables import make_callable
from .consent import NEEDS_CONSENT, Approval, Consent, ConsentRequest, call_digest, consent_request
from .listing import read_list
from .selection import Selection
from .templates import Templates
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
    runner: what makes a runner for each event loop, as blocking calls need, or one runner, for one loop, that is yours to
        close; the default makes one with its defaults. Its key is used where `api_key` gives none.
    templates: names of inquiry and report templates by id. Where there are any, list_inquiry_templates gives these: Persona
        lists templates to a production key alone.
    left_out: the fields of an object that an answer leaves out unless a model names them; so does whatever is empty, unless
        this is empty itself. The default is UNREAD_FIELDS.
    file_root: the folder that an import may read files from; by default none is read. CSV text is taken all the same.

    Use it as `async with`, or call `aclose`.
    """

    def __init__(
        self,
        selection: Selection | None = None,
        *,
        api_key: str | ApiKey | None = None,
        consent: Consent | None = None,
        runner: Runner | Callable[[], Runner] | None = None,
        templates: Mapping[str, str] | None = None,
        left_out: Collection[str] = UNREAD_FIELDS,
        file_root: Path | None = None,
    ) -> None:
        self.selection = selection or Selection.of()
        self._templates = Templates.of(templates or {})
        self.tools = _tools(self.selection, file_root, self._templates)
        self._left_out = tuple(left_out)
        self._api_key = None if api_key is None else ApiKey.of(api_key)
        self._consent = consent
        self._make_runner: Callable[[], Runner] = (lambda: runner) if isinstance(runner, Runner) else runner or Runner
        self._is_runner_given = isinstance(runner, Runner)
        self._file_root = file_root
        self._runners: WeakKeyDictionary[asyncio.AbstractEventLoop, Runner] = WeakKeyDictionary()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections of this event loop, except those of a runner that was given."""
        runner = self._runners.pop(asyncio.get_running_loop(), None)
        if runner is not None and not self._is_runner_given:
            await runner.aclose()

    async def dispatch(
        self,
        name: str,
        arguments: Arguments = None,
        *,
        api_key: str | ApiKey | None = None,
        consent: Consent | None = None,
        approval: Approval | None = None,
        progress: Progress | None = None,
        idempotency_key: str | None = None,
    ) -> ToolAnswer:
        """Call a tool with the arguments that a model gave, as an object or as JSON text; an error is an answer too.

        api_key: wins over the toolbox's own.
        consent: wins over the toolbox's own.
        approval: a person's word as the host took it, where there is no `consent`.
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
            if listed := self._templates.listed(tool.spec):
                return success_answer(tool, listed, checked.output_fields, left_out=())
            params = {**checked.params, API_KEY_PARAM: used_key}
            question = self._question(tool.spec, params)
            if question is not None:
                asking = consent or self._consent
                if not await is_agreed(question, asking, approval, is_repeated=idempotency_key is not None):
                    return not_agreed_answer(question.bare)
            took_effect = None if tool.spec.effect == "read" else "unknown"
            try:
                output = await self._run(tool.spec, checked, params, progress, idempotency_key)
            except PersonaError as error:
                partial_output = brief(tool, error.output, checked.output_fields, self._left_out)
                return failure_answer(error.revised(output=partial_output), tool)
            return success_answer(tool, output, checked.output_fields, self._left_out)
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

    async def consent_request(
        self, name: str, arguments: Arguments = None, *, api_key: str | ApiKey | None = None
    ) -> ConsentRequest | None:
        """Return what a person has to be asked before this call, or None where nobody has to be asked.

        The object that the call is about is read for it. Raises InputError for a call that cannot be made, and PersonaError
        where the object cannot be read, as where its id leads nowhere.

        api_key: wins over the toolbox's own.
        """
        api_key = None if api_key is None else ApiKey.of(api_key)
        tool = self.find(name)
        used_key = self._used_key(api_key)
        checked = check_arguments(tool, arguments, self._file_root, _key_problems(used_key))
        question = self._question(tool.spec, {**checked.params, API_KEY_PARAM: used_key})
        return (await question.read())[0] if question else None

    async def to_approve(
        self, name: str, arguments: Arguments = None, *, api_key: str | ApiKey | None = None
    ) -> ConsentRequest | None:
        """Return what a framework with approvals of its own has to ask before this call.

        None where nobody has to be asked, where `consent` will be, and where the call cannot be made or its object cannot be
        read, as `dispatch` then says.

        api_key: wins over the toolbox's own.
        """
        api_key = None if api_key is None else ApiKey.of(api_key)
        try:
            return None if self._consent else await self.consent_request(name, arguments, api_key=api_key)
        except PersonaError:
            return None

    def bare_request(
        self, name: str, arguments: Arguments = None, *, api_key: str | ApiKey | None = None
    ) -> ConsentRequest | None:
        """Return what a person has to be asked before this call, without the object; None where nobody has to be asked.

        Raises InputError for a call that cannot be made.

        api_key: the one that the call will be made with, which is then checked too; None leaves the key unchecked.
        """
        api_key = None if api_key is None else ApiKey.of(api_key)
        tool = self.find(name)
        key_problems = [] if api_key is None else _key_problems(api_key)
        return consent_request(tool.spec, check_arguments(tool, arguments, self._file_root, key_problems).params)

    def needs_approval(self, name: str, arguments: Arguments = None) -> bool:
        """Return whether a framework has to ask before this call, as far as that can be told without reading the object."""
        try:
            return self._consent is None and self.bare_request(name, arguments) is not None
        except InputError:
            return False

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
        narrower.tools = _tools(narrower.selection, self._file_root, self._templates)
        return narrower

    def callables(self, *, blocking: bool = False) -> list[Callable[..., Any]]:
        """Return the tools as Python functions with a signature and a docstring, for frameworks that take such.

        Each gives the text for a model, also where a call fails. They are coroutine functions; `blocking` makes plain ones,
        which work with or without an event loop in their thread and connect anew for each call. What needs a person's word
        asks `consent`, and is refused without one.
        """
        return [make_callable(self, tool, is_blocking=blocking) for tool in self.tools]

    def _used_key(self, api_key: ApiKey | None) -> ApiKey:
        """Return the key to use; one that is given but blank never falls back to another."""
        if api_key is not None:
            return api_key
        return self._runner().api_key if self._api_key is None else self._api_key

    def _runner(self) -> Runner:
        """Return the runner of this event loop."""
        loop = asyncio.get_running_loop()
        if loop not in self._runners:
            self._runners[loop] = self._make_runner()
        return self._runners[loop]

    def _question(self, spec: ToolSpec, params: Mapping[str, Any]) -> Question | None:
        """Return what a person has to agree to; raises InputError where they cannot be shown all that is sent."""
        sent = {name: value for name, value in params.items() if name in spec.params}
        bare = consent_request(spec, sent)
        return Question(spec, params, self._runner(), self._templates.names, bare) if bare else None

    async def _run(
        self,
        spec: ToolSpec,
        checked: CheckedArguments,
        params: dict[str, Any],
        progress: Progress | None,
        idempotency_key: str | None,
    ) -> dict[str, Any]:
        """Return the output of a call; raises PersonaError. `params` are the checked ones with the API key."""
        runner = self._runner()
        if spec.paginate:
            return await read_list(runner, spec, params, checked.max_items, progress)
        if checked.wait:
            hint = {"more": f"It has not ended yet. Call {spec.tool_id} with {WAIT} again."}
            try:
                async with asyncio.timeout(WAIT_SECONDS + GRACE_SECONDS):
                    return await runner.wait(spec.name, params, deadline=WAIT_SECONDS, progress=progress)
            except WaitTimedOut as error:
                if not error.output:  # nothing was read, so nobody knows whether it has ended
                    raise
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


def _tools(selection: Selection, file_root: Path | None, templates: Templates) -> tuple[Tool, ...]:
    offered = frozenset(selection.names)
    return tuple(templates.described(load_tool(name, file_root is not None, offered)) for name in selection.names)


def _key_problems(api_key: ApiKey) -> list[Problem]:
    """Return what is wrong with an API key, as a problem of the host: no model can put it right."""
    if api_key.is_absent:
        return [Problem("host", f"has no Persona API key; whoever runs it has to set one, such as {KEY_VARIABLE}")]
    try:
        api_key.checked()
    except ValueError as error:
        return [Problem("host", f"has a Persona API key that {error}")]
    return []

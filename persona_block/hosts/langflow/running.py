"""One run of a node: its fields made into params, checked, agreed to, sent once, and any error put into words for the node."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from ...call.inputs import prepare
from ...call.result import ToolResult
from ...credentials import KEY_VARIABLE, ApiKey
from ...errors import InputError, Problem
from ...files.regular import UnreadableFile
from ...files.store import FileStore
from ...runner import Runner
from ...spec.grammar import API_KEY_PARAM, ToolSpec
from ..consent import consent_request
from .fields import (
    AGREED,
    API_KEY,
    BASE_URL,
    IDEMPOTENCY_KEY,
    OPERATION,
    SANDBOX,
    TYPED,
    NodeField,
    fields_by_name,
    fields_of,
    operation_named,
    switch,
)

if TYPE_CHECKING:
    from ...sandbox import Sandbox

_sandbox_lock = Lock()
_TYPED_KINDS = (str, bool, SecretStr, type(None))
"""The types of what a person fills in; what comes over a wire is an object of Langflow's."""
_NAME_OF_TEXT = "table.csv"
"""The name of a CSV file that came as text."""


class NodeError(Exception):
    """What a node shows where its run failed: what happened, and what to do."""


@dataclass(frozen=True)
class Answer:
    """What a run gave.

    is_simulated: whether the offline Persona answered.
    """

    spec: ToolSpec
    output: dict[str, Any]
    is_simulated: bool


@dataclass(frozen=True)
class Connection:
    """Where a node sends its calls: the key it has, the address, and whether the offline Persona answers instead."""

    api_key: ApiKey
    base_url: str | None
    is_sandbox: bool

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Connection:
        """Return the connection of a node's values; its key may be none, or one that cannot be sent."""
        return cls(_api_key(values.get(API_KEY)), _text(values.get(BASE_URL)) or None, values.get(SANDBOX) is True)

    def check_key(self) -> None:
        """Raise NodeError where there is neither a key that can be sent nor the sandbox."""
        if self.is_sandbox:
            return
        try:
            self.api_key.checked()
        except ValueError as error:
            title = fields_by_name()[API_KEY].title
            advice = f"set {KEY_VARIABLE} as a global variable of the type Credential, or switch on Sandbox to try it offline"
            what = f"it {error}" if self.api_key.is_text else "there is none"
            raise NodeError(f"{title}: {what}. Nothing was sent. Please {advice}.") from None

    def runner(self, folder: Path | None = None) -> Runner:
        """Return a runner of this connection; raises InputError for an address that no key is sent to.

        folder: where downloads are kept; the default is that of FileStore.
        """
        files = FileStore(folder) if folder else FileStore()
        if self.is_sandbox:
            return embedded_sandbox().runner(files=files)
        return Runner(api_key=self.api_key, base_url=self.base_url, files=files)


def embedded_sandbox() -> Sandbox:
    """Return the offline Persona of this process, filled with an organisation to explore."""
    with _sandbox_lock:
        return _sandbox()


@cache
def _sandbox() -> Sandbox:
    from ...sandbox import Sandbox

    return Sandbox(populate=True)


async def run_node(values: Mapping[str, Any], *, folder: Path | None = None, readable: Callable[[str], str] = str) -> Answer:
    """Return what the operation of a node's values gives; raises NodeError, and then says whether anything was done.

    values: what is filled in, by field.
    folder: where a PDF is kept.
    readable: returns a path that the node may read, or raises ValueError.
    """
    spec = None
    check_typed(values)
    try:
        spec = operation_named(values.get(OPERATION))
        params = _params(spec, values, readable)
        checked = prepare(spec, params)
        _check_agreement(spec, checked, values)
        connection = Connection.of(values)
        connection.check_key()
        runner = connection.runner(folder)
    except InputError as error:
        raise NodeError(_problems_text(spec, error.problems)) from None
    async with runner:
        result = await runner.run(
            spec.name,
            params,
            wait=values.get(switch("wait")) is True and (spec.wait or spec.then) is not None,
            all_pages=values.get(switch("paginate")) is True and spec.paginate is not None,
            idempotency_key=_text(values.get(IDEMPOTENCY_KEY)) or None,
        )
    if not result.success:
        raise NodeError(_failure_text(spec, result))
    return Answer(spec, result.output, connection.is_sandbox)


def _text(value: Any) -> str:
    """Return text without the blanks around it; anything else is none."""
    return value.strip() if isinstance(value, str) else ""


def check_typed(values: Mapping[str, Any]) -> None:
    """Raise NodeError where an earlier block fills in what a person alone may, such as the operation or the agreement."""
    for field in fields_by_name().values():
        if field.kind != "file" and not field.takes_wire and not isinstance(values.get(field.name), _TYPED_KINDS):
            text = "takes no wire: fill it in on the node. Nothing was sent."
            raise NodeError(f"{json.dumps(field.title)} {text}")


def _api_key(value: Any) -> ApiKey:
    """Return the key of a node; the name of its variable, which a server without a database leaves as it is, is none."""
    given = value.get_secret_value() if hasattr(value, "get_secret_value") else value
    if not _text(given) or _text(given) == KEY_VARIABLE:
        return ApiKey.of_environment()
    return ApiKey(given)


def _params(spec: ToolSpec, values: Mapping[str, Any], readable: Callable[[str], str]) -> dict[str, Any]:
    """Return what is filled in for an operation, by param; raises InputError for a param that is filled in twice."""
    params: dict[str, Any] = {}
    for field in fields_of(spec.name):
        value = values.get(field.name)
        if value is None or (isinstance(value, str) and not value.strip()) or value == []:
            continue
        assert field.param
        if field.param in params:
            raise InputError(spec.name, [Problem(field.param, "is filled in twice: use one field or the other")])
        is_file = spec.params[field.param].format == "file"
        params[field.param] = _file(spec, field, value, readable) if is_file else value
    return params


def _file(spec: ToolSpec, field: NodeField, value: Any, readable: Callable[[str], str]) -> Any:
    """Return a file: text of several lines is its content, and one line is a path that the node has to be allowed to read."""
    source = value[0] if isinstance(value, list) and len(value) == 1 else value
    if not isinstance(source, str):
        raise InputError(spec.name, [Problem(field.param or "", "takes one file, or the text of one")])
    if "\n" in source.strip():
        return {"name": _NAME_OF_TEXT, "content": source}
    try:
        return readable(source.strip())
    except UnreadableFile as error:
        raise InputError(spec.name, [Problem(field.param or "", str(error))]) from None
    except ValueError:
        text = "is no file that this flow may read: upload it here, or wire the text of a CSV file"
        raise InputError(spec.name, [Problem(field.param or "", text)]) from None


def _check_agreement(spec: ToolSpec, checked: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Raise InputError for an operation that a person has to agree to and has not."""
    request = consent_request(spec, checked)
    if request is None:
        return
    if request.effect == "erase":
        if not request.is_agreed(_text(values.get(TYPED))):
            text = "has to be the very id that is erased: a person types it to agree"
            raise InputError(spec.name, [Problem(TYPED, text)])
    elif values.get(AGREED) is not True:
        text = "is off: this decides about a person, so switch it on if every run of this node may do it"
        raise InputError(spec.name, [Problem(AGREED, text)])


# --- words -----------------------------------------------------------------------------------------------------------------


def _problems_text(spec: ToolSpec | None, problems: Sequence[Problem]) -> str:
    """Return every problem by the title of its field, as what to do about it."""
    listed = "; ".join(_problem_text(spec, problem) for problem in problems)
    return f"{spec.title if spec else 'Persona'}: nothing was sent. Please put right: {listed}."


def _problem_text(spec: ToolSpec | None, problem: Problem) -> str:
    title = json.dumps(_field_title(spec, problem.param))
    if problem.code == "required":
        return f"fill in {title}"
    if spec and problem.code == "one_required":
        titles = [json.dumps(_field_title(spec, param)) for param in spec.require_any]
        return f"fill in at least one of {', '.join(titles)}"
    return f"{title} {problem.message}"


def _field_title(spec: ToolSpec | None, param: str) -> str:
    """Return what a person reads above the field of a param, or above a field of the host."""
    if param == API_KEY_PARAM:
        return fields_by_name()[API_KEY].title
    if spec and param in spec.params:
        return next(field.title for field in fields_of(spec.name) if field.param == param)
    return fields_by_name()[param].title if param in fields_by_name() else param


def _failure_text(spec: ToolSpec, result: ToolResult) -> str:
    """Return what became of a call that failed, and what to do before the node runs again."""
    details = result.error_details or {}
    if details.get("problems"):
        return _problems_text(spec, [Problem(each["param"], each["message"], each["code"]) for each in details["problems"]])
    words = [(result.error or "It failed.").rstrip()]
    if details.get("tookEffect") == "unknown":
        words.append("It may have been done all the same.")
        if details.get("idempotencyKey"):
            title = fields_by_name()[IDEMPOTENCY_KEY].title
            words.append(
                f"Put {json.dumps(details['idempotencyKey'])} into the field {title} and run this node again: it is then done"
                " once. Empty the field afterwards."
            )
        else:
            words.append("Look at it in Persona before you run this node again.")
    elif details.get("tookEffect") == "yes":
        words.append("It was done: do not run this node again, and read it with the operation for that.")
    elif details.get("retryable"):
        words.append("You can run this node again.")
    return f"{spec.title}: {' '.join(words)}"

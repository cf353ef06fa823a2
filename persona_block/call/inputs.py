"""Params as hosts really send them, made into what a spec asks for; every problem is reported at once.

Blank text and null are absent. Text is trimmed. Numbers, objects and lists may come as text. Problems name the param and say
what it should be; they never repeat a value, which may be a secret or somebody's personal data.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import os
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from ..credentials import ApiKey
from ..errors import InputError, Problem
from ..spec.grammar import API_KEY_PARAM, Param, ToolSpec
from ..spec.nearest import nearest_name
from .formats import BY_FORMAT

_LARGEST_BITS = 1024
"""Numbers with more do not fit a double, which JSON's readers commonly take them for."""
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")


def prepare_call(spec: ToolSpec, params: Mapping[str, Any], default_key: ApiKey) -> tuple[dict[str, Any], ApiKey]:
    """Return the checked params of one call and the API key to make it with; a key among the params wins over the default.

    Raises InputError with every problem of params and key alike; nothing has been sent then.
    """
    own_params = dict(params)
    own_key = ApiKey.of(own_params.pop(API_KEY_PARAM, None))
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    try:
        values = prepare(spec, own_params)
    except InputError as error:
        problems += error.problems
    try:
        api_key = (default_key if own_key.is_absent else own_key).checked()
    except ValueError as error:
        problems.append(Problem(API_KEY_PARAM, str(error)))
    if problems:
        raise InputError(spec.name, problems)
    return values, api_key


def prepare(spec: ToolSpec, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the params of one call, checked and in their wire types; absent ones are left out.

    `params` must not hold the API key any more. Raises InputError with every problem; nothing has been sent then.
    """
    present = {name: value for name, value in params.items() if not _is_absent(value)}
    problems = [_unknown(spec, name) for name in present if name not in spec.params]
    values: dict[str, Any] = {}
    for name, param in spec.params.items():
        if name not in present:
            continue
        try:
            values[name] = _coerce(param, present[name])
        except ValueError as error:
            problems.append(Problem(name, str(error)))
    refused = {problem.param for problem in problems}
    problems += [Problem(name, "is required") for name in spec.required if name not in present]
    problems += _schema_problems(spec, values)
    problems += _choice_problems(spec, values)
    if spec.require_any and not refused.intersection(spec.require_any) and not _any_given(spec, values):
        problems.append(Problem(spec.require_any[0], f"give at least one of {', '.join(spec.require_any)}"))
    if problems:
        raise InputError(spec.name, problems)
    return values


def sealed(params: Any) -> Any:
    """Return params whose API key shows nothing; whatever takes params from outside begins with this."""
    if not isinstance(params, Mapping):
        return params
    return {name: ApiKey.of(value) if name == API_KEY_PARAM else value for name, value in params.items()}


def _is_absent(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _unknown(spec: ToolSpec, name: Any) -> Problem:
    nearest = nearest_name(str(name), spec.params, cutoff=0.5)
    hint = f"did you mean {nearest}?" if nearest else f"it takes {', '.join(spec.params)}"
    return Problem(str(name), f"{spec.name} has no such param; {hint}")


def _any_given(spec: ToolSpec, values: Mapping[str, Any]) -> bool:
    """Return whether one of `requireAny` was given; an empty object changes nothing, whereas an empty list clears."""
    return any(name in values and values[name] != {} for name in spec.require_any)


def _choice_problems(spec: ToolSpec, values: Mapping[str, Any]) -> list[Problem]:
    return [
        Problem(choice.by, choice.expectation())
        for choice in spec.choose.values()
        if choice.by in values and choice.key_for(values[choice.by]) is None
    ]


# --- one value -------------------------------------------------------------------------------------------------------------


def _coerce(param: Param, value: Any) -> Any:
    """Return `value` in the param's own type; raises ValueError with what it should be."""
    if param.format == "file":
        return _file(value)
    typed = _BY_TYPE[param.type](value)
    normalise = BY_FORMAT.get(param.format) if param.format else None
    return normalise(typed) if normalise else typed


def _text(value: Any) -> str:
    if isinstance(value, dt.datetime | dt.date):
        value = value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("must be text, not a number that is none")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise ValueError(f"must be text, not {_kind(value)}")
    _encodable(value)
    return value.strip()


def _integer(value: Any) -> int:
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError("must be a whole number" + ("" if isinstance(value, str | float) else f", not {_kind(value)}"))


def _object(value: Any) -> dict[str, Any]:
    parsed = _from_json(value, 'a JSON object such as {"name": "value"}')
    if not isinstance(parsed, Mapping):
        raise ValueError(f'must be a JSON object such as {{"name": "value"}}, not {_kind(parsed)}')
    try:
        return {_key(key): _json_value(item, str(key)) for key, item in parsed.items()}
    except RecursionError:
        raise ValueError("is nested too deeply") from None


def _array(value: Any) -> list[str]:
    parsed = _from_json(value, 'a JSON list of text such as ["vip"]')
    if not isinstance(parsed, list | tuple):
        raise ValueError(f'must be a JSON list of text such as ["vip"], not {_kind(parsed)}')
    for index, item in enumerate(parsed):
        if not isinstance(item, str) or not item.strip():
            raise ValueError(f"must hold only text, but entry {index + 1} is {_kind(item)}")
        _encodable(item)
    return [item.strip() for item in parsed]


_BY_TYPE: dict[str, Callable[[Any], Any]] = {"string": _text, "integer": _integer, "object": _object, "array": _array}


def _from_json(value: Any, expected: str) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise ValueError(f"must be {expected}, but is text that is not JSON") from None


def _refuse_constant(name: str) -> float:
    raise ValueError(name)


def _json_value(value: Any, path: str) -> Any:
    """Return a copy of a nested value, refused where JSON cannot carry it."""
    if isinstance(value, int) and value.bit_length() > _LARGEST_BITS:
        raise ValueError(f"holds a number at {path} that is too large")
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, str):
        _encodable(value)
        return value
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {_key(key): _json_value(item, f"{path}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json_value(item, f"{path}[{index}]") for index, item in enumerate(value)]
    raise ValueError(f"holds {_kind(value)} at {path}, which JSON cannot carry")


def _key(key: Any) -> str:
    text = str(key)
    _encodable(text)
    return text


def _encodable(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("holds characters that cannot be written as UTF-8") from None


def _file(value: Any) -> Any:
    """Return what a file param holds, to be opened later by the file store; what can never be a file is refused."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, os.PathLike | bytes | Mapping) or hasattr(value, "read") or hasattr(value, "url"):
        return value
    raise ValueError(f"must be a path, a storage URL or a file, not {_kind(value)}")


# --- the schema's own keywords ---------------------------------------------------------------------------------------------


def _schema_problems(spec: ToolSpec, values: Mapping[str, Any]) -> list[Problem]:
    """Return what the schema forbids once types and formats hold: values out of an enum or a range."""
    shapes = {name: param.json_schema() for name, param in spec.params.items() if param.format != "file"}
    validator = _validator(json.dumps({"properties": shapes}))
    return [_problem(spec, error) for error in validator.iter_errors(dict(values))]


@cache
def _validator(schema_text: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema_text))


def _problem(spec: ToolSpec, error: ValidationError) -> Problem:
    name = str(error.absolute_path[0])
    param = spec.params[name]
    if param.enum is not None:
        message = f"must be one of {', '.join(param.enum)}"
    elif param.minimum is not None and param.maximum is not None:
        message = f"must be from {param.minimum} to {param.maximum}"
    elif param.minimum is not None:
        message = f"must be {param.minimum} or more"
    else:
        message = f"must be {param.maximum} or less"
    return Problem(name, message)


_KINDS: dict[type, str] = {bool: "true or false", int: "a number", float: "a number", str: "text", bytes: "bytes"}


def _kind(value: Any) -> str:
    """Return what sort of value it is, in words that never hold the value."""
    if value is None:
        return "null"
    if isinstance(value, str) and not value.strip():
        return "blank"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    return _KINDS.get(type(value), f"a {type(value).__name__}")

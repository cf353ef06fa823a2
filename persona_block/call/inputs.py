"""Params as hosts really send them, made into what a spec asks for; every problem is reported at once.

Blank text and null are absent. Text is trimmed. Numbers, objects and lists may come as text. Problems name the param and say
what it should be; they never repeat a value, which may be a secret or somebody's personal data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from ..credentials import ApiKey
from ..errors import InputError, Problem
from ..spec.grammar import API_KEY_PARAM, ToolSpec
from ..spec.nearest import nearest_name
from .coercion import coerce
from .compiled.inputs import preparer, values_fit
from .compiled.once import Misfit
from .formats import trimmed
from .refusal import Code, Refused

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError


_NO_KEY = ApiKey(None)


def prepare_call(spec: ToolSpec, params: Mapping[str, Any], default_key: ApiKey) -> tuple[dict[str, Any], ApiKey]:
    """Return the checked params of one call and the API key to make it with; a key among the params wins over the default.

    Raises InputError with every problem of params and key alike; nothing has been sent then.
    """
    own_params, own_key = params, _NO_KEY
    if API_KEY_PARAM in params:
        own_params = {name: value for name, value in params.items() if name != API_KEY_PARAM}
        own_key = ApiKey.of(params[API_KEY_PARAM])
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    try:
        values = prepare(spec, own_params)
    except InputError as error:
        problems += error.problems
    try:
        api_key = (default_key if own_key.is_absent else own_key).checked()
    except ValueError as error:
        problems.append(
            Problem(API_KEY_PARAM, str(error), "no_key" if own_key.is_absent and default_key.is_absent else "bad_key")
        )
    if problems:
        raise InputError(spec.name, problems)
    return values, api_key


def prepare(spec: ToolSpec, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the params of one call, checked and in their wire types; absent ones are left out.

    `params` must not hold the API key any more. Raises InputError with every problem; nothing has been sent then.
    """
    try:
        return preparer(spec)(params)
    except (Misfit, Refused):
        pass
    return prepare_in_general(spec, params)


def prepare_in_general(spec: ToolSpec, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `prepare` does, by reading the spec anew; this is the way that words the problems."""
    present = {name: value for name, value in params.items() if not _is_absent(value)}
    problems = [_unknown(spec, name) for name in present if name not in spec.params]
    values: dict[str, Any] = {}
    for name, param in spec.params.items():
        if name not in present:
            continue
        try:
            values[name] = coerce(param, present[name])
        except Refused as error:
            problems.append(Problem(name, str(error), error.code))
    refused = {problem.param for problem in problems}
    problems += [Problem(name, "is required", "required") for name in spec.required if name not in present]
    problems += _schema_problems(spec, values)
    problems += _choice_problems(spec, values)
    if spec.require_any and not refused.intersection(spec.require_any) and not _any_given(spec, values):
        problems.append(Problem(spec.require_any[0], f"give at least one of {', '.join(spec.require_any)}", "one_required"))
    if problems:
        raise InputError(spec.name, problems)
    return values


def sealed(params: Any) -> Any:
    """Return params whose API key shows nothing; whatever takes params from outside begins with this."""
    if not isinstance(params, Mapping):
        return params
    own_params = dict(params)
    if API_KEY_PARAM in own_params:
        own_params[API_KEY_PARAM] = ApiKey.of(own_params[API_KEY_PARAM])
    return own_params


def _is_absent(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not trimmed(value))


def _unknown(spec: ToolSpec, name: Any) -> Problem:
    nearest = nearest_name(str(name), spec.params, cutoff=0.5)
    hint = f"did you mean {nearest}?" if nearest else f"it takes {', '.join(spec.params)}"
    return Problem(str(name), f"{spec.name} has no such param; {hint}", "unknown")


def _any_given(spec: ToolSpec, values: Mapping[str, Any]) -> bool:
    """Return whether one of `requireAny` was given; an empty object changes nothing, whereas an empty list clears."""
    return any(name in values and values[name] != {} for name in spec.require_any)


def _choice_problems(spec: ToolSpec, values: Mapping[str, Any]) -> list[Problem]:
    return [
        Problem(choice.by, choice.expectation(), "no_case")
        for choice in spec.choose.values()
        if choice.by in values and choice.key_for(values[choice.by]) is None
    ]


# --- the schema's own keywords ---------------------------------------------------------------------------------------------


def _schema_problems(spec: ToolSpec, values: Mapping[str, Any]) -> list[Problem]:
    """Return what the schema forbids once types and formats hold: values out of an enum or a range."""
    if values_fit(spec)(values):
        return []
    shapes = {name: param.json_schema() for name, param in spec.params.items() if param.format != "file"}
    validator = _validator(json.dumps({"properties": shapes}))
    return [_problem(spec, error) for error in validator.iter_errors(dict(values))]


@cache
def _validator(schema_text: str) -> Draft202012Validator:
    from jsonschema import Draft202012Validator  # It takes a while to import, and most runs send nothing that it has to judge.

    return Draft202012Validator(json.loads(schema_text))


def _problem(spec: ToolSpec, error: ValidationError) -> Problem:
    name = str(error.absolute_path[0])
    param = spec.params[name]
    code: Code = "out_of_range"
    if param.enum is not None:
        code, message = "not_listed", f"must be one of {', '.join(param.enum)}"
    elif param.minimum is not None and param.maximum is not None:
        message = f"must be from {param.minimum} to {param.maximum}"
    elif param.minimum is not None:
        message = f"must be {param.minimum} or more"
    else:
        message = f"must be {param.maximum} or less"
    return Problem(name, message, code)

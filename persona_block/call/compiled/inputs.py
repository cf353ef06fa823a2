"""The checks of an operation's params, compiled; `inputs.prepare` is the general way, and words what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ...spec.grammar import Param, ToolSpec
from ..coercion import LARGEST, coerce
from ..formats import BY_FORMAT, WHITE_SPACE, trimmed
from .once import Misfit, OncePerSpec

_ID = re.compile(r"[A-Za-z0-9_-]+")
"""An id that needs no trimming and no further check."""

Coercion = Callable[[Any], Any]
"""A value as a host sent it to the value in its param's own type; raises Refused or Misfit."""


@OncePerSpec
def preparer(spec: ToolSpec) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Return the function that checks params and gives them in their wire types, without absent ones.

    It raises Refused or Misfit where anything is wrong.
    """
    coercions = [(name, _coercion(param)) for name, param in spec.params.items()]
    fit = values_fit(spec)
    required, require_any, choices = spec.required, spec.require_any, tuple(spec.choose.values())

    def prepare(params: Mapping[str, Any]) -> dict[str, Any]:
        values = {}
        known = 0
        for name, coerced in coercions:
            if name not in params:
                continue
            known += 1
            value = params[name]
            if value is None or (isinstance(value, str) and not value.strip(WHITE_SPACE)):
                continue
            values[name] = coerced(value)
        if known != len(params) or not fit(values):
            raise Misfit
        for name in required:
            if name not in values:
                raise Misfit
        for choice in choices:
            if choice.by in values and choice.key_for(values[choice.by]) is None:
                raise Misfit
        if require_any and not any(name in values and values[name] != {} for name in require_any):
            raise Misfit
        return values

    return prepare


@OncePerSpec
def values_fit(spec: ToolSpec) -> Callable[[Mapping[str, Any]], bool]:
    """Return the function that tells whether values in their params' types hold to every enum and range.

    It may say that they do not where JSON Schema says that they do, but never the other way round.
    """
    enums = [(name, frozenset(param.enum)) for name, param in spec.params.items() if param.enum is not None]
    least = [(name, param.minimum) for name, param in spec.params.items() if param.minimum is not None]
    most = [(name, param.maximum) for name, param in spec.params.items() if param.maximum is not None]

    def fit(values: Mapping[str, Any]) -> bool:
        return (
            all(type(values[name]) is str and values[name] in enum for name, enum in enums if name in values)
            and all(type(values[name]) is int and values[name] >= bound for name, bound in least if name in values)
            and all(type(values[name]) is int and values[name] <= bound for name, bound in most if name in values)
        )

    return fit if enums or least or most else lambda _values: True


def _coercion(param: Param) -> Coercion:
    """Return `coercion.coerce` for a param, with short ways for the values that come most often."""
    if param.type == "string" and param.format == "id" and param.prefix is not None:
        return _id_coercion(param, param.prefix)
    if param.type == "string" and param.format not in (*BY_FORMAT, "file") and param.prefix is None:
        return lambda value: trimmed(value) if type(value) is str and value.isascii() else coerce(param, value)
    if param.type == "object" and param.format is None:
        return lambda value: value.copy() if _is_plain(value) else coerce(param, value)
    return lambda value: coerce(param, value)


def _id_coercion(param: Param, prefix: str) -> Coercion:
    """Return `coercion.coerce` for an id, with a short way for one of the kind that is asked for."""

    def coerce_id(value: Any) -> Any:
        if type(value) is str and value.startswith(prefix) and _ID.fullmatch(value):
            return value
        return coerce(param, value)

    return coerce_id


def _is_plain(value: Any) -> bool:
    """Return whether a value is an object of short ways to write text, numbers, true, false and null."""
    if type(value) is not dict:
        return False
    for name, item in value.items():
        kind = type(item)
        if type(name) is not str or not name.isascii():
            return False
        if not (
            (kind is str and item.isascii()) or item is None or kind is bool or (kind is int and -LARGEST <= item <= LARGEST)
        ):
            return False
    return True

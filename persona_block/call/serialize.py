"""A spec and its params, made into the parts of a request; knows no HTTP library.

The templates of a spec are compiled once to functions of the values, which each call then runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from ..errors import SpecError
from ..spec.grammar import PLACEHOLDER, ToolSpec
from .compiled.once import OncePerSpec

_UNRESERVED = re.compile(r"[A-Za-z0-9_-]+")
"""A text that stands in a URL as it is, as ids do."""
_ABSENT = object()
"""What a template gives where a param that it needs was not given."""

Values = Mapping[str, Any]
Keys = Mapping[str, str]
"""The keys that depend on a param's value, by the names of the choices."""
Filler = Callable[[Values, Keys], Any]
"""A template with the params in their places."""


@dataclass(frozen=True, slots=True)
class RequestParts:
    """One request, before any host, header or key."""

    method: str
    path: str
    """Percent-encoded, starting with a slash, relative to the base URL."""
    query: str = ""
    """Percent-encoded, without the question mark."""
    body: Any = field(default=None, repr=False)
    """JSON to send, or None for no body."""
    multipart: Mapping[str, Any] | None = field(default=None, repr=False)
    """Multipart field names and the params that fill them, or None."""

    @property
    def target(self) -> str:
        """Return path and query as they stand in the request line."""
        return f"{self.path}?{self.query}" if self.query else self.path


def serialize(spec: ToolSpec, values: Values) -> RequestParts:
    """Return the request of `spec` for params that `inputs.prepare` has checked."""
    return _request_maker(spec)(values)


def fill_text(template: str, values: Values) -> str:
    """Return `template` with each `{name}` replaced; values are never scanned for braces themselves."""
    return PLACEHOLDER.sub(lambda match: _as_text(values[match[1]]), template)


@OncePerSpec
def _request_maker(spec: ToolSpec) -> Callable[[Values], RequestParts]:
    request = spec.request
    choices = list(spec.choose.items())
    path_of = _path_filler(spec)
    query = [(_key_filler(name), _filler(template)) for name, template in request.query.items()]
    body = None if request.body is None else _filler(request.body)
    multipart = None if request.multipart is None else _filler(request.multipart)

    def make(values: Values) -> RequestParts:
        keys: dict[str, str] = {}
        for name, choice in choices:
            if choice.by in values and (key := choice.key_for(values[choice.by])) is not None:
                keys[name] = key
        entries = [
            (name_of(keys), _as_text(filled)) for name_of, fill in query if (filled := fill(values, keys)) is not _ABSENT
        ]
        return RequestParts(
            request.method,
            path_of(values),
            urlencode(entries, quote_via=quote) if entries else "",
            (body(values, keys) or None) if body else None,
            multipart(values, keys) if multipart else None,
        )

    return make


def _path_filler(spec: ToolSpec) -> Callable[[Values], str]:
    """Return the function that gives the path; a dot segment in it would walk to another resource."""
    # Text stands at the even places, and the name of a param at each odd one.
    parts = PLACEHOLDER.split(spec.request.path)
    names = parts[1::2]

    def fill(values: Values) -> str:
        filled = parts.copy()
        for place, name in enumerate(names):
            text = _as_text(values[name])
            if text in ("", ".", ".."):
                raise SpecError(f"{spec.name}: {name} cannot stand in a path")
            filled[2 * place + 1] = text if _UNRESERVED.fullmatch(text) else quote(text, safe="")
        return "".join(filled)

    return fill


def _filler(template: Any) -> Filler:
    """Return the function that gives a template with the params in their places, `_ABSENT` where one is missing."""
    if isinstance(template, dict):
        return _object_filler(template)
    if not isinstance(template, str):
        return lambda _values, _keys: template
    if whole := PLACEHOLDER.fullmatch(template):
        name = whole[1]
        return lambda values, _keys: values.get(name, _ABSENT)
    needed = PLACEHOLDER.findall(template)
    return lambda values, _keys: fill_text(template, values) if all(name in values for name in needed) else _ABSENT


def _object_filler(template: Mapping[str, Any]) -> Filler:
    parts = [(_key_filler(name.removesuffix("?")), _filler(value), name.endswith("?")) for name, value in template.items()]

    def fill(values: Values, keys: Keys) -> dict[str, Any]:
        filled = {}
        for key_of, fill_value, drops_empty in parts:
            value = fill_value(values, keys)
            if value is _ABSENT or (drops_empty and value == {}):
                continue
            filled[key_of(keys)] = value
        return filled

    return fill


def _key_filler(name: str) -> Callable[[Keys], str]:
    """Return the function that gives a key, which may be one that was chosen."""
    if not PLACEHOLDER.search(name):
        return lambda _keys: name
    return lambda keys: PLACEHOLDER.sub(lambda match: keys[match[1]], name)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)

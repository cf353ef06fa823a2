"""Key inflection: the API takes keys in three spellings and answers in the one that the caller asks for.

Keys inside an object named `fields` are the customer's own and keep their spelling
(docs.withpersona.com/api-key-inflection; OpenAPI: components/schemas/inquiry).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

INFLECTIONS = ("kebab", "camel", "snake")
"""The spellings, as the header `Key-Inflection` names them."""

_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Za-z])(?=[0-9])")


@cache
def _kebab(key: str) -> str:
    return _BOUNDARY.sub("-", key).replace("_", "-").lower()


@cache
def _camel(key: str) -> str:
    first, *rest = key.split("-")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


@cache
def _snake(key: str) -> str:
    return key.replace("-", "_")


def kebab(key: str) -> str:
    """Spell a key, written in any of the three ways, in kebab-case."""
    # Keys come from outside and must not fill the cache without end; no real key is long.
    return _kebab(key) if len(key) <= 64 else key


def snake(key: str) -> str:
    """Spell a kebab-case key in snake_case, as the API's error texts do."""
    return key.replace("-", "_")


def normalize(value: Any) -> Any:
    """Spell every key of a request body in kebab-case, except the keys inside `fields`."""
    return _rekey(value, kebab)


def inflect(value: Any, inflection: str) -> Any:
    """Spell every key of a response body, given in kebab-case, in an inflection, except the keys inside `fields`."""
    if inflection == "kebab":
        return value
    return _rekey(value, _camel if inflection == "camel" else _snake)


def _rekey(value: Any, spell: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {spell(key): inner if key == "fields" else _rekey(inner, spell) for key, inner in value.items()}
    if isinstance(value, list):
        return [_rekey(item, spell) for item in value]
    return value

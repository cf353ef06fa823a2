"""Completions: ids and statuses that a caller's own answers held, and the names of prompts' resources."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

import mcp_types as types

from ...block.prebuilt import manifest
from ...spec import catalog
from ..tool import object_output
from .guides import ABOUT, Guide

CALLER_IDS = 300
"""How many ids are remembered for one caller; those seen longest ago make room."""
KIND_STATUSES = 30
"""How many statuses of one kind of object are remembered for one caller."""
CALLERS = 1_000
"""How many callers are remembered; whoever called longest ago makes room."""
MOST_VALUES = 100
"""How many values the protocol lets one completion give."""

_ID = re.compile(r"([a-z]+_)[A-Za-z0-9]{1,64}")
_INPUT = "{input.%s}"
_SESSION_PREFIX = "iqse_"
"""The prefix of what gives access to an inquiry, and so is never remembered."""


class _Caller:
    """What the answers to one caller held."""

    def __init__(self) -> None:
        self.ids: OrderedDict[str, None] = OrderedDict()
        self.statuses: dict[str, OrderedDict[str, None]] = {}


class Seen:
    """The ids and statuses that answers held, by their callers: no caller is given what another saw."""

    def __init__(self) -> None:
        self._callers: OrderedDict[str, _Caller] = OrderedDict()
        kinds = manifest()["idKinds"]
        # What an id is of, such as `inquiry` or `inquiry-template`.
        self._types = {prefix: kind.partition(" ")[2].replace(" ", "-") for prefix, kind in kinds.items()}
        del self._types[_SESSION_PREFIX]

    def note(self, caller: str, answer: Any) -> None:
        """Remember the ids and statuses in an answer to a caller."""
        seen = self._callers.setdefault(caller, _Caller())
        self._callers.move_to_end(caller)
        if len(self._callers) > CALLERS:
            self._callers.popitem(last=False)
        values = [answer]
        while values:
            value = values.pop()
            if isinstance(value, dict):
                self._note_status(seen, value)
                values.extend(value.values())
            elif isinstance(value, list | tuple):
                values.extend(value)
            elif isinstance(value, str) and self._prefix(value):
                _remember(seen.ids, value, CALLER_IDS)

    def ids(self, caller: str, prefix: str | None = None) -> list[str]:
        """Return a caller's ids, those seen last first; with `prefix` those of one kind."""
        seen = self._callers.get(caller)
        return [each for each in reversed(seen.ids) if self._prefix(each) == (prefix or self._prefix(each))] if seen else []

    def statuses(self, caller: str, object_type: str) -> list[str]:
        """Return the statuses that a caller saw objects of a type in, such as `case`."""
        seen = self._callers.get(caller)
        return list(reversed(seen.statuses.get(object_type, OrderedDict()))) if seen else []

    def _note_status(self, seen: _Caller, value: Mapping[str, Any]) -> None:
        object_type = self._types.get(self._prefix(str(value.get("id"))) or "")
        status = value.get("status")
        if object_type and isinstance(status, str) and len(status) <= 100:
            _remember(seen.statuses.setdefault(object_type, OrderedDict()), status, KIND_STATUSES)

    def _prefix(self, value: str) -> str | None:
        match = _ID.fullmatch(value)
        return match[1] if match and match[1] in self._types else None


def completed(
    params: types.CompleteRequestParams, guides: Mapping[str, Guide], seen: Seen, caller: str, named_ids: Iterable[str]
) -> types.CompleteResult:
    """Return what an argument may be, as far as it is typed.

    guides: those that the caller is offered. named_ids: template ids that the operator named, which every caller may see.
    """
    typed = params.argument.value.lower()
    known = [each for each in _known(params, guides, seen, caller, named_ids) if each.lower().startswith(typed)]
    values = known[:MOST_VALUES]
    return types.CompleteResult(
        completion=types.Completion(values=values, total=len(known), has_more=len(known) > len(values))
    )


def _known(
    params: types.CompleteRequestParams, guides: Mapping[str, Guide], seen: Seen, caller: str, named_ids: Iterable[str]
) -> list[str]:
    if isinstance(params.ref, types.ResourceTemplateReference):
        root = params.ref.uri.partition("{")[0]
        return [guide.name for guide in guides.values() if guide.uri == root + guide.name]
    guide = guides.get(params.ref.name)
    schema = guide.inputs.get(params.argument.name) if guide else None
    if guide is None or schema is None:
        return []
    if params.argument.name == ABOUT:
        return seen.ids(caller)
    if object_type := _status_of(guide, params.argument.name):
        return seen.statuses(caller, object_type)
    match = _ID.fullmatch(str(schema["examples"][0]))
    if match is None:
        return []
    named = [each for each in named_ids if each.startswith(match[1])]
    return list(dict.fromkeys([*named, *seen.ids(caller, match[1])]))


def _status_of(guide: Guide, name: str) -> str | None:
    """Return the type of the objects whose status an input is; None for an input that is no status."""
    for step in guide.steps:
        if step.get("params", {}).get("status") == _INPUT % name:
            output = object_output(catalog.load(step["operation"]))
            return output.object_type if output else None
    return None


def _remember(values: OrderedDict[str, None], value: str, limit: int) -> None:
    values[value] = None
    values.move_to_end(value)
    if len(values) > limit:
        values.popitem(last=False)

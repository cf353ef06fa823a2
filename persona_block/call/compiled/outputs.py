"""The output of an answer, by the fastest way that it fits: straight from its bytes, from its JSON, or in general."""

from __future__ import annotations

from typing import Any

from ...spec.grammar import ToolSpec
from ..json_body import read_json
from ..parse import Answer, parse
from .documents import document_shaper
from .once import Misfit
from .structs import output_reader


def output_of(spec: ToolSpec, answer: Answer) -> dict[str, Any]:
    """Return the JSON output of a 2xx answer; raises ResponseError where it is not what the operation promises."""
    try:
        if (read := output_reader(spec)) is not None:
            return read(answer.body)
    except Misfit:
        pass
    try:
        return document_shaper(spec)(read_json(answer.body))
    except (Misfit, ValueError, RecursionError):
        pass
    # Not within the `except`, so that an error has no context but its own.
    return parse(spec, answer)

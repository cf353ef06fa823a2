"""What is made of a spec, made once and kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from ...spec.grammar import ToolSpec

Made = TypeVar("Made")

_KEPT = 256
"""Specs of which something is kept; there are far fewer, unless a program makes its own."""


class Misfit(Exception):
    """A value that a compiled function does not take: the general way takes it, or words what is wrong."""


class OncePerSpec(Generic[Made]):
    """Calls a function with a spec, and keeps what it gives for the next time. A spec is known by its identity."""

    def __init__(self, make: Callable[[ToolSpec], Made]) -> None:
        self._make = make
        self._kept: dict[int, tuple[ToolSpec, Made]] = {}

    def __call__(self, spec: ToolSpec) -> Made:
        """Return what was made of the spec."""
        kept = self._kept.get(id(spec))
        if kept is None:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            # The spec is kept beside it, so that no other one comes to have its identity.
            kept = self._kept[id(spec)] = (spec, self._make(spec))
        return kept[1]

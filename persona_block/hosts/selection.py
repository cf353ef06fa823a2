"""Which operations a host offers: whole toolsets, single tools, without some, or reads alone."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self, get_args

from ..block.build import manifest
from ..errors import InputError, Problem
from ..spec import catalog
from ..spec.grammar import TOOL_PREFIX, Group, ToolSpec

GROUPS: tuple[str, ...] = get_args(Group)
"""The toolsets there are, one for each group of operations."""

STARTERS = ("create_inquiry", "generate_inquiry_link")
"""The writes that stand beside the reads in the toolset `default`: they begin something and settle nothing."""

_NOT_DEFAULT = ("get_importer", "print_inquiry_pdf")
"""The reads that few conversations need: one follows an import, the other makes a file."""

DEFAULT, ALL = "default", "all"


@dataclass(frozen=True)
class Selection:
    """The names of the operations that are offered, in the order of the manifest: group by group, erasures last."""

    names: tuple[str, ...]

    @classmethod
    def of(
        cls,
        *,
        toolsets: Iterable[str] = (),
        tools: Iterable[str] = (),
        exclude: Iterable[str] = (),
        read_only: bool = False,
        otherwise: str = ALL,
    ) -> Self:
        """Choose operations by toolsets and by names; `exclude` and `read_only` always win.

        A toolset is a group, `default` (reads and `STARTERS`) or `all`; where neither toolsets nor tools are named, it is
        `otherwise`. Raises InputError with every name that is none.
        """
        problems: list[Problem] = []
        sets = _known("toolsets", toolsets, (*GROUPS, DEFAULT, ALL), problems)
        single = _known("tools", tools, catalog.names(), problems)
        without = _known("exclude", exclude, catalog.names(), problems)
        if problems:
            raise InputError("tools", problems)
        wanted = sets or ([] if single else [otherwise])
        specs = [catalog.load(tool_id) for tool_id in manifest()["tools"]["access"]]
        return cls(
            tuple(
                spec.name
                for spec in specs
                if (spec.name in single or any(_holds(each, spec) for each in wanted))
                and spec.name not in without
                and (spec.effect == "read" or not read_only)
            )
        )

    def narrowed(self, other: Selection) -> Selection:
        """What both offer."""
        return Selection(tuple(name for name in self.names if name in other.names))

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """The operations themselves."""
        return tuple(catalog.load(name) for name in self.names)


def _holds(toolset: str, spec: ToolSpec) -> bool:
    if toolset == DEFAULT:
        return spec.name in STARTERS or (spec.effect == "read" and spec.name not in _NOT_DEFAULT)
    return toolset in (ALL, spec.group)


def _known(what: str, given: Iterable[str], known: Iterable[str], problems: list[Problem]) -> list[str]:
    """The given names without their prefix; adds a problem for each that is unknown."""
    names = [each.strip().removeprefix(TOOL_PREFIX) for each in given if each.strip()]
    choices = tuple(known)
    for name in names:
        if name not in choices:
            near = difflib.get_close_matches(name, choices, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(choices)}"
            problems.append(Problem(what, f"there is none called {name[:64]!r}; {hint}"))
    return names

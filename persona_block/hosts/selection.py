"""Which operations a host offers: by toolset, by name, without some, or reads alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from ..block.prebuilt import manifest
from ..errors import InputError, Problem
from ..spec import catalog
from ..spec.grammar import TOOL_PREFIX, ToolSpec
from ..spec.nearest import nearest_name

GROUPS: tuple[str, ...] = tuple(catalog.groups())
"""The toolsets that hold one group of operations each, in reading order."""

DEFAULT = "default"
"""The toolset of the operations whose spec has `inDefaultToolset`: what reads, or begins something, and settles nothing."""

ALL = "all"
"""The toolset of every operation."""


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

        A toolset is one of `GROUPS`, `default` or `all`; where neither toolsets nor tools are named, it is `otherwise`. Tools
        may be named with or without `persona_`, and by an alias. Raises InputError that lists every unknown name.
        """
        problems: list[Problem] = []
        chosen_toolsets = _known_names("toolsets", toolsets, (*GROUPS, DEFAULT, ALL), problems)
        chosen_tools = _known_names("tools", map(_operation_name, tools), catalog.names(), problems)
        excluded_tools = _known_names("exclude", map(_operation_name, exclude), catalog.names(), problems)
        if problems:
            raise InputError("tools", problems)
        if not chosen_toolsets and not chosen_tools:
            chosen_toolsets = [otherwise]
        specs = [catalog.load(tool_id) for tool_id in manifest()["tools"]["access"]]
        return cls(
            tuple(
                spec.name
                for spec in specs
                if (spec.name in chosen_tools or any(_is_in_toolset(spec, toolset) for toolset in chosen_toolsets))
                and spec.name not in excluded_tools
                and (spec.effect == "read" or not read_only)
            )
        )

    def narrowed(self, other: Selection) -> Selection:
        """Return the operations that both selections offer."""
        return Selection(tuple(name for name in self.names if name in other.names))

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """The specs of the operations, in the same order."""
        return tuple(catalog.load(name) for name in self.names)


def _is_in_toolset(spec: ToolSpec, toolset: str) -> bool:
    if toolset == DEFAULT:
        return spec.in_default_toolset
    return toolset in (ALL, spec.group)


def _operation_name(name: str) -> str:
    return catalog.current_name(name.strip())


def _known_names(option: str, names: Iterable[str], known: Iterable[str], problems: list[Problem]) -> list[str]:
    """Return the names without prefix and blanks; adds a problem of `option` for each that is not among the known ones."""
    bare_names = [name.strip().removeprefix(TOOL_PREFIX) for name in names if name.strip()]
    choices = tuple(known)
    for name in bare_names:
        if name not in choices:
            nearest = nearest_name(name, choices)
            hint = f"did you mean {nearest}?" if nearest else f"there are {', '.join(choices)}"
            problems.append(Problem(option, f"there is none of this name; {hint}"))
    return bare_names

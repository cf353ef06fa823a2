"""The operations as data: the grammar of a spec file, the catalog of all specs, and the spelling of keys.

The names are imported on first use, because a module that only spells keys needs no grammar.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .catalog import load, load_all, names, operation
    from .grammar import OperationName, Param, ToolSpec

_HOMES = {"catalog": ("load", "load_all", "names", "operation"), "grammar": ("OperationName", "Param", "ToolSpec")}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOME_OF[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})


__all__ = ["OperationName", "Param", "ToolSpec", "load", "load_all", "names", "operation"]

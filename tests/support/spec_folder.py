"""A copy of `tool_specs/` that a test may change, read by the package instead of the original."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from persona_block.spec import resources


@contextmanager
def spec_folder(folder: Path) -> Iterator[Path]:
    """Copy the specs into a new folder and make the package read that one while the context lasts."""
    copy = Path(shutil.copytree(resources.specs(), folder / "tool_specs"))
    _forget()
    try:
        with mock.patch.object(resources, "specs", return_value=copy):
            yield copy
    finally:
        _forget()


def _forget() -> None:
    """Empty every cache of the package, since what is made from the specs is kept in many places."""
    modules = [module for name, module in sys.modules.items() if f"{name}.".startswith("persona_block.")]
    for cached in [each for module in modules for each in vars(module).values() if hasattr(each, "cache_clear")]:
        cached.cache_clear()

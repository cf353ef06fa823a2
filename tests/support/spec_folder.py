"""A copy of `tool_specs/` that a test may change, read by the catalog instead of the original."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from persona_block.spec import catalog, resources


@contextmanager
def spec_folder(folder: Path) -> Iterator[Path]:
    """Copy the specs into a new folder and make the catalog read that one while the context lasts."""
    copy = Path(shutil.copytree(resources.specs(), folder / "tool_specs"))
    _forget()
    try:
        with mock.patch.object(resources, "specs", return_value=copy):
            yield copy
    finally:
        _forget()


def _forget() -> None:
    """Empty every cache of the catalog."""
    for cached in vars(catalog).values():
        if hasattr(cached, "cache_clear"):
            cached.cache_clear()

"""The folders of the package's data: inside the package once it is installed, beside it in a checkout."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


@cache
def folder(name: str) -> Path:
    """Return the data folder `name` (`tool_specs` or `icons`); raises FileNotFoundError where there is none."""
    packaged = _PACKAGE / name
    if packaged.is_dir():
        return packaged
    checkout = _PACKAGE.parent
    if (checkout / "pyproject.toml").is_file() and (checkout / name).is_dir():
        return checkout / name
    raise FileNotFoundError(f"persona_block was installed without its {name}; install it again")


def specs() -> Path:
    """Return the folder of the operations."""
    return folder("tool_specs")


def icon(name: str = "persona.svg") -> str:
    """Return the text of an SVG icon."""
    return (folder("icons") / name).read_text("utf-8")

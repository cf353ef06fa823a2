"""Where the package's data is: installed beside the code, or in a checkout beside the package."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


@cache
def folder(name: str) -> Path:
    """The data folder `name` (`tool_specs` or `icons`); raises FileNotFoundError where there is none."""
    packaged = _PACKAGE / name
    if packaged.is_dir():
        return packaged
    checkout = _PACKAGE.parent
    if (checkout / "pyproject.toml").is_file() and (checkout / name).is_dir():
        return checkout / name
    raise FileNotFoundError(f"persona_block was installed without its {name}; install it again")


def specs() -> Path:
    """The folder of the operations."""
    return folder("tool_specs")


def icon(name: str = "persona.svg") -> str:
    """The text of an SVG icon."""
    return (folder("icons") / name).read_text("utf-8")

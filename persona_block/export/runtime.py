"""The JavaScript runtime of the manifest, for blocks that run on one."""

from __future__ import annotations

from ..spec import resources


def javascript_runtime() -> dict[str, str]:
    """Return the runtime's modules by their file names; raises FileNotFoundError where the installation lacks them."""
    folder = resources.folder("runtimes") / "javascript" / "src"
    return {path.name: path.read_text("utf-8") for path in sorted(folder.glob("*.mjs"))}

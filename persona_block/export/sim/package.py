"""The files of the Sim block."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

from ..folder import write_files
from ..runtime import javascript_runtime
from .block import block_file
from .tools import export_name, index_file, manifest_file, tool_file

RUNTIME = ("answer.mjs", "json.mjs", "params.mjs", "request.mjs")
"""The modules of the JavaScript runtime that tools need; none of them needs Node, since Sim reads tools in browsers too."""

_TEMPLATE = Path(__file__).parent / "template"
_TOOLS = "tools/persona"


def export(manifest: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write the block of a manifest into a folder laid out as Sim's `apps/sim`, and return its files.

    The same manifest gives the same bytes. Raises OSError.
    """
    definitions = manifest["tools"]["definitions"]
    sources = sorted(path for path in _TEMPLATE.rglob("*") if path.suffix in (".ts", ".mts"))
    modules = javascript_runtime()
    files = {
        "NOTES.md": _notes(manifest),
        "blocks/blocks/persona.ts": block_file(manifest),
        "components/persona-icon.tsx": _icon(manifest["icon"]),
        f"{_TOOLS}/index.ts": index_file(definitions),
        f"{_TOOLS}/manifest.ts": manifest_file(manifest),
    }
    files |= {path.relative_to(_TEMPLATE).as_posix(): path.read_text("utf-8") for path in sources}
    files |= {f"{_TOOLS}/runtime/{name}": modules[name] for name in RUNTIME}
    files |= {f"{_TOOLS}/{definition['name']}.ts": tool_file(definitions, definition) for definition in definitions}
    return write_files(folder, files)


def _icon(svg: str) -> str:
    """Return a React component of an SVG: JSX writes the names of attributes in camel case, all but those of `aria-`."""
    markup = re.sub(
        r" (?!aria-)([a-z]+)-([a-z])([a-z]*)=", lambda match: f" {match[1]}{match[2].upper()}{match[3]}=", svg.strip()
    )
    lines = markup.replace("<svg ", "<svg {...props} ", 1).splitlines()
    return ICON_FILE.format(markup="\n".join(f"    {line}" for line in lines))


def _notes(manifest: Mapping[str, Any]) -> str:
    names = sorted(definition["name"] for definition in manifest["tools"]["definitions"])
    ids = {definition["name"]: definition["id"] for definition in manifest["tools"]["definitions"]}
    return Template((_TEMPLATE / "NOTES.md").read_text("utf-8")).substitute(
        version=manifest["version"],
        count=len(names),
        tool_imports="\n".join(f"  {export_name(name)}," for name in names),
        tool_entries="\n".join(f"  {ids[name]}: {export_name(name)}," for name in names),
    )


ICON_FILE = """\
import type {{ SVGProps }} from 'react'

export function PersonaIcon(props: SVGProps<SVGSVGElement>) {{
  return (
{markup}
  )
}}
"""

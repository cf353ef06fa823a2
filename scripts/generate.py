"""Write the files that are made from others: `make generate`.

They are the types of every call, the JSON Schemas of a spec and of the manifest, the test vectors, the tables and the count of
operations in the documentation and its page for each of them, the picture of the demo, and the snapshots that the tests
compare with. Two runs give the same bytes.
"""

from __future__ import annotations

import asyncio
import html
import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest import mock

from persona_block.block import manifest_schema, prebuilt
from persona_block.block.build import manifest
from persona_block.sandbox import OUTCOMES, Sandbox, Settings
from persona_block.spec import catalog
from scripts.operation_pages import operation_pages
from scripts.typed_calls import typed_files
from scripts.vectors import vectors

ROOT = Path(__file__).resolve().parents[1]
STORED_MANIFEST = ROOT / "tool_specs" / prebuilt.STORED
TOOL_SNAPSHOTS = ROOT / "tests/snapshots/tools"
MANIFEST_SCHEMA = ROOT / "tool_specs/shared/manifest.schema.json"
VECTORS = ROOT / "tool_specs/shared/vectors.json"
SPEC_SCHEMA = ROOT / "tool_specs/shared/spec.schema.json"
TYPES = ROOT / "persona_block/typed"
OPERATION_PAGES = ROOT / "docs/operations"
PICTURE = ROOT / "docs/demo.svg"

_LINE_WIDTH = 160
_LINE_HEIGHT = 19
_MOMENT = 1_767_603_600.0
"""The moment at which the pictured demo plays, in seconds since the epoch: 2026-01-05, 09:00 UTC."""


# --- documentation ---------------------------------------------------------------------------------------------------------


def operations_table() -> str:
    """Return the table of all operations, in the order of their use."""
    rows = [
        f"| `{spec.name}` | {spec.group} | {spec.effect} | {spec.description.partition('. ')[0].rstrip('.')} |"
        for spec in catalog.in_order_of_use()
    ]
    return "\n".join(["| operation | group | effect | what it does |", "| --- | --- | --- | --- |", *rows])


def outcomes_table() -> str:
    """Return the table of the names that steer the offline Persona."""
    rows = [f"| {outcome.name} | {outcome.means} |" for outcome in OUTCOMES]
    return "\n".join(["| name | what happens |", "| --- | --- |", *rows])


def documents() -> list[Path]:
    """Return the documentation that may hold something made: the README and the files in `docs/`."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def document(text: str) -> str:
    """Return a document with its tables and its count of operations made anew.

    A table stands between `<!-- operations -->` (or `outcomes`) and `<!-- /operations -->`, each on a line of its own.
    """
    for name, table in (("operations", operations_table()), ("outcomes", outcomes_table())):
        section = re.compile(rf"(?<=^<!-- {name} -->\n).*?(?=^<!-- /{name} -->$)", re.DOTALL | re.MULTILINE)
        text = section.sub(f"{table}\n".replace("\\", r"\\"), text)
    return re.sub(r"\b\d+(?= declarative operations\b)", str(len(catalog.names())), text)


# --- the picture -----------------------------------------------------------------------------------------------------------


def demo_picture() -> str:
    """Return what the demo prints, as an SVG of a terminal."""
    shown = ["$ make demo", *_demo_lines()]
    width = 8 * max(map(len, shown)) + 40
    height = _LINE_HEIGHT * len(shown) + 36
    text = "".join(
        f'<text x="20" y="{32 + index * _LINE_HEIGHT}">{html.escape(line) or " "}</text>\n' for index, line in enumerate(shown)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img"'
        f' aria-label="The steps of one simulated onboarding, as the demo prints them">\n'
        f'<rect width="100%" height="100%" rx="8" fill="#11151c"/>\n'
        '<g fill="#d7dde8" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="13" xml:space="preserve">\n'
        f"{text}</g>\n</svg>\n"
    )


def _demo_lines() -> list[str]:
    """Return the lines of a demo at a fixed moment, without what differs by machine: folder, time taken, size of the PDF."""
    from persona_block.cli.demo import run_demo

    lines: list[str] = []
    with tempfile.TemporaryDirectory() as folder, mock.patch("time.time", return_value=_MOMENT):
        sandbox = Sandbox(speed=0, settings=Settings(report_delay=0, import_delay=0))
        asyncio.run(run_demo(Path(folder) / "persona-demo", lambda text: lines.extend(text.split("\n")), sandbox))
    text = "\n".join(lines).replace(f"{folder}/", "")
    text = re.sub(r"([?]code=\S{6})\S+", r"\1…,", text)
    text = re.sub(r"(?<=\.pdf), \d+ bytes", "", text)
    return re.sub(r"^Done in [\d.]+ s\.", "Done.", text, flags=re.MULTILINE).split("\n")


# --- snapshots -------------------------------------------------------------------------------------------------------------


def stored_manifest() -> dict[str, Any]:
    """Return the manifest as it is written down: without its version, and with the digest of what it was made from."""
    return {"sources": prebuilt.sources_digest(), "manifest": manifest() | {"version": None}}


async def tool_snapshots() -> dict[str, dict[str, Any]]:
    """Return each operation as an MCP client is told of it, by the name of the tool."""
    from mcp import Client

    from persona_block.hosts import Selection
    from persona_block.hosts.mcp import Options, create_server

    async with Client(create_server(Options(selection=Selection.of()), api_key="unused"), mode="legacy") as client:
        listed = (await client.list_tools()).tools
    return {tool.name: tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in listed}


def compact_json(value: Any, indent: str = "") -> str:
    """Return JSON with everything on one line that fits there, so that a change shows as few lines."""
    line = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(line) <= _LINE_WIDTH or not isinstance(value, dict | list):
        return line
    deeper = indent + " "
    if isinstance(value, dict):
        entries = [f"{deeper}{json.dumps(name)}: {compact_json(entry, deeper)}" for name, entry in value.items()]
        return "{\n" + ",\n".join(entries) + f"\n{indent}}}"
    return "[\n" + ",\n".join(deeper + compact_json(entry, deeper) for entry in value) + f"\n{indent}]"


def compact_ascii(vectors: Mapping[str, Any]) -> str:
    """Return the vectors as ASCII, an entry a line; some hold lone surrogates, which no UTF-8 does."""
    lists = {name: entries for name, entries in vectors.items() if isinstance(entries, list)}
    parts = [f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in vectors.items() if name not in lists]
    for name, entries in lists.items():
        parts.append(f"{json.dumps(name)}: [\n" + ",\n".join(json.dumps(entry) for entry in entries) + "\n]")
    return "{\n" + ",\n".join(parts) + "\n}"


# --- all of them -----------------------------------------------------------------------------------------------------------


def generated_files() -> Mapping[Path, str]:
    """Return the text of every file that is made, by its path."""
    files = {
        SPEC_SCHEMA: json.dumps(catalog.grammar_schema(), indent=2),
        MANIFEST_SCHEMA: compact_json(manifest_schema()),
        STORED_MANIFEST: compact_json(stored_manifest()),
        VECTORS: compact_ascii(vectors()),
    }
    for name, tool in asyncio.run(tool_snapshots()).items():
        files[TOOL_SNAPSHOTS / f"{name}.json"] = json.dumps(tool, indent=1, ensure_ascii=False)
    texts = {path: f"{text}\n" for path, text in files.items()}
    texts |= {path: document(path.read_text("utf-8")) for path in documents()}
    texts |= operation_pages(OPERATION_PAGES, operations_table())
    return texts | typed_files(TYPES) | {PICTURE: demo_picture()}


def main() -> None:
    """Write every file that is made, and remove the snapshots and pages of operations that are gone."""
    files = generated_files()
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    for path in {*TOOL_SNAPSHOTS.glob("*.json"), *OPERATION_PAGES.glob("*.md")} - set(files):
        path.unlink()


if __name__ == "__main__":
    main()

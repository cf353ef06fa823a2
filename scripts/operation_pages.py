"""The pages of the documentation that tell of one operation each, and their index, made from the specs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from persona_block.cli.show import example
from persona_block.spec import catalog
from persona_block.spec.grammar import Param, ToolSpec
from scripts.typed_dicts import output_name, params_name

INDEX = "index.md"
_NOTE = "<!-- `make generate` writes this from the specs. -->"
_TYPES = {"date": "date", "date-time": "time", "file": "file", "id-list": "list", "list": "list"}
"""What the type of a param is called where its format says more than its JSON type."""


def operation_pages(folder: Path, table: str) -> dict[Path, str]:
    """Return the text of each operation's page and of their index, by its path below `folder`.

    table: the table of all operations, whose names become links.
    """
    pages = {folder / f"{spec.name}.md": "\n".join(_page(spec)) for spec in catalog.load_all()}
    linked = table
    for name in catalog.names():
        linked = linked.replace(f"| `{name}` |", f"| [`{name}`]({name}.md) |")
    effects = "\n".join(f"- *{name}*: {text}" for name, text in _effects().items())
    intro = f"In the order of their use. What an operation does to the world is its effect:\n\n{effects}"
    return pages | {folder / INDEX: f"# Operations\n\n{_NOTE}\n\n{intro}\n\n{linked}\n"}


def _effects() -> Mapping[str, str]:
    effects: Mapping[str, str] = catalog.read("block.json")["grammar"]["effects"]
    return effects


def _page(spec: ToolSpec) -> Iterator[str]:
    """Yield the lines of an operation's page."""
    yield f"# {spec.name}\n\n{_NOTE}"
    yield f"\n{spec.description}\n"
    yield f"- Request: `{spec.request.method} {spec.request.path}`"
    yield f"- Effect: *{spec.effect}*. {_effects()[spec.effect]}"
    yield f"- Group: {catalog.groups()[spec.group]}; for an agent it is the tool `{spec.tool_id}`"
    if spec.aliases:
        yield f"- Former names: {', '.join(f'`{alias}`' for alias in spec.aliases)}"
    yield f"- Types: `{params_name(spec)}` and `{output_name(spec)}` of `persona_block.typed`"
    yield f"\n```sh\n{example(spec)}\n```\n"
    yield f"```python\n{_python(spec)}\n```\n"
    yield "## Params\n"
    if spec.params:
        yield "| param | type | needed | what it is |\n| --- | --- | --- | --- |"
        for name, param in spec.params.items():
            yield f"| `{name}` | {_TYPES.get(param.format or '', param.type)} | {_needed(spec, name)} | {_param_text(param)} |"
        if spec.require_any:
            yield f"\nAt least one of {_listed(spec.require_any)} has to be given."
    else:
        yield "None."
    yield "\nBeside these, `apiKey` takes the API key of this call.\n"
    yield "## Output\n"
    yield "| output | type | what it is |\n| --- | --- | --- |"
    for name, schema in spec.output.items():
        yield from _output_rows(name, schema)
    yield from _more(spec)
    yield ""


def _python(spec: ToolSpec) -> str:
    """Return a call in Python, with example values."""
    params = {name: _example_value(spec.params[name]) for name in (*spec.required, *spec.require_any[:1])}
    given = "".join(f'        "{name}": {_literal(value)},\n' for name, value in params.items())
    call = f'\n    "{spec.name}",\n    {{\n{given}    }},\n' if given else f'"{spec.name}"'
    if spec.paginate:
        return f'async for page in runner.paginate({call}):\n    print(page["{spec.paginate.items}"])'
    return f"output = await runner.{'wait' if spec.then else 'call'}({call})"


def _example_value(param: Param) -> Any:
    text = (param.enum or (param.placeholder,))[0]
    return json.loads(text) if text and param.type in ("object", "array", "integer") else text


def _literal(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _needed(spec: ToolSpec, name: str) -> str:
    if name in spec.required:
        return "yes"
    return "one of these" if name in spec.require_any else ""


def _param_text(param: Param) -> str:
    choices = f" One of {_listed(param.enum)}." if param.enum else ""
    return _cell(param.description + choices)


def _output_rows(name: str, schema: Mapping[str, Any], within: str = "") -> Iterator[str]:
    """Yield a row for an output, and one for each property of what it holds."""
    kind = schema["type"]
    array = "[]" if kind == "array" or "array" in kind else ""
    path = f"{within}{name}{array}"
    types = kind if isinstance(kind, str) else " or ".join(kind)
    yield f"| `{path}` | {types} | {_cell(schema.get('description', ''))} |"
    holder = schema.get("items", schema)
    for part, shape in holder.get("properties", {}).items():
        yield from _output_rows(part, shape, f"{path}.")


def _more(spec: ToolSpec) -> Iterator[str]:
    """Yield what there is to know beside params and outputs: paging, waiting, and what follows."""
    if spec.paginate:
        yield (
            f"\n## Pages\n\n`runner.paginate` and `--all` follow `{spec.paginate.next}` to the end; a single call takes it as"
            f" `{spec.paginate.cursor}`."
        )
    if spec.wait:
        minutes = spec.wait.delay * spec.wait.attempts / 60
        yield (
            f"\n## Waiting\n\n`runner.wait` and `--wait` read it again until it is {_listed(spec.wait.success)}, after"
            f" {spec.wait.delay:g} seconds and then ever less often, for {_duration(minutes)} unless told otherwise."
        )
        if spec.wait.failure:
            yield f"Where it ends as {_listed(spec.wait.failure)}, that is an error."
    if spec.then:
        yield (
            f"\n## Waiting\n\nWhat it starts is read with [`{spec.then.operation}`]({spec.then.operation}.md);"
            " `runner.wait` and `--wait` do both."
        )
    if spec.effect == "decide":
        yield "\n## Before it is sent\n\nAgents' tools and the terminal show a person the object and take a clear yes."
    if spec.effect == "erase":
        yield "\n## Before it is sent\n\nAgents' tools and the terminal show a person the object, and have them type its id."


def _duration(minutes: float) -> str:
    return f"{minutes:g} minutes" if minutes < 120 else f"{minutes / 60:g} hours"


def _listed(names: tuple[str, ...]) -> str:
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")

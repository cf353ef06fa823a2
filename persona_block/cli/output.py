"""What `run` prints on stdout: the JSON envelope for programs, a table for people, CSV and lines of JSON for other tools."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import InputError, Problem
from .tables import print_items, print_record
from .terminal import escaped, is_terminal, print_error

if TYPE_CHECKING:
    from ..call.result import ToolResult
    from ..spec.grammar import ToolSpec

FORMATS = ("json", "table", "csv", "ndjson")

_FIRST = ("id", "name", "type", "status", "referenceId", "createdAt")
"""The properties that a table shows first, where nobody says which."""
_FORMULA = re.compile(r"\A(?=[\t\r\n])|(?:\A|(?<=[;\t\r\n]))(?=\s*[=+@\uff1d\uff0b\uff0d\uff20-])")
"""Where a spreadsheet would take what follows for a formula, full-width signs too: at the beginning of a cell, and within
it behind what a spreadsheet that parts cells at semicolons or tabs takes for its end.

Source: owasp.org/www-community/attacks/CSV_Injection.
"""


@dataclass(frozen=True)
class Layout:
    """How a result is printed.

    format: one of FORMATS. fields: the paths of the properties to show, in their order; none shows what there is.
    """

    format: str
    fields: tuple[str, ...] = ()

    @classmethod
    def default(cls) -> Layout:
        """Return how a result is printed where nobody says it: a table on a terminal, JSON elsewhere."""
        return cls("table" if is_terminal(sys.stdout) else "json")


class Part:
    """The part of an operation's output that a person came for: the items of a list, the one object, or all of it."""

    def __init__(self, spec: ToolSpec) -> None:
        objects = [name for name, schema in spec.output.items() if schema["type"] == "object"]
        self.name = spec.paginate.items if spec.paginate else objects[0] if len(spec.output) == len(objects) == 1 else None
        """The output that holds it; None for all outputs."""
        self.is_list = spec.paginate is not None
        self.next = spec.paginate.next if spec.paginate else None
        """The output that says where a list goes on."""
        schema = spec.output[self.name] if self.name else {"properties": spec.output}
        self.properties: dict[str, Any] = schema.get("items", schema).get("properties", {})

    def things(self, output: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the objects to show; none where the output is empty, as that of a failed call."""
        part = output.get(self.name) if self.name else output
        if not part:
            return []
        return list(part) if isinstance(part, list) else [dict(part)]


def chosen_fields(text: str | None, spec: ToolSpec) -> tuple[str, ...]:
    """Return the properties that `--fields` names; raises InputError for one that the output has not, by its place."""
    if text is None:
        return ()
    from ..spec.nearest import nearest_name

    known = Part(spec).properties
    names = [name.strip() for name in text.split(",")]
    problems = []
    for number, name in enumerate(names, 1):
        if name.partition(".")[0] not in known:
            nearest = nearest_name(name, known, cutoff=0.5)
            hint = f"did you mean {nearest}?" if nearest else f"there are {', '.join(known)}"
            problems.append(Problem("--fields", f"entry {number} is no property of what {spec.name} gives; {hint}"))
    if problems:
        raise InputError(spec.name, problems)
    return tuple(names)


def print_result(result: ToolResult, layout: Layout, spec: ToolSpec | None) -> None:
    """Print a result; where it failed, what had been read by then, and in JSON the whole envelope."""
    if layout.format == "json" or spec is None:
        if layout.format == "json":
            print_json(_envelope(result, layout, spec))
        return
    part = Part(spec)
    things = part.things(result.output)
    if layout.format == "ndjson":
        for thing in things:
            print_json(_selected(thing, layout.fields), indent=None)
    elif layout.format == "csv":
        _print_csv(things, layout.fields or tuple(part.properties), is_wanted=result.success or bool(things))
    else:
        _print_table(things, part, layout.fields, result.success)
    if part.next and result.output.get(part.next):
        print_error(f"There is more: add --all, or {_cursor_param(spec)}={result.output[part.next]}")


def _cursor_param(spec: ToolSpec) -> str:
    return spec.paginate.cursor if spec.paginate else ""


def _envelope(result: ToolResult, layout: Layout, spec: ToolSpec | None) -> dict[str, Any]:
    """Return the envelope, whose output holds the chosen properties alone."""
    envelope = result.to_dict()
    if spec is None or not layout.fields or not envelope["output"]:
        return envelope
    part = Part(spec)
    things = [_selected(thing, layout.fields) for thing in part.things(envelope["output"])]
    if part.name is None:
        output: dict[str, Any] = things[0]
    elif part.is_list:
        output = envelope["output"] | {part.name: things}
    else:
        output = {part.name: things[0]} if things else {}
    return envelope | {"output": output}


def _selected(thing: Mapping[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    return {path: _at(thing, path) for path in fields} if fields else dict(thing)


def _at(thing: Any, path: str) -> Any:
    """Return what stands at a path of names with dots between them; None where there is nothing."""
    for name in path.split("."):
        thing = thing.get(name) if isinstance(thing, Mapping) else None
    return thing


# --- tables ----------------------------------------------------------------------------------------------------------------


def _print_table(things: list[dict[str, Any]], part: Part, fields: tuple[str, ...], succeeded: bool) -> None:
    if part.is_list and not things and succeeded:
        print_error("There are none.")
    elif part.is_list and things:
        plain = [name for name, schema in part.properties.items() if _is_plain(schema)]
        columns = fields or tuple(sorted(plain, key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST)))
        print_items(columns, [[_text(_at(thing, path)) for path in columns] for thing in things], chosen=bool(fields))
    for thing in [] if part.is_list else things:
        pairs = [(path, _text(_at(thing, path))) for path in fields] if fields else list(_leaves(thing))
        print_record(pairs)


def _is_plain(schema: Mapping[str, Any]) -> bool:
    """Return whether a property holds one plain value, which a column can show."""
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return not {"object", "array"}.intersection(types)


def _leaves(thing: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield path and text of everything that says something, the entries of objects each on their own; objects last."""
    nested = {name: value for name, value in thing.items() if isinstance(value, Mapping)}
    for name, value in thing.items():
        if name not in nested and value not in (None, "", []):
            yield f"{prefix}{name}", _text(value)
    for name, value in nested.items():
        yield from _leaves(value, f"{prefix}{name}.")


def _text(value: Any) -> str:
    """Return a value as the text of a cell: lists of plain values with commas, anything deeper as JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and not any(isinstance(each, dict | list) for each in value):
        return ", ".join(map(_text, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


# --- CSV and JSON ----------------------------------------------------------------------------------------------------------


def _print_csv(things: list[dict[str, Any]], columns: Sequence[str], *, is_wanted: bool) -> None:
    """Print a row for each thing below one of names, and say where a cell was kept from being a formula."""
    if not is_wanted:
        return
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow([harmless(column) for column in columns])
    rows = [[_cell(_at(thing, path)) for path in columns] for thing in things]
    writer.writerows([[harmless(cell) if isinstance(cell, str) else cell for cell in row] for row in rows])
    text = lines.getvalue()
    if is_terminal(sys.stdout):
        text = "".join(f"{escaped(line)}\n" for line in text.split("\n")[:-1])
    _write(text.encode(sys.stdout.encoding or "utf-8", "backslashreplace").decode(sys.stdout.encoding or "utf-8"))
    count = sum(isinstance(cell, str) and harmless(cell) != cell for row in rows for cell in row)
    if count:
        print_error(f"Cells that a spreadsheet could take for a formula, and so have an apostrophe before it: {count}")


def harmless(cell: str) -> str:
    """Return the text of a cell so that no spreadsheet takes it for a formula: with an apostrophe before what would be one."""
    return _FORMULA.sub("'", cell)


def _cell(value: Any) -> str | int | float:
    """Return a value as a cell of a CSV file; numbers stay numbers."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return _text(value)


def print_json(value: Any, indent: int | None = 2) -> None:
    """Print one JSON document on stdout, with every character that cannot be seen, or not be written there, as its escape."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(value, indent=indent)
    if not text.replace("\n", "").isprintable():
        text = "".join(each if each.isprintable() or each == "\n" else _json_escape(each) for each in text)
    _write(f"{text}\n")


def _json_escape(character: str) -> str:
    """Return a character as JSON escapes it, in two halves beyond the first plane (RFC 8259, section 7)."""
    return f"\\u{ord(character):04x}" if character <= "\uffff" else json.dumps(character)[1:-1]


def _write(text: str) -> None:
    """Write text on stdout at once, so that what fails does so here."""
    sys.stdout.write(text)
    sys.stdout.flush()

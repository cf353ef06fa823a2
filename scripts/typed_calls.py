"""The methods and functions that take an operation's name, typed for each operation: one protocol of overloads for each.

An overload says the params and the output of its operation; the other arguments are those of the method itself, so that the
types cannot differ from it. The last overload is for a name that came as a variable and was checked.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from persona_block.blocking import BlockingRunner, run_sync
from persona_block.flows import calls, waits
from persona_block.runner import Runner
from persona_block.spec import catalog
from persona_block.spec.grammar import ToolSpec
from scripts.typed_dicts import (
    API_KEY_HOLDER,
    HEADER,
    WIDTH,
    docstring,
    nested_names,
    output_name,
    outputs_module,
    param_name,
    params_module,
    params_name,
    pascal,
    resource_names,
    resources_module,
)

Reach = Literal["all", "lists", "waits"]
"""Which operations it is for: every one, those with pages, or those with an end that can be waited for."""


@dataclass(frozen=True)
class Typed:
    """A method or function to type: its first argument is an operation's name, the second its params or rows of them."""

    function: Callable[..., Any]
    reach: Reach = "all"

    @property
    def name(self) -> str:
        """The name of the protocol."""
        return pascal(self.function.__name__)


TYPED: Mapping[str, tuple[Typed, ...]] = {
    "runner": (
        Typed(Runner.run),
        Typed(Runner.call),
        Typed(Runner.paginate, "lists"),
        Typed(Runner.wait, "waits"),
        Typed(Runner.map),
    ),
    "blocking": (
        Typed(BlockingRunner.run),
        Typed(BlockingRunner.call),
        Typed(BlockingRunner.paginate, "lists"),
        Typed(BlockingRunner.wait, "waits"),
        Typed(BlockingRunner.map),
        Typed(run_sync),
    ),
    "flows": (
        Typed(calls.call),
        Typed(calls.pages, "lists"),
        Typed(calls.map),
        Typed(waits.wait, "waits"),
    ),
}
"""What is typed, by the stub in `persona_block/typed/` that says how; the functions' own module takes `as_<name>` from it."""

_HOMES = {
    "collections.abc": (
        *("AsyncIterable", "AsyncIterator", "Callable", "Collection", "Coroutine", "Iterable", "Iterator", "Mapping"),
    ),
    "typing": ("Any", "Literal", "Protocol", "overload"),
    "..call.bulk": ("Mapped",),
    "..call.progress": ("Progress",),
    "..call.result": ("ToolResult",),
    "..credentials": ("ApiKey",),
    "..files.store": ("FileStore",),
    "..spec.grammar": ("OperationName",),
}
"""Where the names in the signatures come from, but for those of the TypedDicts."""


def typed_files(folder: Path) -> dict[Path, str]:
    """Return the text of every module of types, by its path."""
    texts = {"resources": resources_module(), "params": params_module(), "outputs": outputs_module(), "__init__": _face()}
    return {folder / f"{name}.py": text for name, text in texts.items()} | {
        folder / f"{name}.pyi": calls_module(name, entries) for name, entries in TYPED.items()
    }


def calls_module(name: str, entries: tuple[Typed, ...]) -> str:
    """Return the module with the protocols of some methods or functions, and what types each of these as its protocol."""
    protocols = [_protocol(entry) for entry in entries]
    decorators = [_decorator(entry) for entry in entries]
    body = "\n\n".join([*protocols, "\n".join(decorators)])
    header = HEADER.format(f"The calls of `persona_block.{name}`, typed for each operation").partition("\n")[0]
    # Mypy takes an operation's name, written out, for one that may be an OperationName too.
    return f'{header}\n\n# mypy: disable-error-code="overload-overlap"\n\n{_imports(body)}\n{body}\n'


def _imports(body: str) -> str:
    """Return the import lines for the names that a body holds."""
    words = set(re.findall(r"\w+", body))
    dicts = {
        ".outputs": [output_name(spec) for spec in catalog.load_all()],
        ".params": [named(spec) for spec in catalog.load_all() for named in (param_name, params_name)],
    }
    lines: list[str] = []
    for home, names in ({**_HOMES, **dicts}).items():
        used = sorted(words.intersection(names), key=lambda name: (not name.isupper(), name))
        if not used:
            continue
        lines += [""] if home.startswith("..") and not any(line.startswith("from ..") for line in lines) else []
        lines.append(_import(home, used))
    return "\n".join(lines) + "\n"


def _import(home: str, names: Sequence[str]) -> str:
    line = f"from {home} import {', '.join(names)}"
    return line if len(line) <= WIDTH else f"from {home} import (\n    " + ",\n    ".join(names) + ",\n)"


def _face() -> str:
    """Return the face of the package: it hands on every TypedDict."""
    specs = catalog.load_all()
    handed_on = {
        "outputs": sorted(output_name(spec) for spec in specs),
        "params": sorted([API_KEY_HOLDER, "FileParam", "Readable", *(params_name(spec) for spec in specs)]),
        "resources": sorted({*resource_names().values(), *nested_names()}),
    }
    imports = [_import(f".{home}", names) for home, names in handed_on.items()]
    listed = sorted(name for names in handed_on.values() for name in names)
    text = HEADER.format("The types of params, outputs and resources, for annotations")
    return text + "\n".join(["", *imports, "", "__all__ = [", *(f'    "{name}",' for name in listed), "]", ""])


# --- protocols -------------------------------------------------------------------------------------------------------------


def _protocol(entry: Typed) -> str:
    specs = [spec for spec in catalog.in_order_of_use() if _reaches(entry.reach, spec)]
    named = "The name of an operation that came as a variable, checked by `persona_block.operation`."
    overloads = [_overload(entry, _types_of(spec, entry.reach), spec.description) for spec in specs]
    overloads.append(_overload(entry, _CHECKED_NAME, named))
    title = docstring(f"`{entry.function.__qualname__}`, for each operation.")
    return f"class {entry.name}(Protocol):\n{title}\n\n" + "\n\n".join(overloads)


def _reaches(reach: Reach, spec: ToolSpec) -> bool:
    if reach == "lists":
        return spec.paginate is not None
    return reach == "all" or spec.wait is not None or spec.then is not None


def _types_of(spec: ToolSpec, reach: Reach) -> dict[str, str]:
    """Return the types of an operation, by the words that they take the place of in a signature."""
    params = params_name(spec)
    given = catalog.load(spec.then.operation) if reach == "waits" and spec.then else spec
    return {
        "operation": f'Literal["{spec.name}"]',
        "Params": params,
        "Params | None": params if spec.required else f"{params} | None",
        **_types_around(params, output_name(given)),
        "RowKey": f"Callable[[{params}], object] | {param_name(spec)}",
    }


def _types_around(params: str, output: str) -> dict[str, str]:
    return {
        "Output": output,
        "ToolResult": f"ToolResult[{output}]",
        "Mapped": f"Mapped[{output}]",
        "Rows": f"Iterable[{params}] | AsyncIterable[{params}]",
        "RowKey": f"Callable[[{params}], object] | str",
        "Until": f"Collection[str] | Callable[[{output}], bool]",
    }


_CHECKED_NAME = {
    "operation": "OperationName",
    "Params": "Mapping[str, Any]",
    "Params | None": "Mapping[str, Any] | None",
    **_types_around("Mapping[str, Any]", "dict[str, Any]"),
}


def _overload(entry: Typed, types: Mapping[str, str], description: str) -> str:
    """Return the signature of a function with the types of one operation in the place of the general ones."""
    signature = inspect.signature(entry.function)
    arguments = ["self"]
    keywords_begin = False
    for name, parameter in signature.parameters.items():
        if name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not keywords_begin:
            keywords_begin = True
            arguments.append("*")
        annotation = types["operation"] if name == "operation" else _typed(parameter.annotation, types)
        has_default = parameter.default is not parameter.empty and (name != "params" or annotation.endswith("None"))
        arguments.append(f"{name}: {annotation}" + (f" = {parameter.default!r}" if has_default else ""))
    start = f"    {'async ' if inspect.iscoroutinefunction(entry.function) else ''}def __call__("
    end = f") -> {_typed(signature.return_annotation, types)}:"
    lines = ["    @overload", *_wrapped(start, arguments, end), docstring(description, " " * 8)]
    return "\n".join(lines)


def _typed(annotation: str, types: Mapping[str, str]) -> str:
    """Return an annotation with each general type in it replaced."""
    if annotation in types:
        return types[annotation]
    return re.sub(r"\b(?<!\.)\w+\b", lambda word: types.get(word[0], word[0]), annotation)


def _wrapped(start: str, arguments: Sequence[str], end: str) -> list[str]:
    """Return a call or signature on as many lines as ruff gives it."""
    line = start + ", ".join(arguments) + end
    if len(line) <= WIDTH:
        return [line]
    indent = start[: len(start) - len(start.lstrip())]
    inner = f"{indent}    {', '.join(arguments)}"
    if len(inner) <= WIDTH:
        return [start, inner, indent + end]
    return [start, *(f"{indent}    {each}," if each != "*" else f"{indent}    *," for each in arguments), indent + end]


def _decorator(entry: Typed) -> str:
    name = entry.function.__name__
    return f"def as_{name}(function: Callable[..., Any]) -> {entry.name}: ..."

"""The specs as TypedDicts: the params and the output of each operation, and the resources that outputs hold."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import PurePosixPath
from typing import Any

from persona_block.spec import catalog
from persona_block.spec.grammar import Param, ToolSpec

WIDTH = 127
"""Characters of a line, as ruff is told."""
HEADER = '"""{}; `make generate` writes this from the specs."""\n'
API_KEY_HOLDER = "ApiKeyParam"
"""The TypedDict of the param that every operation takes."""

_PLAIN_TYPES = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


def params_name(spec: ToolSpec) -> str:
    """Return the name of the TypedDict of an operation's params."""
    return f"{pascal(spec.name)}Params"


def param_name(spec: ToolSpec) -> str:
    """Return the name of the type of the names of an operation's params."""
    return f"{pascal(spec.name)}Param"


def output_name(spec: ToolSpec) -> str:
    """Return the name of the TypedDict of an operation's output."""
    return f"{pascal(spec.name)}Output"


def pascal(name: str) -> str:
    """Return a name in snake_case, kebab-case or camelCase as that of a class."""
    return "".join(word[:1].upper() + word[1:] for word in name.replace("-", "_").split("_"))


def docstring(text: str, indent: str = "    ") -> str:
    """Return a text as a docstring, wrapped where it is longer than a line."""
    escaped = text.replace("\\", "\\\\").replace('"""', r"\"\"\"")
    escaped = escaped[:-1] + '\\"' if escaped.endswith('"') else escaped
    line = f'{indent}"""{escaped}"""'
    if len(line) <= WIDTH:
        return line
    wrapped = textwrap.wrap(escaped, WIDTH - len(indent) - 3, break_long_words=False, break_on_hyphens=False)
    return "\n".join([f'{indent}"""{wrapped[0]}', *(indent + each for each in wrapped[1:]), f'{indent}"""'])


# --- params ----------------------------------------------------------------------------------------------------------------


def params_module() -> str:
    """Return the module with the TypedDict of each operation's params."""
    specs = catalog.load_all()
    imports = (
        "\nfrom collections.abc import Mapping\nfrom os import PathLike\n"
        "from typing import Any, Literal, NotRequired, Protocol, TypedDict\n\n"
        "from ..credentials import ApiKey\nfrom ..files.reference import FileRef\n\n\n"
        "class Readable(Protocol):\n"
        '    """A file-like object whose `read` gives bytes."""\n\n'
        "    def read(self, size: int = ..., /) -> bytes:\n"
        '        """Return as many bytes, or fewer at the end; none after it."""\n'
        "        ...\n\n\n"
        "FileParam = str | PathLike[str] | bytes | bytearray | memoryview | Readable | FileRef | Mapping[str, Any]\n"
        '"""A file: a path, a storage URL, content, an open file, what a FileStore gave, or an object with a url."""'
        "\n\n\n"
    )
    parts = [_typed_dict(API_KEY_HOLDER, "The param that every operation takes.", [_api_key_field()])]
    for spec in specs:
        fields = [_param_field(name, param, name in spec.required) for name, param in spec.params.items()]
        parts.append(_typed_dict(params_name(spec), f"Params of {spec.name}.{_one_of(spec)}", fields, API_KEY_HOLDER))
        parts.append(_literal(param_name(spec), spec.params))
    return HEADER.format("What each operation takes") + imports + "\n\n\n".join(parts) + "\n"


def _one_of(spec: ToolSpec) -> str:
    return f" At least one of {', '.join(spec.require_any)} has to be given." if spec.require_any else ""


def _api_key_field() -> str:
    return _field("apiKey", "NotRequired[str | ApiKey]", catalog.api_key_param().description)


def _param_field(name: str, param: Param, required: bool) -> str:
    plain = _param_type(param)
    return _field(name, plain if required else f"NotRequired[{plain}]", param.description)


def _param_type(param: Param) -> str:
    """Return the plain type of a param; text, numbers and JSON that come in looser ways are taken at run time alone."""
    if param.format == "file":
        return "FileParam"
    if param.enum:
        return f"Literal[{', '.join(quoted(param.enum))}]"
    return {"object": "dict[str, Any]", "array": "list[str]"}.get(param.type) or _PLAIN_TYPES[param.type]


def quoted(values: Iterable[str]) -> list[str]:
    """Return texts as literals of Python."""
    return [f'"{value}"' for value in values]


# --- outputs ---------------------------------------------------------------------------------------------------------------


def outputs_module() -> str:
    """Return the module with the TypedDict of each operation's output."""
    specs = catalog.load_all()
    parts = []
    for spec in specs:
        raw_output: dict[str, Any] = catalog.read(f"{spec.name}.json")["output"]
        fields = [_field(name, schema_type(raw_output[name]), spec.output[name]["description"]) for name in raw_output]
        parts.append(_typed_dict(output_name(spec), f"Output of {spec.name}.", fields))
    names = ", ".join(sorted(resource_names().values()))
    imports = f"\nfrom typing import TypedDict\n\nfrom .resources import {names}\n\n\n"
    return HEADER.format("What each operation gives") + imports + "\n\n\n".join(parts) + "\n"


def resources_module() -> str:
    """Return the module with the TypedDicts of the resources that several outputs hold."""
    classes = {name: text for path, name in resource_names().items() for name, text in _classes_of(path, name).items()}
    imports = "\nfrom typing import Any, TypedDict\n\n\n"
    return HEADER.format("The resources that outputs hold") + imports + "\n\n\n".join(classes.values()) + "\n"


def nested_names() -> list[str]:
    """Return the names of the TypedDicts that resources hold, beside those of the resources."""
    return [each for path, name in resource_names().items() for each in _classes_of(path, name) if each != name]


def _classes_of(path: str, name: str) -> dict[str, str]:
    """Return the TypedDict of a resource by its name, after those of the objects in it."""
    resource = catalog.read(path)
    nested: dict[str, Mapping[str, Any]] = {}
    fields = [
        _field(key, schema_type(schema, name, key, nested), schema["description"])
        for key, schema in resource["properties"].items()
    ]
    owner = resource["description"].partition(":")[0].removesuffix(".")
    classes = {}
    for nested_name, schema in nested.items():
        inner = [_field(key, schema_type(part), part["description"]) for key, part in schema["properties"].items()]
        classes[nested_name] = _typed_dict(nested_name, f"A file of {owner[0].lower()}{owner[1:]}.", inner)
    return classes | {name: _typed_dict(name, resource["description"], fields)}


@cache
def resource_names() -> Mapping[str, str]:
    """Return the names of the resources' TypedDicts, by the files that describe the resources."""
    outputs = [catalog.read(f"{name}.json")["output"] for name in catalog.names()]
    paths = {
        part["$ref"]
        for output in outputs
        for schema in output.values()
        for part in (schema, schema.get("items", {}))
        if "$ref" in part
    }
    return {path: "StoredFile" if path == "shared/file.json" else pascal(PurePosixPath(path).stem) for path in sorted(paths)}


def schema_type(
    schema: Mapping[str, Any], owner: str = "", key: str = "", nested: dict[str, Mapping[str, Any]] | None = None
) -> str:
    """Return the type of an output's schema; objects with properties of their own are added to `nested`, named by the key.

    Every property is there in an output, so that none is optional; one that may be null is a union with None.
    """
    if "$ref" in schema:
        return resource_names()[schema["$ref"]]
    json_types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return " | ".join(_json_type(json_type, schema, owner, key, nested) for json_type in json_types)


def _json_type(
    json_type: str, schema: Mapping[str, Any], owner: str, key: str, nested: dict[str, Mapping[str, Any]] | None
) -> str:
    if json_type == "array":
        return f"list[{schema_type(schema['items'], owner, key, nested)}]"
    if json_type != "object":
        return _PLAIN_TYPES[json_type]
    if "properties" not in schema:
        return "dict[str, Any]"
    if nested is None:
        raise ValueError(f"an object with properties is nested too deeply at {owner}.{key}")
    same = [name for name, other in nested.items() if other["properties"] == schema["properties"]]
    name = same[0] if same else owner + pascal(key.removesuffix("s"))
    nested[name] = schema
    return name


# --- classes ---------------------------------------------------------------------------------------------------------------


def _literal(name: str, values: Iterable[str]) -> str:
    line = f"{name} = Literal[{', '.join(quoted(values))}]"
    if len(line) <= WIDTH:
        return line
    inner = "    " + ", ".join(quoted(values))
    within = inner if len(inner) <= WIDTH else "".join(f"    {each},\n" for each in quoted(values)).rstrip("\n")
    return f"{name} = Literal[\n{within}\n]"


def _typed_dict(name: str, description: str, fields: Sequence[str], base: str = "TypedDict") -> str:
    return f"class {name}({base}):\n{docstring(description)}\n\n" + "\n".join(fields)


def _field(name: str, annotation: str, description: str) -> str:
    return f"    {name}: {annotation}\n{docstring(description)}"

"""A tool as a Python function: its signature, types and docstring say what frameworks read from a function."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Protocol

from .answer import ToolAnswer
from .blocking import run_blocking
from .tool import Tool

_TYPES: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "array": list[Any],
    "object": dict[str, Any],
}


class Dispatcher(Protocol):
    """What calls tools, as a Toolbox does."""

    async def dispatch(self, name: str, arguments: Mapping[str, Any]) -> ToolAnswer:
        """Call a tool with the arguments that a model gave."""

    async def aclose(self) -> None:
        """Close the connections of this event loop."""


def make_callable(toolbox: Dispatcher, tool: Tool, *, is_blocking: bool) -> Callable[..., Any]:
    """Return a function that calls a tool and gives the text for a model."""

    async def call(*args: Any, **arguments: Any) -> str:
        # What is missing or unknown is told as by any tool, for a model to put right.
        known = {name: value for name, value in arguments.items() if name in signature.parameters}
        named = {**signature.bind_partial(*args, **known).arguments, **arguments}
        return (await toolbox.dispatch(tool.name, named)).content

    def call_blocking(*args: Any, **arguments: Any) -> str:
        async def once() -> str:
            try:
                return await call(*args, **arguments)
            finally:
                await toolbox.aclose()

        return run_blocking(once)

    function: Any = call_blocking if is_blocking else call
    signature = _signature(tool)
    function.__name__ = function.__qualname__ = tool.name
    function.__doc__ = _docstring(tool)
    function.__signature__ = signature
    function.__annotations__ = {name: each.annotation for name, each in signature.parameters.items()} | {"return": str}
    made: Callable[..., Any] = function
    return made


def _signature(tool: Tool) -> inspect.Signature:
    """Return a signature of keywords, the required ones first; what may be left out is None."""
    required = set(tool.input_schema.get("required", ()))
    properties = sorted(tool.input_schema["properties"].items(), key=lambda each: each[0] not in required)
    parameters = [
        inspect.Parameter(
            name,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=inspect.Parameter.empty if name in required else None,
            annotation=Annotated[_type(schema) if name in required else _type(schema) | None, schema["description"]],
        )
        for name, schema in properties
    ]
    return inspect.Signature(parameters, return_annotation=str)


def _type(schema: Mapping[str, Any]) -> Any:
    """Return the Python type of a JSON Schema."""
    if "enum" in schema:
        return Literal[tuple(schema["enum"])]
    if schema["type"] == "array":
        return list[_type(schema["items"])]  # type: ignore[misc]
    return _TYPES[schema["type"]]


def _docstring(tool: Tool) -> str:
    """Return the description, and each argument on a line."""
    lines = [f"    {name}: {schema['description']}" for name, schema in tool.input_schema["properties"].items()]
    return "\n".join([tool.description, "", "Args:", *lines, "", "Returns:", "    A line in words, then the data as JSON."])

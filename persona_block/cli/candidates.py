"""What a shell can complete: commands, operations, params and choices, read from the specs without their grammar.

It is called with each press of the tab key, so that it imports next to nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from ..spec import resources
from .commands import COMMANDS, command_parsers
from .terminal import escaped

if TYPE_CHECKING:
    from .parser import Parser

_NOT_OPERATIONS = frozenset({"block"})

Candidate = tuple[str, str]
"""A word and what it is."""


def print_candidates(words: Sequence[str]) -> int:
    """Print what the last of the words after the program's name can become, each with a tab and what it is."""
    for word, meaning in candidates(list(words) or [""]):
        print(f"{word}\t{escaped(meaning)}")
    return 0


def candidates(words: Sequence[str]) -> list[Candidate]:
    """Return the words that the last one can become; none where only a file or free text can stand."""
    *before, current = words
    return [(word, meaning) for word, meaning in _possible(before, current) if word.startswith(current)]


def _possible(before: Sequence[str], current: str) -> Iterator[Candidate]:
    if not before:
        yield from ((name, command.help) for name, command in COMMANDS.items())
        return
    command, previous = before[0], before[-1]
    if command not in COMMANDS:
        return
    options = _parser(command).within(before[1:]).options() if current.startswith("-") or previous.startswith("-") else {}
    if previous == "--fields" and before[1] in _operations():
        yield from _fields(before[1], current)
    elif previous in options and options[previous].nargs != 0:
        yield from ((str(choice), "") for choice in options[previous].choices or ())
    elif current.partition("=")[0] in options and "=" in current:
        option = current.partition("=")[0]
        yield from ((f"{option}={choice}", "") for choice in options[option].choices or ())
    elif current.startswith("-"):
        yield from ((option, action.help or "") for option, action in options.items())
    elif command in ("run", "describe") and len(before) == 1:
        yield from ((name, _first_sentence(_spec(name)["description"])) for name in _operations())
    elif command == "run" and before[1] in _operations():
        yield from _params(before[1], before[2:], current)
    elif command == "flow" and len(before) > 1:
        yield from _flow_words(before[1], before[2:], current)
    elif command in ("completion", "export", "flow") and len(before) == 1:
        yield from ((choice, "") for choice in _parser(command).choices_of_first())


def _params(operation: str, given: Sequence[str], current: str) -> Iterator[Candidate]:
    """Yield the params that are not given yet, and the values of the one that is being written."""
    taken = {word.partition("=")[0] for word in given}
    name, equals, _ = current.partition("=")
    params = _spec(operation)["params"]
    if equals and name in params:
        yield from ((f"{name}={value}", "") for value in _values(_inlined(params[name])))
        return
    for name, node in params.items():
        if name not in taken:
            yield f"{name}=", _first_sentence(_inlined(node)["description"])


def _flow_words(action: str, given: Sequence[str], current: str) -> Iterator[Candidate]:
    """Yield the workflow templates where one is named, and after that the inputs of the template that are not given yet."""
    if action not in ("describe", "run", "start", "campaign"):
        return
    templates = {each["name"]: each for each in _read("block.json")["templates"]}
    if not given:
        yield from ((name, each["title"]) for name, each in templates.items())
    elif given[0] in templates and action != "describe" and "=" not in current:
        taken = {word.partition("=")[0] for word in given}
        inputs = templates[given[0]]["inputs"]
        yield from ((f"{name}=", each.get("description", "")) for name, each in inputs.items() if name not in taken)


def _fields(operation: str, current: str) -> Iterator[Candidate]:
    """Yield the properties that an operation gives, after those that are named already."""
    from ..spec import catalog
    from .output import Part

    named, comma, _ = current.rpartition(",")
    for name, schema in Part(catalog.load(operation)).properties.items():
        if name not in named.split(","):
            yield f"{named}{comma}{name}", _first_sentence(schema.get("description", ""))


def _values(param: dict[str, Any]) -> Sequence[str]:
    """Return the values that a param can have, or those that are usual."""
    return param.get("enum") or param.get("suggestions") or ()


@cache
def _operations() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in resources.specs().glob("*.json") if path.stem not in _NOT_OPERATIONS))


@cache
def _spec(name: str) -> dict[str, Any]:
    return _read(f"{name}.json")


@cache
def _read(path: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((resources.specs() / path).read_text("utf-8"))
    return document


def _inlined(node: dict[str, Any]) -> dict[str, Any]:
    """Return a param with what its `$ref` names; what stands beside the `$ref` wins."""
    path, _, name = node.get("$ref", "").partition("#/")
    return {**(_read(path)[name] if path else {}), **node}


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].rstrip(".")


def _parser(command: str) -> Parser:
    return command_parsers(command)[1][command]

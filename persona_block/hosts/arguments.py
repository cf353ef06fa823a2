"""The arguments of a tool call as models send them: the operation's own params, and the host's that shape the answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..call import inputs
from ..errors import InputError, Problem
from ..files.regular import FileBelow, UnreadableFile
from ..spec.grammar import API_KEY_PARAM, ToolSpec
from .brevity import check_fields
from .tool import ITEMS_LIMIT, MAX_ITEMS, OUTPUT_FIELDS, WAIT, Tool

Arguments = Mapping[str, Any] | str | None
"""What a model gave: an object, its JSON text, or nothing."""


@dataclass(frozen=True)
class CheckedArguments:
    """The arguments of one call, checked and in their types.

    params: the operation's own params.
    wait: whether to wait for the end of what runs in the background.
    max_items: how many items of a list to give; None where the model named no number.
    output_fields: the fields of an object to give back; without any, all of them.
    """

    params: dict[str, Any]
    wait: bool = False
    max_items: int | None = None
    output_fields: tuple[str, ...] = ()


def check_arguments(
    tool: Tool, arguments: Arguments, file_root: Path | None, host_problems: Sequence[Problem] = ()
) -> CheckedArguments:
    """Return the checked arguments of a call; raises InputError with every problem, those of the host first.

    file_root: the folder that a file argument may name a path in; None allows only the text itself.
    host_problems: what is wrong with the host, such as a missing API key.
    """
    raw_params = _by_name(tool.spec, arguments)
    raw_options = {name: raw_params.pop(name) for name in tool.host_arguments if name in raw_params}
    problems = list(host_problems)
    if raw_params.pop(API_KEY_PARAM, None) is not None:
        problems.append(Problem(API_KEY_PARAM, "is held by the host and never given as an argument"))
    output_fields, field_problems = check_fields(tool, _list_from_text(raw_options.get(OUTPUT_FIELDS)))
    problems += field_problems
    wait = _scalar_from_text(raw_options.get(WAIT, False))
    if not isinstance(wait, bool):
        problems.append(Problem(WAIT, "must be true or false"))
    max_items = _scalar_from_text(raw_options.get(MAX_ITEMS))
    if max_items is not None and (type(max_items) is not int or not 1 <= max_items <= ITEMS_LIMIT):
        problems.append(Problem(MAX_ITEMS, f"must be a whole number from 1 to {ITEMS_LIMIT}"))
    files, file_problems = _files(tool.spec, raw_params, file_root)
    problems += file_problems
    params: dict[str, Any] = {}
    try:
        params = inputs.prepare(tool.spec, raw_params | files)
    except InputError as error:
        reported = {problem.param for problem in problems}
        problems += [problem for problem in error.problems if problem.param not in reported]
    if problems:
        raise InputError(tool.name, problems)
    return CheckedArguments(params, wait, max_items, tuple(output_fields))


def _by_name(spec: ToolSpec, arguments: Arguments) -> dict[str, Any]:
    """Return the arguments by name, without nulls; raises InputError for what is no object."""
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments) if arguments.strip() else {}
        except (ValueError, RecursionError):
            raise InputError(spec.tool_id, [Problem("arguments", "are not valid JSON")]) from None
    if not isinstance(arguments, Mapping | None):
        raise InputError(spec.tool_id, [Problem("arguments", "must be an object of arguments by name")])
    return {str(name): value for name, value in (arguments or {}).items() if value is not None}


def _scalar_from_text(value: Any) -> Any:
    """Return the number or truth value that a text stands for, and a whole number written with a point as an integer."""
    try:
        scalar = json.loads(value.strip().lower() if value.strip().lower() in ("true", "false") else value)
    except (ValueError, RecursionError, AttributeError, TypeError):
        scalar = value
    return int(scalar) if isinstance(scalar, float) and scalar.is_integer() else scalar


def _list_from_text(value: Any) -> Any:
    """Return the list that a text stands for, in JSON or separated by commas."""
    entries = _scalar_from_text(value)
    return [entry.strip() for entry in entries.split(",") if entry.strip()] if isinstance(entries, str) else entries


def _files(spec: ToolSpec, raw_params: Mapping[str, Any], root: Path | None) -> tuple[dict[str, Any], list[Problem]]:
    """Return each file argument as its content, or as a path below the root; a problem for anything else."""
    files: dict[str, Any] = {}
    problems = []
    for name, param in spec.params.items():
        value = raw_params.get(name)
        if param.format != "file" or value is None:
            continue
        if not isinstance(value, str):
            problems.append(Problem(name, "must be CSV text"))
        elif "\n" in value.strip() and not _is_encodable(value):
            problems.append(Problem(name, "holds characters that cannot be written as UTF-8"))
        elif "\n" in value.strip():
            files[name] = {"content": value}
        elif root is None:
            problems.append(Problem(name, "must be the CSV text itself, header line first; no files are read here"))
        else:
            try:
                files[name] = FileBelow.of(root, value.strip())
            except UnreadableFile as error:
                problems.append(Problem(name, str(error)))
    return files, problems


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

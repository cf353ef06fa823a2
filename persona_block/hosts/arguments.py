"""A call's arguments as models send them: the operation's own params, and ours that shape the answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..call import inputs
from ..errors import InputError, Problem
from ..spec.grammar import API_KEY_PARAM, ToolSpec
from .brevity import check_fields
from .tool import ITEMS_LIMIT, MAX_ITEMS, OUTPUT_FIELDS, WAIT, Tool

Arguments = Mapping[str, Any] | str | None
"""What a model gave: an object, its JSON text, or nothing."""


@dataclass(frozen=True)
class Given:
    """A call's arguments, checked: `values` are the operation's own params."""

    values: dict[str, Any]
    wait: bool = False
    items: int | None = None
    fields: tuple[str, ...] = ()


def check(tool: Tool, arguments: Arguments, file_root: Path | None, others: list[Problem] | None = None) -> Given:
    """A call's arguments in their types; raises InputError with every problem, `others` first.

    `file_root` is the folder that a file argument may name a path in; None allows only the text itself.
    """
    own = _object(tool.spec, arguments)
    ours = {name: own.pop(name) for name in tool.extra if name in own}
    problems = list(others or ())
    if own.pop(API_KEY_PARAM, None) is not None:
        problems.append(Problem(API_KEY_PARAM, "is held by the host and never given as an argument"))
    fields, found = check_fields(tool, _listed(ours.get(OUTPUT_FIELDS)))
    problems += found
    wait = _plain(ours.get(WAIT, False))
    if not isinstance(wait, bool):
        problems.append(Problem(WAIT, "must be true or false"))
    items = _plain(ours.get(MAX_ITEMS))
    if items is not None and (type(items) is not int or not 1 <= items <= ITEMS_LIMIT):
        problems.append(Problem(MAX_ITEMS, f"must be a whole number from 1 to {ITEMS_LIMIT}"))
    problems += _open_files(tool.spec, own, file_root)
    try:
        values = inputs.prepare(tool.spec, own)
    except InputError as error:
        told = {problem.param for problem in problems}
        problems += [problem for problem in error.problems if problem.param not in told]
    if problems:
        raise InputError(tool.name, problems)
    return Given(values, wait, items, tuple(fields))


def _object(spec: ToolSpec, arguments: Arguments) -> dict[str, Any]:
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments) if arguments.strip() else {}
        except (ValueError, RecursionError):
            raise InputError(spec.tool_id, [Problem("arguments", "are not valid JSON")]) from None
    if not isinstance(arguments, Mapping | None):
        raise InputError(spec.tool_id, [Problem("arguments", "must be an object of arguments by name")])
    return {str(name): value for name, value in (arguments or {}).items() if value is not None}


def _plain(value: Any) -> Any:
    """A number or a truth value that came as text, or a whole number with a point, as what it stands for."""
    try:
        plain = json.loads(value.strip().lower() if value.strip().lower() in ("true", "false") else value)
    except (ValueError, RecursionError, AttributeError, TypeError):
        plain = value
    return int(plain) if isinstance(plain, float) and plain.is_integer() else plain


def _listed(value: Any) -> Any:
    """A list that came as text, JSON or separated by commas, as a list."""
    found = _plain(value)
    return [each.strip() for each in found.split(",") if each.strip()] if isinstance(found, str) else found


def _open_files(spec: ToolSpec, own: dict[str, Any], root: Path | None) -> list[Problem]:
    """Put the text itself, or a path below the root, in the place of a file argument; a problem for anything else."""
    problems = []
    for name, param in spec.params.items():
        value = own.get(name)
        if param.format != "file" or value is None:
            continue
        if not isinstance(value, str):
            problems.append(Problem(name, "must be CSV text"))
        elif "\n" in value.strip() and not _is_text(value):
            problems.append(Problem(name, "holds characters that cannot be written as UTF-8"))
        elif "\n" in value.strip():
            own[name] = {"content": value, "name": "accounts.csv"}
        elif root is None:
            problems.append(Problem(name, "must be the CSV text itself, header line first; no files are read here"))
        elif (path := _below(root, value.strip())) is None:
            problems.append(Problem(name, "is outside the folder that files may be read from"))
        else:
            own[name] = path
    return problems


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _below(root: Path, text: str) -> Path | None:
    """The path that a text names below the root, links followed; None where it leads elsewhere or nowhere."""
    try:
        path = (root / text).resolve()
    except (OSError, RuntimeError, ValueError):
        return None
    return path if path.is_relative_to(root.resolve()) else None

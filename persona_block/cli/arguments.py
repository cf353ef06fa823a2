"""The params of `persona-block run`, read from its arguments.

No error repeats anything of an argument, not even the name of an unknown param: it may be an API key in the wrong place.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError, Problem
from ..spec.nearest import nearest_name

if TYPE_CHECKING:
    from ..spec.grammar import ToolSpec

NEVER_AS_ARGUMENT = "never as an argument, which others on this machine can read; set PERSONA_API_KEY or use --api-key-stdin"


def read_params(arguments: argparse.Namespace, spec: ToolSpec) -> dict[str, Any]:
    """Return the params of `--params` and of `name=value` together; raises InputError where they cannot be read.

    `name.part=text` sets one entry of a param that is an object; a value given as a whole keeps its other entries.
    """
    from ..spec.grammar import API_KEY_PARAM

    params = {} if arguments.params is None else _params_option(arguments, spec)
    typed_names = [] if _is_indirect(arguments.params) else [("--params", name) for name in params]
    parts: list[tuple[str, str, str, str]] = []
    for number, pair in enumerate(arguments.pairs, 1):
        place = f"argument {number}"
        name, equals, value = pair.partition("=")
        if not equals:
            raise InputError(spec.name, [Problem(place, "params are given as key=value")])
        whole, dot, part = name.partition(".")
        typed_names.append((place, whole))
        if dot:
            parts.append((place, whole, part, value))
        else:
            params[name] = value
    if any(name == API_KEY_PARAM for _, name in typed_names):
        raise InputError(spec.name, [Problem(API_KEY_PARAM, f"give it {NEVER_AS_ARGUMENT}")])
    problems = [_unknown(spec, place, name) for place, name in typed_names if name not in spec.params]
    problems += [] if problems else _repeated(arguments.pairs)
    if problems:
        raise InputError(spec.name, problems)
    for place, whole, part, value in parts:
        params[whole] = _with_part(spec, place, (whole, part, value), params.get(whole))
    return params


def _repeated(pairs: Sequence[str]) -> list[Problem]:
    """Return a problem for each param, or part of one, that is given again: of two ids, nobody may take both for erased."""
    names = [pair.partition("=")[0] for pair in pairs]
    return [
        Problem(f"argument {number}", f"gives {name.partition('.')[0]} again, and each can be given once; a list takes commas")
        for number, name in enumerate(names, 1)
        if name in names[: number - 1]
    ]


def _with_part(spec: ToolSpec, place: str, named: tuple[str, str, str], given: Any) -> dict[str, Any]:
    """Return an object param with one entry more; raises InputError where it is none, or what was given of it is none."""
    whole, part, value = named
    if spec.params[whole].type != "object":
        raise InputError(
            spec.name, [Problem(place, f"names a part of {whole}, which is no object; give {whole}=… as a whole")]
        )
    if not part:
        raise InputError(spec.name, [Problem(place, f"names no part of {whole} after its dot")])
    if isinstance(given, str):
        try:
            given = json.loads(given) if given.strip() else None
        except (ValueError, RecursionError):
            given = given or None
    if given is not None and not isinstance(given, dict):
        raise InputError(spec.name, [Problem(whole, "must be a JSON object where parts of it are given too")])
    return {**(given or {}), part: value}


def _unknown(spec: ToolSpec, place: str, name: str) -> Problem:
    nearest = nearest_name(name, spec.params, cutoff=0.5)
    hint = f"did you mean {nearest}?" if nearest else f"it takes {', '.join(spec.params) or 'none'}"
    return Problem(place, f"names what is no param of {spec.name}; {hint}", "unknown")


def _is_indirect(source: str | None) -> bool:
    """Tell whether `--params` names a file or standard input, which no process list shows."""
    return source is not None and (source == "-" or source.startswith("@"))


def _each_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object of a JSON text; raises ValueError where a name stands twice, of which one would be lost."""
    if len(dict(pairs)) < len(pairs):
        raise ValueError
    return dict(pairs)


def _params_option(arguments: argparse.Namespace, spec: ToolSpec) -> dict[str, Any]:
    """Read the JSON object of `--params`: text, a file or standard input; raises InputError."""
    text: str = arguments.params
    if text == "-" and arguments.api_key_stdin:
        raise InputError(spec.name, [Problem("--params", "and --api-key-stdin cannot both read standard input")])
    try:
        if text == "-":
            text = sys.stdin.read()
        elif text.startswith("@"):
            text = Path(text[1:]).read_text("utf-8")
        params = json.loads(text, object_pairs_hook=_each_once)
    except OSError as error:
        raise InputError(spec.name, [Problem("--params", f"cannot be read: {error.strerror}")]) from None
    except (ValueError, RecursionError):
        raise InputError(spec.name, [Problem("--params", "is not JSON, or has a name twice in one object")]) from None
    if not isinstance(params, dict):
        raise InputError(spec.name, [Problem("--params", "must be a JSON object of params by name")])
    return params

"""The command `persona-block run`: one operation, one JSON envelope on stdout, and everything else on stderr."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..credentials import ApiKey
from ..errors import InputError, PersonaError, Problem
from ..spec import catalog
from ..spec.grammar import API_KEY_PARAM, ToolSpec
from ..spec.nearest import nearest_name
from .exits import FAILURE, INTERRUPTED, MISUSE, SUCCESS
from .sandbox import sandbox_class
from .show import print_json
from .terminal import ProgressLine, print_error

if TYPE_CHECKING:
    from ..call.result import ToolResult
    from ..runner import Runner

_NEVER_AS_ARGUMENT = "never as an argument, which others on this machine can read; set PERSONA_API_KEY or use --api-key-stdin"


def add_command(commands: Any) -> None:
    """Add the command to a parser's subcommands."""
    run = commands.add_parser("run", help="run one operation", epilog=f"Give the API key {_NEVER_AS_ARGUMENT}.")
    run.add_argument("operation")
    run.add_argument("pairs", nargs="*", metavar="key=value", help="params; objects and lists as JSON text")
    run.add_argument("--params", metavar="JSON|@FILE|-", help="params as one JSON object: text, a file, or standard input")
    run.add_argument("--api-key-stdin", action="store_true", help="read the API key from standard input")
    run.add_argument(
        "--sandbox", action="store_true", help="run against an offline Persona in this process; no account needed"
    )
    follow = run.add_mutually_exclusive_group()
    follow.add_argument("--all", action="store_true", help="follow the cursor through every page")
    follow.add_argument("--wait", action="store_true", help="poll until what was read or started has ended")
    run.add_argument(
        "--idempotency-key",
        metavar="KEY",
        help="key under which Persona does this once, such as errorDetails.idempotencyKey told (default: a new one); only for"
        " operations that are a POST, since Persona knows keys of no others",
    )
    run.add_argument("--output-dir", metavar="DIR", help="folder for downloaded files (default: persona-files)")
    run.add_argument("--no-check", action="store_true", help="send a CSV file as it is, without looking it through first")
    run.add_argument(
        "--storage",
        action="append",
        metavar="SCHEME",
        help="storage that a file param may name URLs of, such as s3 (default: none); may be given twice",
    )
    run.set_defaults(handler=run_operation)


def run_operation(arguments: argparse.Namespace) -> int:
    """Run one operation and print one envelope, whatever happens."""
    from ..call.result import failed_result

    spec: ToolSpec | None = None
    idempotency_key: str | None = None
    try:
        spec = catalog.load(arguments.operation)
        idempotency_key = _idempotency_key(arguments, spec)
        result = asyncio.run(_run_once(arguments, spec, idempotency_key))
    except PersonaError as error:
        result = failed_result(error)
    except KeyboardInterrupt:
        result = failed_result(_interruption(spec, idempotency_key))
        print_error("", result.error or "")
        print_json(result.to_dict())
        return INTERRUPTED
    print_json(result.to_dict())
    if result.success:
        return SUCCESS
    print_error(result.error or "")
    return MISUSE if (result.error_details or {}).get("kind") == "input_error" else FAILURE


def _idempotency_key(arguments: argparse.Namespace, spec: ToolSpec) -> str | None:
    """Return the key of a POST, a new one where none is given, or None; raises InputError for a key of anything else."""
    from ..call.client import new_idempotency_key

    if spec.request.method == "POST":
        return new_idempotency_key() if arguments.idempotency_key is None else str(arguments.idempotency_key)
    if arguments.idempotency_key is not None:
        message = f"is only for operations that are a POST, and {spec.name} is a {spec.request.method}"
        raise InputError(spec.name, [Problem("--idempotency-key", message)])
    return None


def _interruption(spec: ToolSpec | None, idempotency_key: str | None) -> PersonaError:
    """Return the error of a run that the user ended, with the key under which it can be run again."""
    if spec is None or spec.effect == "read":
        return PersonaError(f"{spec.name if spec else 'The run'} was interrupted.", took_effect=None)
    again = " Run it again with the option --idempotency-key, and it happens once." if idempotency_key else ""
    return PersonaError(
        f"{spec.name} was interrupted; whether it took effect is unknown.{again}",
        took_effect="unknown",
        idempotency_key=idempotency_key,
        retryable=idempotency_key is not None,
    )


async def _run_once(arguments: argparse.Namespace, spec: ToolSpec, idempotency_key: str | None) -> ToolResult:
    params = _params(arguments, spec)
    line = ProgressLine()
    try:
        async with _runner(arguments) as runner:
            return await runner.run(
                spec.name,
                params,
                all_pages=arguments.all,
                wait=arguments.wait,
                idempotency_key=idempotency_key,
                progress=lambda update: line.show(update.message),
            )
    finally:
        line.close()


def _runner(arguments: argparse.Namespace) -> Runner:
    """Return the runner that the options describe; raises InputError."""
    from ..files.rules import FileRules
    from ..files.store import DEFAULT_FOLDER, FileStore
    from ..runner import Runner

    try:
        files = FileStore(arguments.output_dir or DEFAULT_FOLDER)
    except ValueError as error:
        raise InputError("run", [Problem("--output-dir", str(error))]) from None
    try:
        rules = FileRules(check=not arguments.no_check, schemes=tuple(arguments.storage or ()))
    except ValueError:
        raise InputError("run", [Problem("--storage", "must be the scheme of storage, such as s3")]) from None
    if arguments.sandbox:
        offline = sandbox_class()(populate=True)
        return Runner(
            api_key=offline.api_key, base_url=offline.base_url, transport=offline.transport, files=files, file_rules=rules
        )
    return Runner(api_key=_api_key_from_stdin() if arguments.api_key_stdin else None, files=files, file_rules=rules)


def _api_key_from_stdin() -> ApiKey:
    """Read the API key from standard input; raises InputError for an empty one, which must not fall back to another."""
    api_key = ApiKey(sys.stdin.readline())
    if api_key.is_absent:
        raise InputError("run", [Problem(API_KEY_PARAM, "--api-key-stdin found no key on standard input")])
    return api_key


def _params(arguments: argparse.Namespace, spec: ToolSpec) -> dict[str, Any]:
    """Return the params of `--params` and of `key=value` together; raises InputError where they cannot be read.

    No error repeats anything of an argument, not even the name of an unknown param: it may be a key in the wrong place.
    """
    params = _params_option(arguments, spec) if arguments.params else {}
    typed_names = [] if _is_indirect(arguments.params) else [("--params", name) for name in params]
    for number, pair in enumerate(arguments.pairs, 1):
        name, equals, value = pair.partition("=")
        if not equals:
            raise InputError(spec.name, [Problem(f"argument {number}", "params are given as key=value")])
        params[name] = value
        typed_names.append((f"argument {number}", name))
    if any(name == API_KEY_PARAM for _, name in typed_names):
        raise InputError(spec.name, [Problem(API_KEY_PARAM, f"give it {_NEVER_AS_ARGUMENT}")])
    problems = [_unknown(spec, place, name) for place, name in typed_names if name not in spec.params]
    if problems:
        raise InputError(spec.name, problems)
    return params


def _unknown(spec: ToolSpec, place: str, name: str) -> Problem:
    nearest = nearest_name(name, spec.params, cutoff=0.5)
    hint = f"did you mean {nearest}?" if nearest else f"it takes {', '.join(spec.params) or 'none'}"
    return Problem(place, f"names what is no param of {spec.name}; {hint}", "unknown")


def _is_indirect(source: str | None) -> bool:
    """Tell whether `--params` names a file or standard input, which no process list shows."""
    return source is not None and (source == "-" or source.startswith("@"))


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
        params = json.loads(text)
    except OSError as error:
        raise InputError(spec.name, [Problem("--params", f"cannot be read: {error.strerror}")]) from None
    except (ValueError, RecursionError):
        raise InputError(spec.name, [Problem("--params", "is not JSON")]) from None
    if not isinstance(params, dict):
        raise InputError(spec.name, [Problem("--params", "must be a JSON object of params by name")])
    return params

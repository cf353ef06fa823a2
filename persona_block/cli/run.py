"""The command `persona-block run`: one operation, its result on stdout, and everything else on stderr."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, Any

from ..errors import InputError, PersonaError, Problem
from . import confirmation
from .arguments import NEVER_AS_ARGUMENT, read_params
from .exits import FAILURE, INTERRUPTED, MISUSE, SUCCESS
from .output import FORMATS, Layout, Part, chosen_fields, print_result
from .progress import progress_display
from .runners import MakeRunner, debugging, dry_runner, runners, seconds
from .terminal import discard, paragraph, print_error, print_lines

if TYPE_CHECKING:
    from ..call.result import ToolResult
    from ..spec.grammar import ToolSpec


def add_command(commands: Any, help_text: str) -> None:
    """Add the command to a parser's subcommands."""
    run = commands.add_parser(
        "run",
        help=help_text,
        add_help=False,
        epilog=f"Deciding and erasing ask on a terminal, and need --yes elsewhere. Give the API key {NEVER_AS_ARGUMENT}.",
    )
    run.add_argument("operation")
    run.add_argument(
        "pairs",
        nargs="*",
        metavar="key=value",
        help="params: tags=a,b for lists, fields.name-first=Ann for one entry of an object, or JSON text",
    )
    run.add_argument("-h", "--help", action=_Help, nargs=0, help="show this, and after an operation its params")
    run.add_argument("--params", metavar="JSON|@FILE|-", help="params as one JSON object: text, a file, or standard input")
    run.add_argument("--api-key-stdin", action="store_true", help="read the API key from standard input")
    follow = run.add_mutually_exclusive_group()
    follow.add_argument("--all", action="store_true", help="follow the cursor through every page")
    follow.add_argument("--wait", action="store_true", help="poll until what was read or started has ended")
    _add_sending(run.add_argument_group("what is sent"))
    _add_showing(run.add_argument_group("what is shown"))
    _add_files(run.add_argument_group("files"))
    _add_sandbox(run.add_argument_group("without an account"))
    run.set_defaults(handler=run_operation)


def _add_sending(group: Any) -> None:
    group.add_argument("--yes", action="store_true", help="decide or erase without being asked")
    group.add_argument(
        "--dry-run", action="store_true", help="print the request, with the API key hidden, and send nothing; needs no key"
    )
    group.add_argument(
        "--idempotency-key",
        metavar="KEY",
        help="key under which Persona does this once, such as errorDetails.idempotencyKey told (default: a new one); only for"
        " operations that are a POST, since Persona knows keys of no others",
    )
    group.add_argument(
        "--timeout",
        type=seconds,
        metavar="SECONDS",
        help="for one call with all its attempts (default: 60)",
    )
    group.add_argument(
        "--wait-timeout",
        type=seconds,
        metavar="SECONDS",
        help="for the whole of --wait, from the first look on (default: as describe tells of the operation)",
    )


def _add_showing(group: Any) -> None:
    group.add_argument(
        "--output",
        choices=FORMATS,
        help="json, the envelope; table; csv, with an apostrophe before what would be a formula; ndjson, an object a line"
        " (default: table on a terminal, json elsewhere)",
    )
    group.add_argument(
        "--fields", metavar="NAMES", help="properties to show, with commas, such as id,status,fields.name-first (default: all)"
    )
    group.add_argument("--debug", action="store_true", help="show requests and answers on stderr, with personal values masked")


def _add_files(group: Any) -> None:
    group.add_argument("--output-dir", metavar="DIR", help="folder for downloaded files (default: persona-files)")
    group.add_argument("--no-check", action="store_true", help="send a CSV file as it is, without looking it through first")
    group.add_argument(
        "--storage",
        action="append",
        metavar="SCHEME",
        help="storage that a file param may name URLs of, such as s3 (default: none); may be given twice",
    )


def _add_sandbox(group: Any) -> None:
    group.add_argument(
        "--sandbox", action="store_true", help="run against an offline Persona, which remembers from one run to the next"
    )
    group.add_argument("--fresh", action="store_true", help="let the offline Persona forget what earlier runs did")


class _Help(argparse.Action):
    """Prints the help of `run`, and with an operation before it that operation's params."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, *_: Any) -> None:
        from ..spec import catalog
        from .show import print_operation

        if name := getattr(namespace, "operation", None):
            spec = catalog.load(name)
            print_operation(spec)
            print_lines(*paragraph(f"--fields takes {', '.join(Part(spec).properties)}"), "")
        parser.print_help()
        parser.exit()


class _Run:
    """One run as it goes on: what an interruption has to tell of it."""

    def __init__(self) -> None:
        self.spec: ToolSpec | None = None
        self.idempotency_key: str | None = None
        self.was_begun = False
        """Whether the operation itself, and not only what is read before it, may have been sent."""

    def interruption(self) -> PersonaError:
        """Return the error of a run that the user ended, with the key under which it can be run again."""
        spec = self.spec
        if spec is None or spec.effect == "read":
            return PersonaError(f"{spec.name if spec else 'The run'} was interrupted.", took_effect=None)
        if not self.was_begun:
            return PersonaError(f"{spec.name} was interrupted before anything was sent.", took_effect="no")
        again = " Run it again with the option --idempotency-key, and it happens once." if self.idempotency_key else ""
        return PersonaError(
            f"{spec.name} was interrupted; whether it took effect is unknown.{again}",
            took_effect="unknown",
            idempotency_key=self.idempotency_key,
            retryable=self.idempotency_key is not None,
        )


def run_operation(arguments: argparse.Namespace) -> int:
    """Run one operation and print one result, whatever happens."""
    from ..call.result import failed_result
    from ..spec import catalog

    run = _Run()
    layout = Layout(arguments.output) if arguments.output else Layout.default()
    try:
        run.spec = spec = catalog.load(arguments.operation)
        layout = Layout(layout.format, chosen_fields(arguments.fields, spec))
        with _ended_as_by_ctrl_c():
            result = _result(arguments, run, spec, layout)
    except PersonaError as error:
        result = failed_result(error)
    except KeyboardInterrupt:
        with _deaf_to_ctrl_c():
            print_error("")
            return _print(failed_result(run.interruption()), layout, run, INTERRUPTED)
    if result is None:
        return SUCCESS
    if result.success:
        return _print(result, layout, run, SUCCESS)
    kind = (result.error_details or {}).get("kind")
    return _print(result, layout, run, MISUSE if kind == "input_error" else FAILURE)


@contextmanager
def _ended_as_by_ctrl_c() -> Iterator[None]:
    """Have SIGTERM, such as that of `timeout`, interrupt what goes on inside, so that it tells what became of it."""

    def interrupt(_number: int, frame: FrameType | None) -> None:
        on_ctrl_c = signal.getsignal(signal.SIGINT)
        if callable(on_ctrl_c):
            on_ctrl_c(signal.SIGINT, frame)
        else:  # a shell's jobs in the background ignore Ctrl-C
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Let no second Ctrl-C keep what is told of the first, and with it a key, from being told."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before or signal.default_int_handler)


def _print(result: ToolResult, layout: Layout, run: _Run, code: int) -> int:
    """Print a result, and on stderr what is wrong with it; return the exit code."""
    details = result.error_details or {}
    idempotency_key = details.get("idempotencyKey") if layout.format != "json" else None
    try:
        print_result(result, layout, run.spec)
    except (OSError, KeyboardInterrupt) as error:
        if isinstance(error, BrokenPipeError) and (run.spec is None or run.spec.effect == "read"):
            raise
        discard(sys.stdout)
        reason = "interrupted" if isinstance(error, KeyboardInterrupt) else error.strerror or type(error).__name__
        print_error(f"{_what_happened(result, run.spec)}, but its result could not be written: {reason}")
        idempotency_key = run.idempotency_key if result.success else details.get("idempotencyKey")
        code = INTERRUPTED if isinstance(error, KeyboardInterrupt) else code or FAILURE
    if not result.success:
        print_error(result.error or "")
    if idempotency_key:
        print_error(f"Idempotency key: {idempotency_key}")
    return code


def _what_happened(result: ToolResult, spec: ToolSpec | None) -> str:
    """Return whether an operation was done, as the beginning of a sentence."""
    words = {"yes": "was done", "unknown": "may have been done"}
    took_effect = "yes" if result.success else (result.error_details or {}).get("tookEffect")
    return f"{spec.name if spec else 'It'} {words.get(str(took_effect), 'was not done')}"


def _result(arguments: argparse.Namespace, run: _Run, spec: ToolSpec, layout: Layout) -> ToolResult | None:
    """Return the result of a run, or None for a dry one; raises PersonaError."""
    import asyncio

    from ..call.inputs import prepare

    run.idempotency_key = _idempotency_key(arguments, spec)
    if arguments.wait_timeout is not None and not arguments.wait:
        raise InputError(spec.name, [Problem("--wait-timeout", "is only for --wait")])
    params = read_params(arguments, spec)
    if arguments.dry_run:
        from .dry_run import show_request

        return show_request(
            dry_runner(arguments), layout.format != "table", spec.name, params=params, **_following(arguments, run)
        )
    values: Mapping[str, Any] | None = None
    if confirmation.needs_agreement(spec) and not arguments.yes:
        values = prepare(spec, params)
        confirmation.check_that_somebody_can_agree(spec)
    with debugging(arguments), runners(arguments) as make_runner:
        if values is not None:
            confirmation.ask(make_runner, spec, values)
        run.was_begun = True
        return asyncio.run(_run_once(arguments, run, spec, make_runner, params))


def _idempotency_key(arguments: argparse.Namespace, spec: ToolSpec) -> str | None:
    """Return the key of a POST, a new one where none is given, or None; raises InputError for a key of anything else."""
    from ..call.client import check_idempotency_key, new_idempotency_key

    if spec.request.method == "POST":
        given = arguments.idempotency_key
        return new_idempotency_key() if given is None else check_idempotency_key(spec.name, given)
    if arguments.idempotency_key is not None:
        message = f"is only for operations that are a POST, and {spec.name} is a {spec.request.method}"
        raise InputError(spec.name, [Problem("--idempotency-key", message)])
    return None


def _following(arguments: argparse.Namespace, run: _Run) -> dict[str, Any]:
    """Return how a run goes on after its first call, and under which key, as `Runner.run` takes it."""
    wait = arguments.wait_timeout or arguments.wait
    return {"all_pages": arguments.all, "wait": wait, "idempotency_key": run.idempotency_key}


async def _run_once(
    arguments: argparse.Namespace, run: _Run, spec: ToolSpec, make_runner: MakeRunner, params: Mapping[str, Any]
) -> ToolResult:
    display = progress_display(is_plain=arguments.debug)
    try:
        async with make_runner() as runner:
            return await runner.run(spec.name, params, progress=display.show, **_following(arguments, run))
    finally:
        with suppress(OSError):
            display.close()

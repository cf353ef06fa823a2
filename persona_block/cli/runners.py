"""The runners that the options of a command describe: with a key, against the offline Persona, or for a dry run."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..credentials import ApiKey
from ..errors import InputError, Problem
from .terminal import is_terminal

if TYPE_CHECKING:
    from ..runner import Runner

MakeRunner = Callable[..., "Runner"]
"""Makes a runner as the command's options say; takes further options of Runner, which win."""

_LONGEST_TIMEOUT = 86_400


def seconds(text: str) -> float:
    """Parse seconds; raises ArgumentTypeError for what is no time that a call can take."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= _LONGEST_TIMEOUT:
        raise argparse.ArgumentTypeError(f"must be a number of seconds, above 0 and at most {_LONGEST_TIMEOUT}")
    return number


@contextmanager
def debugging(arguments: argparse.Namespace) -> Iterator[None]:
    """Show the requests and answers of the clients that are made inside, where that is asked for."""
    from ..call.observe import event_hooks

    if not arguments.debug:
        yield
        return
    from .debug import debug_hooks

    token = event_hooks.set(debug_hooks())
    try:
        yield
    finally:
        event_hooks.reset(token)


@contextmanager
def runners(arguments: argparse.Namespace) -> Iterator[MakeRunner]:
    """Give what makes the runners that the options describe; raises InputError."""
    options = _options(arguments)
    if not arguments.sandbox:
        if arguments.fresh:
            raise InputError("run", [Problem("--fresh", "is only for --sandbox")])
        api_key = _api_key_from_stdin() if arguments.api_key_stdin else None
        yield _runner_factory({"api_key": api_key, **options})
        return
    from .remembered import remembered_sandbox
    from .sandbox import sandbox_class

    with remembered_sandbox(sandbox_class(), fresh=arguments.fresh) as sandbox:
        own = {"api_key": sandbox.api_key, "base_url": sandbox.base_url, "transport": sandbox.transport}
        yield _runner_factory({**own, **options})


def dry_runner(arguments: argparse.Namespace) -> MakeRunner:
    """Return what makes runners for a dry run, which opens no sandbox and reads no key."""
    from .sandbox import sandbox_class

    options = _options(arguments)
    if not arguments.sandbox:
        return _runner_factory(options)
    with sandbox_class()() as sandbox:
        return _runner_factory({"base_url": sandbox.base_url, **options})


def _runner_factory(options: Mapping[str, Any]) -> MakeRunner:
    from ..runner import Runner

    def make_runner(**further: Any) -> Runner:
        return Runner(**{**options, **further})

    return make_runner


def _options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the options of a runner, but for its key and where it calls; raises InputError."""
    import httpx

    from ..files.rules import FileRules
    from ..files.store import DEFAULT_FOLDER, FileStore

    options: dict[str, Any] = {}
    folder = DEFAULT_FOLDER if arguments.output_dir is None else arguments.output_dir
    try:
        if not folder.strip():  # such as that of a script's unset variable
            raise ValueError("is blank; name a folder")
        options["files"] = FileStore(folder)
    except ValueError as error:
        raise InputError("run", [Problem("--output-dir", str(error))]) from None
    try:
        options["file_rules"] = FileRules(check=not arguments.no_check, schemes=tuple(arguments.storage or ()))
    except ValueError:
        raise InputError("run", [Problem("--storage", "must be the scheme of storage, such as s3")]) from None
    if seconds := arguments.timeout:
        options["timeout"] = httpx.Timeout(seconds, connect=min(seconds, 10.0))
        options["deadline"] = seconds
    return options


def _api_key_from_stdin() -> ApiKey:
    """Read the API key from standard input; raises InputError for an empty one, which must not fall back to another."""
    from ..spec.grammar import API_KEY_PARAM

    api_key = ApiKey(getpass.getpass("API key: ") if is_terminal(sys.stdin) else sys.stdin.readline())
    if api_key.is_absent:
        raise InputError("run", [Problem(API_KEY_PARAM, "--api-key-stdin found no key on standard input")])
    return api_key

"""The command `persona-block sandbox`: the offline Persona, served on this machine."""

from __future__ import annotations

import argparse
import errno
import math
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..errors import InputError, Problem
from ..sandbox.serving.faults import FAULTS, Faults
from ..sandbox.state.clock import MAX_SPEED
from .terminal import print_error

if TYPE_CHECKING:
    from ..sandbox import Sandbox

_NEEDS_SANDBOX = "The offline Persona is not installed: pip install 'persona-block[sandbox]'"


def add_command(commands: Any, help_text: str) -> None:
    """Add the command to a parser's subcommands."""
    sandbox = commands.add_parser(
        "sandbox",
        help=help_text,
        description="Serve an offline Persona, a simulation that verifies nobody, on this machine alone.",
        epilog=_epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    sandbox.add_argument(
        "--port", type=port_number, default=8484, help="port on 127.0.0.1; 0 takes a free one (default: 8484)"
    )
    sandbox.add_argument("--state", metavar="FILE", help="file that keeps everything, a crash too (default: memory)")
    sandbox.add_argument("--seed", type=_seed, default=0, metavar="N", help="repeats ids and invented people (default: 0)")
    sandbox.add_argument(
        "--speed",
        type=_speed,
        default=1.0,
        metavar="X",
        help="simulated seconds in a real one (default: 1)",
    )
    sandbox.add_argument("--empty", action="store_true", help="start without the 200 accounts and what happened to them")
    sandbox.add_argument(
        "--rate-limit", type=_rate_limit, metavar="N", help="calls a minute before a 429 (default: any number)"
    )
    sandbox.add_argument("--webhook", metavar="URL", help="URL on this machine that signed events go to")
    sandbox.add_argument(
        "--webhook-secret-env",
        metavar="NAME",
        action="append",
        help="environment variable that holds the secret they are signed with; given twice, both sign, the new one first",
    )
    sandbox.add_argument(
        "--faults",
        metavar="KIND[,KIND…][:RATE]",
        help="let calls go wrong, one in five or as many as RATE says, from 0 to 1; the kinds are below",
    )
    sandbox.set_defaults(handler=serve)


def sandbox_class() -> type[Sandbox]:
    """Import the class Sandbox; raises InputError where its extra is not installed."""
    try:
        from ..sandbox import Sandbox
    except ModuleNotFoundError as error:
        raise InputError("sandbox", [Problem("sandbox", f"{_NEEDS_SANDBOX} ({error.name} is missing)")]) from None
    return Sandbox


def serve(arguments: argparse.Namespace) -> int:
    """Serve until interrupted and return the exit code."""
    from ..sandbox import Settings, Webhook

    sandbox_type, secrets = sandbox_class(), _webhook_secrets(arguments)
    try:
        sandbox = sandbox_type(
            populate=not arguments.empty,
            state=arguments.state,
            seed=arguments.seed,
            speed=arguments.speed,
            settings=Settings(rate_limit=arguments.rate_limit),
            webhook=None if secrets is None else Webhook(arguments.webhook, secrets),
            faults=None if arguments.faults is None else _faults(arguments.faults),
        )
    except ValueError as error:
        raise InputError("sandbox", [Problem("sandbox", str(error))]) from None
    except OSError as error:
        reason = error.strerror or str(error).removeprefix(f"The state {arguments.state} ")
        raise InputError("sandbox", [Problem("--state", reason)]) from None
    try:
        sandbox.run(port=arguments.port, announce=lambda base_url: print_error(*_announcement(sandbox, base_url, arguments)))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        message = f"{arguments.port} is taken by another program; choose another port, or 0 for a free one"
        raise InputError("sandbox", [Problem("--port", message)]) from None
    finally:
        sandbox.close()
    return 0


def _announcement(sandbox: Sandbox, base_url: str, arguments: argparse.Namespace) -> Iterator[str]:
    yield f"Offline Persona, a simulation, at {base_url}"
    yield "In another terminal:"
    yield f"  export PERSONA_BASE_URL={base_url} PERSONA_API_KEY={sandbox.api_key}"
    yield "  persona-block run list_inquiries"
    yield f"Dashboard: {base_url.removesuffix('/api/v1')}/"
    yield f"Key of the sandbox environment: {sandbox.sandbox_key}"
    if arguments.webhook:
        yield f"Webhooks: signed, to {_without_secrets(arguments.webhook)}"
    if sandbox.faults:
        yield f"Faults: {sandbox.faults}"
    ending = f"keeps everything in {arguments.state}" if arguments.state else "forgets everything"
    yield f"Ctrl-C ends it and {ending}."


def _without_secrets(url: str) -> str:
    """Return a URL without user, query and fragment."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _webhook_secrets(arguments: argparse.Namespace) -> tuple[str, ...] | None:
    """Read the webhook's secrets from the environment; raises InputError where there is none, or none is needed."""
    if arguments.webhook is None and arguments.webhook_secret_env is None:
        return None
    if arguments.webhook is None:
        raise InputError("sandbox", [Problem("--webhook", "is needed with --webhook-secret-env")])
    if arguments.webhook_secret_env is None:
        message = "is needed with --webhook: the name of an environment variable, never the secret itself"
        raise InputError("sandbox", [Problem("--webhook-secret-env", message)])
    secrets = tuple(os.environ.get(name, "") for name in arguments.webhook_secret_env)
    if not all(secrets):
        raise InputError("sandbox", [Problem("--webhook-secret-env", "names an environment variable that is not set")])
    return secrets


def _faults(text: str) -> Faults:
    """Parse `--faults`: kinds of faults, then perhaps their rate, one call in five without it; raises ValueError."""
    names, colon, rate_text = text.partition(":")
    kinds = [name.strip() for name in names.split(",") if name.strip()]
    if not kinds:
        raise ValueError("--faults needs a kind before its rate, such as stall:0.5 or all:0.5")
    known_kinds = [fault.name for fault in FAULTS]
    if "all" in kinds:
        kinds = known_kinds
    if not set(kinds) <= set(known_kinds):
        raise ValueError(f"--faults names a kind that there is not; there are {', '.join(known_kinds)}")
    try:
        rate = float(rate_text) if colon else 0.2
    except ValueError:
        raise ValueError("the rate of --faults is a number from 0 to 1") from None
    return Faults(rate, kinds)


def _epilog() -> str:
    width = max(len(fault.name) for fault in FAULTS)
    return "\n".join(
        (
            "kinds of faults:",
            f"  {'all':{width}}  every kind below",
            *(f"  {fault.name:{width}}  {fault.means}" for fault in FAULTS),
            "",
            "Names steer what happens: an applicant called Fail fails, one called Review needs review; see docs/sandbox.md.",
            "A running sandbox is steered by programs too, with JSON and no key:",
            '  POST /sandbox/clock      {"advance-seconds": 86400}',
            '  POST /sandbox/applicant  {"inquiry-id": "inq_…", "outcome": "pass"}',
            '  POST /sandbox/webhook/rotate-secret  {"expires-in-seconds": 3600}',
            "The outcome is pass, fail, review or abandon; without one the applicant's name decides.",
            "A rotation answers the webhook's new secret; until it expires, the present one signs too.",
        )
    )


def _number(parse: Callable[[str], float], low: float, high: float, expected: str) -> Callable[[str], float]:
    """Return a parser of an option's number, which says what is `expected` for text that is none or lies outside."""

    def read(text: str) -> float:
        try:
            number = parse(text)
        except ValueError:
            number = math.nan
        if not low <= number <= high:
            raise argparse.ArgumentTypeError(f"must be {expected}")
        return number

    return read


port_number = _number(int, 0, 65_535, "a whole number from 0 to 65535")
"""Parses the number of a port; 0 asks for a free one."""
_seed = _number(int, -math.inf, math.inf, "a whole number")
_speed = _number(float, 0, MAX_SPEED, f"a number from 0 to {MAX_SPEED}")
_rate_limit = _number(int, 1, math.inf, "a whole number, at least 1")

"""The command line: `persona-block tools | describe | run | check | manifest | export | sandbox | mcp | demo | completion`.

On a stdout that is no terminal, `run` prints exactly one JSON envelope, and everything else on stderr. Exit codes: 0 success,
1 a failed operation, 2 misuse, 130 interrupted. API keys come from the environment or standard input, never from an argument,
where anybody on the machine could read them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from ..errors import InputError, PersonaError
from .commands import COMMANDS, command_parsers
from .exits import FAILURE, INTERRUPTED, MISUSE, SUCCESS
from .terminal import discard, prepare_streams, print_error

__all__ = ["FAILURE", "INTERRUPTED", "MISUSE", "SUCCESS", "main"]

COMPLETE = "__complete"
"""The hidden command that a shell's completion calls with the words of its line; see `completion.py`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; `argv` holds its arguments, by default those of the process."""
    prepare_streams()
    argv = sys.argv[1:] if argv is None else list(argv)
    try:
        if argv[:1] == [COMPLETE]:
            from .candidates import print_candidates

            return print_candidates(argv[1:])
        arguments = _parse(argv)
        handler: Callable[[argparse.Namespace], int] = arguments.handler
        return handler(arguments)
    except InputError as error:
        print_error("; ".join(f"{problem.param}: {problem.message}" for problem in error.problems))
        return MISUSE
    except PersonaError as error:
        print_error(error.message)
        return FAILURE
    except KeyboardInterrupt:
        print_error("", "Interrupted.")
        return INTERRUPTED
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            print_error(f"Failed: {error.strerror or type(error).__name__}")
            return FAILURE
        discard(sys.stdout)
        return FAILURE


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the arguments; params of `run` may stand among its options."""
    parser, _ = command_parsers(argv[0] if argv and argv[0] in COMMANDS else None)
    arguments, rest = parser.parse_known_args(argv)
    if any(argument.startswith("-") for argument in rest) or (rest and "pairs" not in arguments):
        arguments.parser.refuse(rest)
    if rest:
        arguments.pairs += rest
    return arguments

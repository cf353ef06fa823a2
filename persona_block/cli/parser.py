"""The parser of the command line, whose errors never repeat an argument, which may be an API key."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from ..spec.nearest import nearest_name

_OPTION = re.compile(r"--?[a-z]{1,20}(-[a-z]{1,20}){0,3}")
"""An option that may be named in an error."""
_NAMES_ALONE = ("the following arguments are required: ", "one of the arguments ")
_RULES_ALONE = ("expected ", "must be ", "not allowed with argument ")
"""How argparse's messages begin that hold no value, only names and rules of the parser itself."""


class Parser(argparse.ArgumentParser):
    """A parser that takes no shortened options, and whose errors say what is wrong without the value."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        """End the process with the usage and an error."""
        super().error(without_values(message))

    def options(self) -> dict[str, argparse.Action]:
        """Return what each option does, by the option."""
        return {option: action for action in self._actions for option in action.option_strings}

    def within(self, words: Sequence[str]) -> Parser:
        """Return the parser of the command that the first of the words names, this one where it has no such command."""
        commands = [action.choices for action in self._actions if isinstance(action.choices, dict)]
        return next((each[words[0]] for each in commands if words and words[0] in each), self)

    def choices_of_first(self) -> list[str]:
        """Return what the first argument that is no option can be, where only some words can."""
        arguments = [action for action in self._actions if not action.option_strings]
        return [str(choice) for choice in arguments[0].choices or ()] if arguments else []

    def refuse(self, arguments: Sequence[str]) -> NoReturn:
        """End the process with the usage and the options among arguments that there are not, and the nearest that there are.

        An option is named where it is made of small letters and hyphens, as no API key is.
        """
        named = []
        for option in (argument.partition("=")[0] for argument in arguments):
            if _OPTION.fullmatch(option):
                nearest = nearest_name(option, self.options())
                named.append(f"{option} (did you mean {nearest}?)" if nearest else option)
        super().error("unrecognized arguments" + (f": {', '.join(named)}" if named else ""))

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print help or an error, whatever characters the stream has."""
        stream = file or sys.stderr
        encoding = getattr(stream, "encoding", None) or "utf-8"
        super()._print_message(message.encode(encoding, "backslashreplace").decode(encoding), file)


def without_values(message: str) -> str:
    """Return a message of argparse as one that holds names and rules of the parser, and nothing that was typed."""
    if message.startswith(_NAMES_ALONE):
        return message
    if not message.startswith("argument "):
        return "unrecognized arguments"
    name, _, fault = message.partition(": ")
    if fault.startswith("invalid choice"):
        return f"{name}: must be one of {fault.rpartition('(choose from ')[2].removesuffix(')')}"
    if fault.startswith("ignored explicit argument"):
        return f"{name}: takes no value"
    return f"{name}: {fault if fault.startswith(_RULES_ALONE) else 'cannot be read'}"

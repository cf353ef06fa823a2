"""The parser of the command line, whose errors never repeat an argument, which may be an API key."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

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

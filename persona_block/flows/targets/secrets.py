"""Secrets by the name of where they are found, so that no table, log or document of a flow holds one.

A name is `env:NAME`, a variable of the environment, or `file:/path`, a file as container platforms mount secrets. It is looked
up when a step runs, so that a secret can be replaced while flows wait.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from ...credentials import Secret
from ...errors import InputError, Problem
from ...files.regular import UnreadableFile, open_regular

SIZE_LIMIT = 64 * 1024
"""The largest file that is read as a secret, in bytes."""

_NAME = re.compile(r"env:(?P<variable>[A-Za-z_][A-Za-z0-9_]*)|file:(?P<path>(//)?/?[^\x00-\x1f\x7f/][^\x00-\x1f\x7f]*)")
_FORMS = "must be the name of a secret, env:NAME or file:/path, and never the secret itself"


def check_secret_name(name: object, param: str) -> str:
    """Return the name of a secret; raises InputError for what is none, which may be a secret and so is not repeated.

    param: what the name was given as, for the error.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InputError("secret", [Problem(param, _FORMS)])
    return name


def named_secret(name: str, param: str = "secret") -> Secret:
    """Return the secret that a name leads to; raises InputError, which shows the name and never the secret.

    name: `env:NAME`, or `file:/path`, whose content is taken without the blanks and line breaks around it.
    param: what the name was given as, for the error.

    This may read a file: where an event loop runs, it belongs into a thread.
    """
    match = _NAME.fullmatch(check_secret_name(name, param))
    variable = match["variable"] if match else None
    found = Secret(os.environ.get(variable)) if variable else _of_file(name.removeprefix("file:"), name, param)
    if found.is_absent:
        fault = f"set the environment variable {variable}" if variable else f"{name} is empty; write the secret into it"
        raise InputError("secret", [Problem(param, fault)])
    try:
        found.reveal()
    except ValueError as error:
        raise InputError("secret", [Problem(param, f"the secret at {name} {error}")]) from None
    return found


def _of_file(path: str, name: str, param: str) -> Secret:
    place = path.removeprefix("//") if path.startswith("///") else path
    fault = None
    try:
        with open_regular(Path(place).expanduser()) as stream:
            found, fault = _decoded(stream.read(SIZE_LIMIT + 1))
    except UnreadableFile as error:
        fault = str(error)
    except OSError as error:
        fault = f"cannot be read: {error.strerror}"
    except RuntimeError:
        fault = "is below a home folder that is not known"
    if fault is not None:
        raise InputError("secret", [Problem(param, f"{name} {fault}")])
    return found


def _decoded(content: bytes) -> tuple[Secret, str | None]:
    """Return a file's secret, or what is wrong with it; nothing is raised, whose traceback would hold the content."""
    if len(content) > SIZE_LIMIT:
        return Secret(None), f"is over {SIZE_LIMIT} bytes, and so is no secret"
    try:
        return Secret(content.decode("utf-8")), None
    except UnicodeDecodeError:
        return Secret(None), "is not text in UTF-8"


def configured(variable: str) -> Secret | None:
    """Return the secret of a setting: what a variable of the environment holds, or what the name in it leads to.

    None where the variable is not set or blank. Raises InputError as `named_secret` does. This may read a file.
    """
    found = Secret(os.environ.get(variable))
    if found.is_absent:
        return None
    try:
        is_name = found.reveal().startswith(("env:", "file:"))
    except ValueError as error:
        raise InputError("secret", [Problem(variable, str(error))]) from None
    return named_secret(found.reveal(), variable) if is_name else found

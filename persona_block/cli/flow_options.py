"""What the commands of flows share: the database they name, the keys it is encrypted with, and the workflow document."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..errors import InputError, Problem
from ..spec.nearest import nearest_name
from .remembered import cache_folder

if TYPE_CHECKING:
    from ..credentials import Secret
    from ..flows import FlowClient

DATABASE_VARIABLE = "PERSONA_FLOWS_DATABASE"
ENCRYPTION_VARIABLE = "PERSONA_FLOWS_ENCRYPTION_KEY"
DEFAULT_DATABASE = "sqlite:///persona-flows.sqlite"
_NEEDS_EXTRA = "Durable flows are not installed: pip install 'persona-block[flows]'"


def add_database(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which database, to the parser of a command."""
    group = parser.add_argument_group("the database of flows")
    group.add_argument(
        "--db",
        metavar="URL",
        help=f"sqlite:///FILE, or postgresql://…; one with a password stands in {DATABASE_VARIABLE} (default: that, else"
        f" {DEFAULT_DATABASE})",
    )
    group.add_argument(
        "--encryption-key",
        metavar="NAME",
        action="append",
        help=f"where a Fernet key is that encrypts what flows store: env:NAME or file:/path; a further one only decrypts"
        f" (default: {ENCRYPTION_VARIABLE})",
    )
    group.add_argument("--sandbox", action="store_true", help="the flows of the offline Persona, in a file of their own")


def database_of(arguments: argparse.Namespace) -> str:
    """Return the database that a command is about; raises InputError for a URL with a password among the arguments."""
    given: str | None = arguments.db
    if given is not None:
        try:
            has_password = urlsplit(given).password is not None
        except ValueError:
            has_password = True
        if has_password:
            message = f"others on this machine can read a password here; set {DATABASE_VARIABLE} instead"
            raise InputError("flow", [Problem("--db", message)])
        return given
    if arguments.sandbox:
        folder = cache_folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return f"sqlite:///{folder / 'flows.sqlite'}"
    return os.environ.get(DATABASE_VARIABLE, "").strip() or DEFAULT_DATABASE


def encryption_keys_of(arguments: argparse.Namespace) -> list[Secret]:
    """Return the keys that the database is encrypted with; raises InputError."""
    from ..flows.targets.secrets import configured, named_secret

    if arguments.encryption_key:
        return [named_secret(each, "--encryption-key") for each in arguments.encryption_key]
    found = configured(ENCRYPTION_VARIABLE)
    return [] if found is None else [found]


@contextmanager
def flows_installed() -> Iterator[None]:
    """Raise InputError where what durable flows stand on is not installed."""
    try:
        import dbos  # noqa: F401
        import psycopg  # noqa: F401
        import sqlalchemy  # noqa: F401
    except ModuleNotFoundError as error:
        raise InputError("flow", [Problem("flow", f"{_NEEDS_EXTRA} ({error.name} is missing)")]) from None
    yield


@asynccontextmanager
async def client_of(arguments: argparse.Namespace) -> AsyncIterator[FlowClient]:
    """Give a client of the command's database."""
    from ..flows import connect

    database, keys = database_of(arguments), encryption_keys_of(arguments)
    with _database_errors():
        client = await asyncio.to_thread(lambda: connect(database, encryption_keys=keys))
        try:
            yield client
        finally:
            await asyncio.to_thread(client.close)


@contextmanager
def _database_errors() -> Iterator[None]:
    """Raise what the database says as InputError, without its words, which may hold addresses and values."""
    import sqlalchemy as sa

    try:
        yield
    except sa.exc.SQLAlchemyError as error:
        cause = type(getattr(error, "orig", None) or error).__name__
        message = f"the database cannot be used ({cause}): is it there, and may this user read and write it?"
        raise InputError("flow", [Problem("--db", message)]) from None


def with_client(arguments: argparse.Namespace, act: Callable[[FlowClient], Coroutine[Any, Any, int]]) -> int:
    """Return the exit code of what is done with a client of the command's database."""

    async def main() -> int:
        async with client_of(arguments) as client:
            return await act(client)

    with flows_installed():
        return asyncio.run(main())


def document_of(name: str) -> Mapping[str, Any]:
    """Return the workflow document of a template's name, or of a JSON file, whose name ends in `.json`; raises InputError."""
    from ..block import manifest

    if name.endswith(".json"):
        return document_in(Path(name))
    templates = {each["name"]: each for each in manifest()["templates"]}
    if name not in templates:
        nearest = nearest_name(name, templates, cutoff=0.5)
        hint = f"did you mean {nearest}?" if nearest else "`persona-block flow list` names them; a file's name ends in .json"
        raise InputError("flow", [Problem("flow", f"there is no template of this name; {hint}")])
    document: Mapping[str, Any] = templates[name]
    return document


def document_in(path: Path) -> Mapping[str, Any]:
    """Return the workflow document in a file; raises InputError where it cannot be read."""
    from ..files.regular import UnreadableFile, open_regular

    try:
        with open_regular(path) as stream:
            document = json.loads(stream.read())
    except UnreadableFile as error:
        raise InputError("flow", [Problem("file", str(error))]) from None
    except (ValueError, RecursionError):
        raise InputError("flow", [Problem("file", "is not JSON")]) from None
    if not isinstance(document, dict):
        raise InputError("flow", [Problem("file", "must be a JSON object with inputs and steps")])
    return document


def inputs_of(arguments: argparse.Namespace, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs that are given as `key=value`; raises InputError, which repeats none."""
    from ..flows.campaign import typed_inputs

    texts: dict[str, str] = {}
    declared = document.get("inputs", {})
    problems: list[Problem] = []
    for number, pair in enumerate(arguments.pairs, 1):
        name, equals, value = pair.partition("=")
        if not equals:
            problems.append(Problem(f"argument {number}", "inputs are given as key=value"))
        elif name not in declared:
            nearest = nearest_name(name, declared, cutoff=0.5)
            hint = f"did you mean {nearest}?" if nearest else f"it takes {', '.join(declared) or 'none'}"
            problems.append(Problem(f"argument {number}", f"names what is no input of the workflow; {hint}"))
        else:
            texts[name] = value
    inputs = dict(typed_inputs(document, texts, problems))
    if problems:
        raise InputError("flow", problems)
    return inputs

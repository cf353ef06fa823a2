"""The options of `persona-block mcp` by which callers come with tokens of an authorization server."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError, Problem

if TYPE_CHECKING:
    from ..hosts.mcp.oauth import OAuth

_OPTIONS = {
    "--oauth-issuer": ("URL", "take tokens of this authorization server, checked by its keys, in the place of API keys"),
    "--oauth-keys": ("FILE", "JSON that names the secret with the Persona API key for each caller"),
    "--public-url": ("URL", "where clients reach /mcp; a token has to be issued for it"),
    "--oauth-jwks": ("URL", "where the issuer's keys are (default: where its metadata says)"),
    "--oauth-server": ("URL", "the authorization server that clients are told of (default: the issuer)"),
    "--oauth-scopes": ("READ,WRITE", "what scopes are called (default: persona:read,persona:write)"),
}
_PREFIX = "PERSONA_MCP_"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options to the parser of the command."""
    variables = ", ".join(map(_variable, _OPTIONS))
    group = parser.add_argument_group("over HTTP, with an authorization server", f"Also as {variables}.")
    for option, (metavar, help_text) in _OPTIONS.items():
        group.add_argument(option, metavar=metavar, help=help_text)


def is_chosen(arguments: argparse.Namespace) -> bool:
    """Return whether callers come with tokens."""
    return bool(_given(arguments, "--oauth-issuer"))


def refuse_on_stdio(arguments: argparse.Namespace) -> None:
    """Raise InputError for an option on the command line that only means something over HTTP."""
    if named := next((each for each in _OPTIONS if getattr(arguments, _name(each))), None):
        raise InputError("mcp", [Problem(named, "is for --http alone: on stdio the environment holds the key")])


def settings(arguments: argparse.Namespace, sandbox_key: str | None) -> OAuth | None:
    """Return how callers show who they are; None where they bring API keys. Raises InputError.

    sandbox_key: the key of the offline Persona where that is served, which then is everybody's.
    """
    from ..hosts.mcp.oauth import OAuth
    from ..hosts.mcp.secret_names import PersonaKeys
    from ..hosts.mcp.signing import SigningKeys, checked_url

    given = {option: _given(arguments, option) for option in _OPTIONS}
    if not given["--oauth-issuer"]:
        if named := next((option for option, value in given.items() if value), None):
            raise InputError("mcp", [Problem(named, "also needs --oauth-issuer")])
        return None
    problems = [Problem(each, "is needed with --oauth-issuer") for each in ("--oauth-keys", "--public-url") if not given[each]]
    if sandbox_key is not None:
        problems = [each for each in problems if each.param != "--oauth-keys"]
    for option in ("--oauth-issuer", "--public-url", "--oauth-jwks", "--oauth-server"):
        try:
            checked_url(given[option] or "https://example.com")
        except ValueError as error:
            problems.append(Problem(option, str(error)))
    scopes = (given["--oauth-scopes"] or "persona:read,persona:write").split(",")
    if len(scopes) != 2 or not all(
        scope.isascii() and scope.isprintable() and scope.strip(' "\\') == scope for scope in scopes
    ):
        problems.append(Problem("--oauth-scopes", "must be two names with a comma between them"))
    if problems:
        raise InputError("mcp", problems)
    keys = PersonaKeys.of_everybody(sandbox_key) if sandbox_key else PersonaKeys.of_file(Path(given["--oauth-keys"]))
    return OAuth(
        issuer=given["--oauth-issuer"],
        resource=given["--public-url"],
        keys=keys,
        signing_keys=SigningKeys(given["--oauth-issuer"], given["--oauth-jwks"] or None),
        authorization_server=given["--oauth-server"] or None,
        read_scope=scopes[0],
        write_scope=scopes[1],
    )


def _given(arguments: argparse.Namespace, option: str) -> str:
    """Return what an option says, else its environment variable; empty for neither."""
    said = getattr(arguments, _name(option))
    return str(said if said is not None else os.environ.get(_variable(option), "")).strip()


def _name(option: str) -> str:
    return option.removeprefix("--").replace("-", "_")


def _variable(option: str) -> str:
    return _PREFIX + _name(option).upper()

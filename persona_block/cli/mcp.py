"""The command `persona-block mcp`: the operations as a server of the Model Context Protocol."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from ..call.addresses import check_base_url, is_loopback
from ..errors import InputError, Problem
from ..spec import catalog
from . import oauth
from .sandbox import port_number, sandbox_class
from .terminal import print_error

if TYPE_CHECKING:
    from ..hosts.mcp import Options

_NEEDS_EXTRA = "The MCP server is not installed: pip install 'persona-block[mcp]'"

_PREFIX = "PERSONA_MCP_"
"""What the name of every environment variable of the server begins with."""
_EFFECTS = ("decide", "erase")
"""The effects that a person is asked about, and that `--allow` lets happen where none can be asked."""
_TEXT_MODES = ("auto", "full", "summary")
_SWITCH = {"1": True, "true": True, "yes": True, "on": True, "": False, "0": False, "false": False, "no": False, "off": False}


def add_command(commands: Any, help_text: str) -> None:
    """Add the command to a parser's subcommands."""
    mcp = commands.add_parser(
        "mcp",
        help=help_text,
        epilog=f"Each of the options on what is offered and allowed is also an environment variable: {_PREFIX}TOOLSETS,"
        f" {_PREFIX}TOOLS, {_PREFIX}EXCLUDE_TOOLS, {_PREFIX}READ_ONLY, {_PREFIX}ALLOW, {_PREFIX}TEXT, {_PREFIX}FULL_TEXT,"
        f" {_PREFIX}TEMPLATES, {_PREFIX}LEAVE_OUT. Excluding and read-only win over everything, wherever they stand.",
    )
    mcp.add_argument("--toolsets", metavar="NAMES", help=f"{','.join(catalog.groups())}, default or all")
    mcp.add_argument("--tools", metavar="NAMES", help="single tools, beside the toolsets where both are given")
    mcp.add_argument("--exclude-tools", metavar="NAMES", help="tools never to offer")
    mcp.add_argument("--read-only", action="store_true", help="offer only what changes nothing")
    mcp.add_argument(
        "--allow",
        action="append",
        choices=_EFFECTS,
        help="let this happen without a person's word where a client cannot ask for it; may be given twice",
    )
    mcp.add_argument(
        "--text",
        choices=_TEXT_MODES,
        help="how much of an answer stands in its text: the data, a few words, or what the client declares (default: auto)",
    )
    mcp.add_argument("--full-text", action="store_true", help="the same as --text full")
    mcp.add_argument(
        "--templates",
        action="append",
        metavar="ID=NAME",
        help="name an inquiry or report template, to list the named ones in the place of Persona's; may be given again",
    )
    mcp.add_argument(
        "--leave-out", metavar="FIELDS", help="fields that answers leave out unless they are named; none leaves all in"
    )
    mcp.add_argument("--files-from", metavar="DIR", help="folder that an import may read CSV files from (stdio only)")
    mcp.add_argument("--sandbox", action="store_true", help="serve an offline Persona, a simulation; no account needed")
    http = mcp.add_argument_group("over HTTP")
    http.add_argument("--http", action="store_true", help="serve streamable HTTP at /mcp; each request brings its own API key")
    http.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    http.add_argument("--port", type=port_number, default=8485, help="port to listen on; 0 takes a free one (default: 8485)")
    http.add_argument(
        "--public-host", action="append", metavar="NAME", help="name that clients reach it by, as a proxy passes it"
    )
    http.add_argument("--stateless", action="store_true", help="keep no sessions")
    oauth.add_options(mcp)
    mcp.set_defaults(handler=serve)


def serve(arguments: argparse.Namespace) -> int:
    """Serve until the client is gone, or until interrupted, and return the exit code."""
    try:
        from ..hosts.mcp import create_app, create_server, serve_stdio
    except ModuleNotFoundError as error:
        raise InputError("mcp", [Problem("mcp", f"{_NEEDS_EXTRA} ({error.name} is missing)")]) from None
    from ..credentials import KEY_VARIABLE, ApiKey

    options, sandbox_key = _options(arguments)
    if arguments.http:
        settings = oauth.settings(arguments, sandbox_key)
        api_key = None if settings else sandbox_key
        hosts = arguments.public_host or ()
        app = create_app(options, hosts=hosts, stateless=arguments.stateless, api_key=api_key, oauth=settings)
        return _serve_http(arguments, app)
    oauth.refuse_on_stdio(arguments)
    own_key = ApiKey(sandbox_key) if sandbox_key else ApiKey.of_environment()
    if own_key.is_absent:
        print_error(f"There is no {KEY_VARIABLE}: tools can be listed, and every call will say so.")
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # the last is not known everywhere
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _leave)
    asyncio.run(serve_stdio(create_server(options, api_key=own_key)))
    return 0


def _leave(signal_number: int, _: object) -> NoReturn:
    """Leave at once: reading standard input cannot be interrupted, and the client may hold it open for ever."""
    from ..hosts.mcp.files import Files

    Files.close_all()
    os._exit(128 + signal_number)


def _options(arguments: argparse.Namespace) -> tuple[Options, str | None]:
    """Return the server's options and, where the offline Persona is served, its API key; raises InputError."""
    from ..hosts.mcp import Options
    from ..hosts.selection import DEFAULT, Selection
    from ..hosts.templates import Templates
    from ..runner import BASE_URL_VARIABLE, Runner

    # What is chosen on the command line is not widened by what the environment chooses.
    chosen_here = arguments.toolsets is not None or arguments.tools is not None
    selection = Selection.of(
        toolsets=_names(arguments.toolsets, None if chosen_here else "TOOLSETS"),
        tools=_names(arguments.tools, None if chosen_here else "TOOLS"),
        exclude=[*_names(arguments.exclude_tools, None), *_names(None, "EXCLUDE_TOOLS")],
        read_only=arguments.read_only or _is_set("READ_ONLY"),
        otherwise=DEFAULT,
    )
    allow = frozenset([*(arguments.allow or ()), *_names(None, "ALLOW")])
    if not allow <= set(_EFFECTS):
        raise InputError("mcp", [Problem(f"{_PREFIX}ALLOW", f"must be {' or '.join(_EFFECTS)}, or both with a comma")])
    if arguments.files_from and arguments.http:
        raise InputError("mcp", [Problem("--files-from", "is for stdio alone: over HTTP, callers send CSV text")])
    if arguments.files_from and not Path(arguments.files_from).is_dir():
        raise InputError("mcp", [Problem("--files-from", "there is no folder of this name")])
    chosen: dict[str, Any] = {
        "selection": selection,
        "allow": allow,
        "text": _text_mode(arguments),
        "templates": Templates.parsed(arguments.templates or _names(None, "TEMPLATES")).names,
        "left_out": _left_out(arguments.leave_out),
        "file_root": Path(arguments.files_from) if arguments.files_from else None,
    }
    if not arguments.sandbox:
        if base_url := os.environ.get(BASE_URL_VARIABLE):
            check_base_url(base_url)
        return Options(**chosen), None
    sandbox = sandbox_class()(populate=True)
    print_error("An offline Persona: a simulation that verifies nobody.")
    return Options(
        runner=lambda files: Runner(base_url=sandbox.base_url, transport=sandbox.transport, files=files), **chosen
    ), sandbox.api_key


def _text_mode(arguments: argparse.Namespace) -> str:
    """Return how much of an answer stands in its text; what is said here wins over the environment."""
    said = arguments.text or ("full" if arguments.full_text else "")
    mode = said or os.environ.get(_PREFIX + "TEXT", "").strip().lower() or ("full" if _is_set("FULL_TEXT") else "auto")
    if mode not in _TEXT_MODES:
        raise InputError("mcp", [Problem(f"{_PREFIX}TEXT", f"must be {', '.join(_TEXT_MODES)}")])
    return str(mode)


def _left_out(option: str | None) -> tuple[str, ...]:
    """Return the fields that answers leave out: those that are named here or in the environment, else what nobody reads."""
    from ..hosts.brevity import UNREAD_FIELDS

    named = _names(option, "LEAVE_OUT")
    return () if named == ["none"] else tuple(named) or UNREAD_FIELDS


def _names(option: str | None, variable: str | None) -> list[str]:
    """Return the names that an option holds, else those of its environment variable; raises InputError for an empty option."""
    if option is not None and not option.strip(" ,"):
        raise InputError("mcp", [Problem("arguments", "an option that takes names was given none")])
    text = option if option is not None else os.environ.get(_PREFIX + variable, "") if variable else ""
    return [name.strip() for name in text.split(",") if name.strip()]


def _is_set(variable: str) -> bool:
    """Tell whether a variable switches something on; raises InputError for a value that says neither, never taken for off."""
    setting = os.environ.get(_PREFIX + variable, "").strip().lower()
    if setting not in _SWITCH:
        raise InputError("mcp", [Problem(_PREFIX + variable, "must be true or false")])
    return _SWITCH[setting]


def _serve_http(arguments: argparse.Namespace, app: Any) -> int:
    import uvicorn

    from .connections import server_config

    if not is_loopback(arguments.host) and not arguments.public_host and not oauth.is_chosen(arguments):
        raise InputError("mcp", [Problem("--host", "other than loopback also needs --public-host, the name clients use")])
    config = server_config(app, arguments.host, arguments.port)
    with config.bind_socket() as bound:
        bound.listen(config.backlog)
        host, port = bound.getsockname()[:2]
        url_host = f"[{host}]" if ":" in host else host
        print_error(f"Serving MCP at http://{url_host}:{port}/mcp; Ctrl-C ends it.")
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[bound])
    return 0

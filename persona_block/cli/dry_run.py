"""`--dry-run`: the request as it would be sent, the API key hidden, and nothing sent."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import httpx

from ..credentials import ApiKey
from ..files.store import FileStore
from .output import print_json
from .terminal import print_error, print_lines

if TYPE_CHECKING:
    from ..call.result import ToolResult
    from ..runner import Runner
    from ..spec.grammar import OperationName

_HIDDEN = "…"
"""What stands in the place of the API key."""
_BODY_LIMIT = 4000
"""Bytes of a file's body that are shown."""
_NOT_SHOWN = frozenset({"connection", "host", "user-agent", "accept-encoding"})
"""Headers that say nothing of the operation."""


class _Prepared(Exception):
    """A request is ready; it is not sent."""

    def __init__(self, request: dict[str, Any]) -> None:
        super().__init__()
        self.request = request


class _Unsent(httpx.AsyncBaseTransport):
    """A transport that sends nothing, and gives the request that it was handed instead."""

    async def handle_async_request(self, request: httpx.Request) -> NoReturn:
        raise _Prepared(await _as_shown(request))


def show_request(
    make_runner: Callable[..., Runner], as_json: bool, operation: OperationName, **call: Any
) -> ToolResult | None:
    """Print the first request that a run would send, and return None; return the failed result where none would be sent.

    make_runner: takes the options `api_key`, `transport` and `files` of a runner.
    as_json: print one JSON document, else the request as HTTP writes it.
    call: what `Runner.run` takes beside the operation.
    """

    async def prepare() -> ToolResult:
        # The folder of a file that will not come is not made either.
        with tempfile.TemporaryDirectory() as folder:
            async with make_runner(api_key=ApiKey("hidden"), transport=_Unsent(), files=FileStore(folder)) as runner:
                return await runner.run(operation, **call)

    try:
        return asyncio.run(prepare())
    except _Prepared as prepared:
        if as_json:
            print_json({"dryRun": True, "request": prepared.request})
        else:
            _print_request(prepared.request)
        print_error("Nothing was sent.")
        return None


async def _as_shown(request: httpx.Request) -> dict[str, Any]:
    """Return a request as JSON data; of a file, its beginning."""
    headers = {name: value for name, value in request.headers.items() if name not in _NOT_SHOWN}
    headers["authorization"] = f"Bearer {_HIDDEN}"
    shown: dict[str, Any] = {
        "method": request.method,
        "url": str(request.url),
        "headers": {name.title(): value for name, value in headers.items()},
    }
    content = b""
    if isinstance(request.stream, httpx.AsyncByteStream):
        async for piece in request.stream:
            content += piece
            if len(content) > _BODY_LIMIT and not _is_json(request):
                break
    if content:
        shown["body"] = json.loads(content) if _is_json(request) else _beginning(content)
    return shown


def _is_json(request: httpx.Request) -> bool:
    return str(request.headers.get("Content-Type", "")) == "application/json"


def _beginning(content: bytes) -> str:
    text = content[:_BODY_LIMIT].decode("utf-8", "replace")
    return text if len(content) <= _BODY_LIMIT else f"{text}…"


def _print_request(request: Mapping[str, Any]) -> None:
    """Print a request line, its headers and its body."""
    print_lines(f"{request['method']} {request['url']}", heading=True)
    print_lines(*(f"{name}: {value}" for name, value in request["headers"].items()))
    if "body" in request:
        print_lines("")
        body = request["body"]
        if isinstance(body, str):
            print_lines(*body.splitlines())
        else:
            print_json(body)

"""Which HTTP library carries the exchanges: httpx, or aiohttp where a version that was tested is installed."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from functools import cache
from typing import Literal

import httpx

from ...errors import InputError, Problem
from .exchange import Wire
from .over_httpx import HttpxWire
from .proxies import Proxies

log = logging.getLogger("persona_block")

WireName = Literal["auto", "httpx", "aiohttp"]
AUTO: WireName = "auto"
WIRES: tuple[WireName, ...] = (AUTO, "httpx", "aiohttp")
VARIABLE = "PERSONA_WIRE"
"""The environment variable that names the wire of runners that are told none."""

_TESTED = (3, 14), (3, 15)
"""The versions of aiohttp that were tested: from the first on, and before the second."""


def make_wire(
    name: str | None = None,
    *,
    timeout: httpx.Timeout | float | None,
    transport: httpx.AsyncBaseTransport | None = None,
    headers: Mapping[str, str] | None = None,
    trust_env: bool = True,
) -> Wire:
    """Return the wire of that name, by default that of PERSONA_WIRE or else `auto`; raises InputError.

    With a `transport` it is always httpx, whose transport that is.
    """
    if transport is None and chosen(name, trust_env=trust_env) == "aiohttp":
        from .over_aiohttp import AiohttpWire

        return AiohttpWire(timeout=timeout, headers=headers, trust_env=trust_env)
    return HttpxWire(timeout=timeout, transport=transport, headers=headers, trust_env=trust_env)


def chosen(name: str | None = None, *, trust_env: bool = True) -> Literal["httpx", "aiohttp"]:
    """Return which library a name means here; raises InputError where it is unknown or cannot be had."""
    wanted = name or os.environ.get(VARIABLE) or AUTO
    if wanted not in WIRES:
        raise _refused(f"must be one of {', '.join(WIRES)}; see {VARIABLE}")
    if wanted == "httpx":
        return "httpx"
    found = installed()
    if found is None and wanted == "aiohttp":
        raise _refused("needs aiohttp: install persona-block[fast]")
    if found is None:
        return "httpx"
    is_tested = _TESTED[0] <= found < _TESTED[1]
    has_socks = trust_env and not Proxies().are_http
    if wanted == AUTO:
        library: Literal["httpx", "aiohttp"] = "aiohttp" if is_tested and not has_socks else "httpx"
        log.debug("requests go over %s", library)
        return library
    if not is_tested:
        least, below = (".".join(map(str, each)) for each in _TESTED)
        raise _refused(f"was tested with aiohttp from {least} on and before {below}: install persona-block[fast]")
    if has_socks:
        raise _refused("cannot be aiohttp with a SOCKS proxy in the environment; leave it to httpx")
    return "aiohttp"


@cache
def installed() -> tuple[int, ...] | None:
    """Return the version of aiohttp, or None where there is none; looked for once."""
    try:
        from aiohttp import __version__
    except ImportError:
        return None
    return tuple(map(int, re.findall(r"\d+", __version__)[:3]))


def _refused(message: str) -> InputError:
    return InputError("runner", [Problem("wire", message)])

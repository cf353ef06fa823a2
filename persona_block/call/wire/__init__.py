"""HTTP exchanges within bounds of time, size and encoding, over httpx or aiohttp."""

from .bodies import pieces, whole
from .choosing import WIRES, WireName, chosen, make_wire
from .exchange import (
    CONNECTIONS,
    SLOWEST,
    Allowance,
    Credential,
    Lost,
    Oversized,
    Request,
    Response,
    UnaskedEncoding,
    Unsent,
    Upload,
    Wire,
)
from .over_httpx import HttpxWire
from .tls import tls_context

__all__ = [
    "CONNECTIONS",
    "SLOWEST",
    "WIRES",
    "Allowance",
    "Credential",
    "HttpxWire",
    "Lost",
    "Oversized",
    "Request",
    "Response",
    "UnaskedEncoding",
    "Unsent",
    "Upload",
    "Wire",
    "WireName",
    "chosen",
    "make_wire",
    "pieces",
    "tls_context",
    "whole",
]

"""Where requests may go: over verified TLS, or to this machine."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from ..errors import InputError, Problem

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_BASE_URL = re.compile(
    rf"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]+\]|{_LABEL}(?:\.{_LABEL})*\.?)(?::(?P<port>[0-9]{{1,5}}))?"
    r"(?P<path>/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?",
    re.IGNORECASE,
)
"""A URL as every parser reads it (RFC 3986), without user, query and fragment; a label is as long as DNS allows (RFC 1035)."""
_FAULTS = (
    (re.compile(r"[\s\x00-\x1f\x7f\\]"), "it holds a space, a control character or a backslash"),
    (re.compile(r"[^\x00-\x7f]"), "an international name is written in its ASCII form, xn--…"),
    (re.compile(r"^[^/]*//[^/?#]*@"), "it holds a user or a password, and the key is given as the API key"),
    (re.compile(r"[?#]"), "it holds a query or a fragment"),
)


def check_base_url(url: Any) -> str:
    """Return the base URL without a trailing slash; raises InputError unless it is https, or http on this machine only.

    It holds a host, and perhaps a port and a path. The error says what is wrong and repeats nothing of it, since it may hold
    a password.
    """
    text = url.strip(" \t\r\n") if isinstance(url, str) else ""
    parts = _BASE_URL.fullmatch(text)
    if parts is not None:
        host = parts["host"].strip("[]").lower()
        is_secure = parts["scheme"].lower() == "https" or is_loopback(host)
        has_port = parts["port"] is None or 0 < int(parts["port"]) < 65_536
        if is_secure and has_port and len(host) < 254 and (not parts["host"].startswith("[") or _is_address(host)):
            return text.rstrip("/")
    fault = next((f"; {fault}" for pattern, fault in _FAULTS if pattern.search(text)), "")
    message = (
        f"must be an https URL (http only on loopback) of a host, perhaps with port and path{fault}; see PERSONA_BASE_URL"
    )
    raise InputError("runner", [Problem("base_url", message)])


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine."""
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True

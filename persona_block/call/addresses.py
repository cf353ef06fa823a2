"""Where requests may go: over verified TLS, or to this machine."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from ..errors import InputError, Problem


def check_base_url(url: str) -> str:
    """Return the base URL without a trailing slash; raises InputError unless it is https, or http on this machine only."""
    parts = urlsplit(url.strip())
    try:
        plain = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
        whole = bool(parts.hostname) and parts.port != 0 and not (parts.query or parts.fragment or parts.username)
    except ValueError:
        plain = whole = False
    if not (plain and whole):
        message = "must be an https URL (http only on loopback) without user, query or fragment; see PERSONA_BASE_URL"
        raise InputError("runner", [Problem("base_url", message)])
    return url.strip().rstrip("/")


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

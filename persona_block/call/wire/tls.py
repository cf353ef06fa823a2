"""The TLS context of every connection."""

from __future__ import annotations

import ssl
from functools import cache

import httpx


@cache
def tls_context() -> ssl.SSLContext:
    """Return one verifying TLS context for all connections; making one reads every root certificate."""
    return httpx.create_ssl_context()

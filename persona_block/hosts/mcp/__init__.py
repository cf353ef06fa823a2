"""The operations as a server of the Model Context Protocol, on standard input and output or over HTTP (extra `mcp`)."""

from __future__ import annotations

from .http import create_app
from .server import Options, create_server, serve_stdio

__all__ = ["Options", "create_app", "create_server", "serve_stdio"]

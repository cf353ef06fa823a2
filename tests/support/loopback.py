"""Servers on this machine that answer as a test says and record what they were asked, with TLS where it is wanted."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import trustme


@cache
def certificate_authority() -> trustme.CA:
    """Return the certificate authority of this run's tests."""
    return trustme.CA()


def server_context(*names: str) -> ssl.SSLContext:
    """Return the TLS context of a server with a certificate for the names; the default is localhost and 127.0.0.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate_authority().issue_cert(*(names or ("localhost", "127.0.0.1"))).configure_cert(context)
    return context


def write_authority(folder: Path) -> Path:
    """Write the authority's certificate into a folder, for SSL_CERT_FILE, and return its path."""
    path = folder / "authority.pem"
    certificate_authority().cert_pem.write_to_path(str(path))
    return path


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Names in small letters."""
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Answered:
    """One answer; with `is_lost` the connection ends without it."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_lost: bool = False

    @classmethod
    def of(cls, document: Any, status: int = 200, **headers: str) -> Answered:
        """Return an answer of JSON; a header's underscores are dashes."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(status, {"Content-Type": "application/json", **named}, json.dumps(document).encode())


LOST = Answered(is_lost=True)


class LoopbackServer:
    """A server on a free port of this machine, in threads of its own; use it as a context.

    answer: gives the answer of each request; the default is an empty 200.
    tls: serves https with this context; the default is plain http.
    """

    def __init__(self, answer: Callable[[Asked], Answered] | None = None, *, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        self._was_asked = threading.Event()
        self._answer = answer or (lambda _: Answered())
        owner = self

        class Handler(BaseHTTPRequestHandler):
            disable_nagle_algorithm = True

            def _serve(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.command, self.path, headers, self.rfile.read(int(headers.get("content-length", 0))))
                owner.asked.append(asked)
                owner._was_asked.set()
                answered = owner.answer(asked)
                if answered.is_lost:
                    self.close_connection = True
                    return
                self.send_response(answered.status)
                for name, value in {**answered.headers, "Content-Length": str(len(answered.body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answered.body)

            do_GET = do_POST = do_PUT = _serve

            def log_message(self, format: str, *args: object) -> None:
                """Log nothing."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                """Say nothing of a connection that a client gave up."""

        self._server = Server(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def answer(self, asked: Asked) -> Answered:
        """Return the answer of a request."""
        return self._answer(asked)

    def wait_for_one(self) -> None:
        """Wait until the first request has come, for at most 10 seconds."""
        assert self._was_asked.wait(10)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

"""A server on this machine that records every request, answers each with 404, and serves files."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class RecordedRequest:
    """One request as it came over the wire; `target` is path and query, undecoded."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class RecordingServer:
    """What came in, the server's origin, and the files that it serves by path."""

    origin: str
    files: dict[str, bytes] = field(default_factory=dict)
    requests: list[RecordedRequest] = field(default_factory=list)


@contextmanager
def recording_server() -> Iterator[RecordingServer]:
    """Serve on a free port of this machine; what is asked for as a file is not recorded."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _answer(self) -> None:
            body = self._body()
            content = record.files.get(self.path.partition("?")[0])
            if content is None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                record.requests.append(RecordedRequest(self.command, self.path, headers, body))
            self.send_response(404 if content is None else 200)
            answer = b'{"errors": [{"title": "Recorded"}]}' if content is None else content
            self.send_header("Content-Type", "application/json" if content is None else "application/octet-stream")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PATCH = do_DELETE = _answer

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            pieces = []
            while size := int(self.rfile.readline(), 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(pieces)

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    record = RecordingServer(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield record
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

"""A receiver of webhooks that believes nothing: each body must be signed and fit the official contract."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from persona_block import webhooks
from persona_block.spec.inflection import normalize
from tests.support.contract_client import contract

URL = "http://127.0.0.1:8000/webhooks"
SECRET = "wbhsec_of-the-tests"


class Receiver:
    """Takes webhooks in the place of the network; `answer` says with which status."""

    def __init__(self, answer: Callable[[webhooks.Event], int] = lambda event: 200) -> None:
        self.answer = answer
        self.events: list[webhooks.Event] = []
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[httpx.Headers] = []

    @property
    def transport(self) -> httpx.MockTransport:
        """What a sandbox takes as its `webhook_transport`."""
        return httpx.MockTransport(self.take)

    @property
    def options(self) -> dict[str, Any]:
        """What a sandbox needs to send its events here."""
        return {"webhook": URL, "webhook_secret": SECRET, "webhook_transport": self.transport}

    @property
    def names(self) -> list[str]:
        """The names of the events that came, in their order."""
        return [event.name for event in self.events]

    def take(self, request: httpx.Request) -> httpx.Response:
        """Take one webhook."""
        event = webhooks.read(request.content, request.headers["Persona-Signature"], SECRET)
        body = json.loads(request.content)
        rules = contract()
        if rules is not None:
            problems = rules.check_webhook(event.name, normalize(body))
            assert not problems, problems
        self.events.append(event)
        self.bodies.append(body)
        self.headers.append(request.headers)
        return httpx.Response(self.answer(event))


class Listener:
    """A receiver on a loopback port, in threads of its own."""

    def __init__(self, status: int = 200) -> None:
        self.events: list[webhooks.Event] = []
        self.status = status
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                listener.events.append(webhooks.read(body, self.headers["Persona-Signature"], SECRET))
                self.send_response(listener.status)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait_for(self, count: int) -> None:
        """Wait until so many events have come."""
        self.until(lambda events: len(events) >= count)

    def until(self, condition: Callable[[list[webhooks.Event]], bool]) -> None:
        """Wait until the events that have come are as they should be; fails after 20 seconds."""
        ends = time.monotonic() + 20
        while not condition(self.events):
            assert time.monotonic() < ends, [event.name for event in self.events]
            time.sleep(0.01)

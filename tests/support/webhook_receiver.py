"""Receivers of webhooks for tests, which check signatures and bodies."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from persona_block import webhooks
from persona_block.sandbox import Settings, Webhook
from persona_block.spec.inflection import normalize
from tests.support.contract_client import ContractClient, contract

URL = "http://127.0.0.1:8000/webhooks"
SECRET = "wbhsec_of-the-tests"


class Receiver:
    """A receiver in the place of the network: each body must be signed and fit the contract.

    `answer` returns the status that answers an event, by default 200.
    """

    def __init__(self, answer: Callable[[webhooks.Event], int] | None = None) -> None:
        self._answer = answer
        self.events: list[webhooks.Event] = []
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[httpx.Headers] = []

    def webhook(self, **options: Any) -> Webhook:
        """Return the webhook of this receiver; `options` are its events and inflection."""
        return Webhook(URL, SECRET, transport=httpx.MockTransport(self.receive), **options)

    @property
    def names(self) -> list[str]:
        """The names of the received events, in their order."""
        return [event.name for event in self.events]

    def receive(self, request: httpx.Request) -> httpx.Response:
        """Check one request, and return its answer."""
        event = webhooks.read(request.content, request.headers["Persona-Signature"], SECRET)
        body = json.loads(request.content)
        rules = contract()
        if rules is not None:
            problems = rules.check_webhook(event.name, normalize(body))
            assert not problems, problems
        self.events.append(event)
        self.bodies.append(body)
        self.headers.append(request.headers)
        return httpx.Response(200 if self._answer is None else self._answer(event))


def listening_client(
    receiver: Receiver | None = None, *, populate: bool = False, settings: Settings | None = None, **options: Any
) -> tuple[ContractClient, Receiver]:
    """Return a client of a sandbox, and the receiver of its webhook; `options` are those of `Receiver.webhook`."""
    receiver = receiver or Receiver()
    return ContractClient(populate=populate, settings=settings, webhook=receiver.webhook(**options)), receiver


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
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait_for(self, count: int) -> None:
        """Wait until so many events have been received."""
        self.until(lambda events: len(events) >= count)

    def until(self, condition: Callable[[list[webhooks.Event]], bool]) -> None:
        """Wait until the received events meet a condition, for at most 20 seconds."""
        ends = time.monotonic() + 20
        while not condition(self.events):
            assert time.monotonic() < ends, [event.name for event in self.events]
            time.sleep(0.01)

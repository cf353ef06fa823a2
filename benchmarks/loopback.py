"""A server on loopback that gives canned answers at the least cost of its own: one inquiry, or a page of 100.

Run as a program it prints its base URL and serves until its standard input ends.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

PAGE_SIZE = 100

_TIMES = (
    "created",
    "updated",
    "started",
    "completed",
    "decisioned",
    "redacted",
    "failed",
    "expired",
    "marked-for-review",
    "expires",
)


def inquiry(number: int) -> dict[str, Any]:
    """Return an inquiry as Persona answers with it, with attributes and relationships that no operation gives, too."""
    name = f"{number:04}"
    fields = {
        "name-first": {"type": "string", "value": "Mira"},
        "name-last": {"type": "string", "value": f"Harbour {name}"},
        "birthdate": {"type": "date", "value": "1988-11-02"},
        "email-address": {"type": "string", "value": f"mira{name}@harbour.example"},
        "phone-number": {"type": "string", "value": "+15555550100"},
        "address-street-1": {"type": "string", "value": "600 California Street"},
        "address-city": {"type": "string", "value": "San Francisco"},
        "address-country-code": {"type": "string", "value": "US"},
        "selected-country-code": {"type": "string", "value": "US"},
        "identification-number": {"type": "string", "value": None},
    }
    attributes = {
        "status": "completed",
        "reference-id": f"customer-{name}",
        "note": None,
        "behaviors": {"request-spoof-attempts": 0, "completion-time": 83.5, "bot-score": 5, "form-filling-time": 11.25},
        "tags": ["vip"],
        "creator": "API",
        "reviewer-comment": None,
        **{f"{each}-at": "2026-03-02T09:15:00.000Z" for each in _TIMES},
        "previous-step-name": "selfie",
        "next-step-name": "success",
        "name-first": "Mira",
        "name-last": f"Harbour {name}",
        "birthdate": "1988-11-02",
        "email-address": f"mira{name}@harbour.example",
        "fields": fields,
    }
    relationships: dict[str, Any] = {
        "account": {"data": {"type": "account", "id": f"act_Harbour{name}"}},
        "template": {"data": None},
        "inquiry-template": {"data": {"type": "inquiry-template", "id": "itmpl_Kyc1"}},
        "inquiry-template-version": {"data": {"type": "inquiry-template-version", "id": "itmplv_Kyc1a"}},
        "transaction": {"data": None},
        "reviewer": {"data": None},
        "reports": {"data": [{"type": "report/watchlist", "id": f"rep_Screen{name}"}]},
        "verifications": {
            "data": [
                {"type": "verification/government-id", "id": f"ver_Gov{name}"},
                {"type": "verification/selfie", "id": f"ver_Self{name}"},
            ]
        },
        "sessions": {"data": [{"type": "inquiry-session", "id": f"iqse_One{name}"}]},
        "documents": {"data": [{"type": "document/government-id", "id": f"doc_Gov{name}"}]},
        "selfies": {"data": [{"type": "selfie/profile-and-center", "id": f"self_{name}"}]},
    }
    return {"type": "inquiry", "id": f"inq_{name}", "attributes": attributes, "relationships": relationships}


def answers() -> dict[bytes, bytes]:
    """Return the whole answers, with their heads, by how their request begins."""
    page = {"data": [inquiry(number) for number in range(PAGE_SIZE)], "links": {"prev": None, "next": None}}
    bodies = {b"GET /inquiries/": {"data": inquiry(1), "included": []}, b"GET /inquiries?": page}
    return {begin: _whole(json.dumps(body, separators=(",", ":")).encode()) for begin, body in bodies.items()}


def _whole(body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nRequest-Id: req_Canned\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class _Canned(asyncio.Protocol):
    """Answers each request of one connection."""

    def __init__(self, canned: dict[bytes, bytes]) -> None:
        self._canned = canned
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            self._transport.write(next(answer for begin, answer in self._canned.items() if head.startswith(begin)))


async def main() -> None:
    """Serve until the standard input ends."""
    loop = asyncio.get_running_loop()
    canned = answers()
    server = await loop.create_server(lambda: _Canned(canned), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main())

"""What tests of the hosted flow do for an applicant: open links, send forms, read the inquiry."""

from __future__ import annotations

import html
import re
from typing import Any

import httpx

from tests.support.contract_client import ContractClient

DAY = 24 * 3600
START = {"step": "start", "choice": "start"}


def linked(client: ContractClient, attributes: dict[str, Any] | None = None) -> tuple[str, str]:
    """Create an inquiry; return its id, and the session's page that its one-time link opens."""
    created = client.inquiry(attributes, {"auto-create-one-time-link": True})
    return created.id, opened(client, created.body["meta"]["one-time-link"])


def opened(client: ContractClient, link: str) -> str:
    """Open a link, and return the session's page that it leads to."""
    response = client.visit(link)
    assert response.status_code == 303, response.text
    return response.headers["location"]


def status(client: ContractClient, inquiry: str) -> str:
    """Read the status of an inquiry through the API."""
    return str(client.get(f"/inquiries/{inquiry}").attributes["status"])


def verifications(client: ContractClient, inquiry: str) -> list[tuple[str, str]]:
    """Read the kind and status of each verification of an inquiry through the API."""
    related = client.get(f"/inquiries/{inquiry}").related("verifications")
    return [
        (each["type"].partition("/")[2], client.get(f"/verifications/{each['id']}").attributes["status"]) for each in related
    ]


def heading(response: httpx.Response) -> str:
    """Return the one main heading of a page."""
    (text,) = re.findall(r"<h1>(.*?)</h1>", response.text)
    return html.unescape(text)


def send(client: ContractClient, page: str, **form: str) -> str:
    """Send a form of a session's page, and return where it leads."""
    response = client.visit(page, form)
    assert response.status_code == 303, response.text
    return response.headers["location"]

"""The applicant in the tests of the hosted flow: opens links, sends forms, reads what became of the inquiry."""

from __future__ import annotations

import html
import re
from typing import Any

import httpx

from tests.support.contract_client import Client

DAY = 24 * 3600
START = {"step": "start", "choice": "start"}


def linked(client: Client, attributes: dict[str, Any] | None = None) -> tuple[str, str]:
    """Create an inquiry; give its id and the page of the session that its one-time link opens."""
    created = client.inquiry(attributes, {"auto-create-one-time-link": True})
    return created.id, opened(client, created.body["meta"]["one-time-link"])


def opened(client: Client, link: str) -> str:
    """Open a link and give the session's page that it leads to."""
    response = client.visit(link)
    assert response.status_code == 303, response.text
    return response.headers["location"]


def status(client: Client, inquiry: str) -> str:
    """Read the status of an inquiry through the API."""
    return str(client.get(f"/inquiries/{inquiry}").attributes["status"])


def verifications(client: Client, inquiry: str) -> list[tuple[str, str]]:
    """Read the kind and status of each verification of an inquiry through the API."""
    found = client.get(f"/inquiries/{inquiry}").related("verifications")
    return [
        (each["type"].partition("/")[2], client.get(f"/verifications/{each['id']}").attributes["status"]) for each in found
    ]


def heading(response: httpx.Response) -> str:
    """Give the one main heading of a page."""
    (found,) = re.findall(r"<h1>(.*?)</h1>", response.text)
    return html.unescape(found)


def send(client: Client, page: str, **form: str) -> str:
    """Send a form of a session's page and give where it leads."""
    response = client.visit(page, form)
    assert response.status_code == 303, response.text
    return response.headers["location"]

"""A client for tests that holds every answer of the sandbox against the official contract."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import cache
from types import TracebackType
from typing import Any

import httpx

from persona_block.sandbox import Sandbox
from persona_block.sandbox.state.records import Delivery
from persona_block.spec.inflection import normalize
from tests.support import openapi

JSON = dict[str, Any]


@cache
def contract() -> openapi.Contract | None:
    """Give the contract, or None where the official document is missing; tests marked with its reason then skip."""
    return openapi.Contract() if openapi.available() else None


class Answer:
    """What came back: its status, headers and body, and short ways to what tests look at."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        is_json = response.headers.get("content-type", "").startswith("application/json")
        self.body: Any = response.json() if is_json else response.content

    @property
    def data(self) -> Any:
        """The body's `data`."""
        return self.body["data"]

    @property
    def id(self) -> str:
        """The id of the one resource in the body."""
        return str(self.data["id"])

    @property
    def attributes(self) -> JSON:
        """The attributes of the one resource in the body."""
        attributes: JSON = self.data["attributes"]
        return attributes

    @property
    def ids(self) -> list[str]:
        """The ids of a list, in its order."""
        return [item["id"] for item in self.data]

    def related(self, name: str) -> Any:
        """What a relationship of the one resource names."""
        return self.data["relationships"][name]["data"]

    @property
    def details(self) -> str:
        """All the errors' details, joined."""
        return "; ".join(error.get("details", error["title"]) for error in self.body["errors"])


class Client:
    """Calls one sandbox, in process, and checks each answer."""

    def __init__(self, sandbox: Sandbox | None = None, **options: Any) -> None:
        self.sandbox = sandbox or Sandbox(**{"speed": 0, **options})
        self._runner = asyncio.Runner()
        self._http = httpx.AsyncClient(transport=self.sandbox.transport, base_url=self.sandbox.base_url)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the client and its sandbox."""
        self._runner.run(self._http.aclose())
        self._runner.close()
        self.sandbox.close()

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        files: Any = None,
        content: bytes | None = None,
        status: int | None = None,
    ) -> Answer:
        """Send one request and give its answer, checked; `status` is the one expected."""
        sent = {"Authorization": f"Bearer {key or self.sandbox.api_key}", **(headers or {})}
        request = self._http.build_request(method, path, json=body, headers=sent, params=query, files=files, content=content)
        answer = Answer(self._runner.run(self._http.send(request)))
        self.check(method, request.url, answer)
        if status is not None:
            assert answer.status == status, (answer.status, answer.body)
        return answer

    def get(self, path: str, status: int = 200, **options: Any) -> Answer:
        """Send a GET."""
        return self.call("GET", path, status=status, **options)

    def post(self, path: str, body: Any = None, status: int = 200, **options: Any) -> Answer:
        """Send a POST."""
        return self.call("POST", path, body, status=status, **options)

    def patch(self, path: str, attributes: JSON, status: int = 200, **options: Any) -> Answer:
        """Send a PATCH of attributes."""
        return self.call("PATCH", path, {"data": {"attributes": attributes}}, status=status, **options)

    def delete(self, path: str, status: int = 200, **options: Any) -> Answer:
        """Send a DELETE, which redacts."""
        return self.call("DELETE", path, status=status, **options)

    def inquiry(self, attributes: JSON | None = None, meta: JSON | None = None, **options: Any) -> Answer:
        """Create an inquiry of the usual flow."""
        template = {"inquiry-template-id": self.sandbox.templates.inquiry}
        body = {"data": {"attributes": {**template, **(attributes or {})}}, "meta": meta or {}}
        return self.post("/inquiries", body, **{"status": 201, **options})

    def account(self, status: int = 201, meta: JSON | None = None, **attributes: Any) -> Answer:
        """Create an account; attribute names are given in snake_case."""
        given = {name.replace("_", "-"): value for name, value in attributes.items()}
        return self.post("/accounts", {"data": {"attributes": given}, "meta": meta or {}}, status)

    def report(self, kind: str = "watchlist", status: int = 201, meta: JSON | None = None, **attributes: Any) -> Answer:
        """Create a report; attribute names are given in snake_case, the query as it is."""
        given = {name.replace("_", "-"): value for name, value in attributes.items()}
        return self.post("/reports", {"data": {"type": f"report/{kind}", "attributes": given}, "meta": meta or {}}, status)

    def upload(self, content: bytes, status: int = 201, **options: Any) -> Answer:
        """Import a CSV file."""
        return self.post("/importer/accounts", status=status, files={"data[attributes][file]": ("a.csv", content)}, **options)

    def finished(self, inquiry_id: str, outcome: str = "pass") -> JSON:
        """Let the applicant finish an inquiry, and give it."""
        return self.sandbox.complete(inquiry_id, outcome)

    def fetch(self, url: str) -> httpx.Response:
        """Fetch a file URL or a link, without a key, and go where it leads."""
        return self._runner.run(self._http.get(url, follow_redirects=True))

    def deliver(self) -> list[Delivery]:
        """Send the webhook what is due."""
        return self._runner.run(self.sandbox.deliver())

    def visit(self, url: str, form: JSON | None = None, method: str | None = None, **headers: str) -> httpx.Response:
        """Ask for a page as a browser does, or send a form; header names are given in snake_case."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        address = httpx.URL(self.sandbox.base_url).join(url)
        method = method or ("GET" if form is None else "POST")
        return self._runner.run(self._http.request(method, address, data=form, headers=sent))

    def check(self, method: str, url: httpx.URL, answer: Answer) -> None:
        """Assert that an answer fits the contract, errors included."""
        assert answer.status != 500, answer.body
        rules, path = contract(), url.raw_path.decode().partition("?")[0]
        if rules is None or rules.match(method, path) is None:
            return
        body = normalize(answer.body) if isinstance(answer.body, dict) else answer.body
        sparse = any(name.startswith("fields[") for name in url.params)
        problems = rules.check_response(method, path, answer.status, answer.headers, body, sparse=sparse)
        assert not problems, problems
        if answer.status == 401:
            assert not [name for name in answer.headers if name.startswith(("ratelimit", "request-id", "persona-env"))]
        if answer.status >= 400:
            assert answer.body["errors"], "an error answer says what is wrong"
            assert all(error["title"] for error in answer.body["errors"])
            assert answer.status != 404 or answer.body == {"errors": [{"title": "Record not found"}]}

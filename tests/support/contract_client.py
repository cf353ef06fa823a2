"""A client for tests that checks every reply of the sandbox against the official contract."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import cache
from types import TracebackType
from typing import Any

import httpx

from persona_block.sandbox import Sandbox
from persona_block.sandbox.api.exchange import ANSWERED_VERSION
from persona_block.sandbox.api.serialization import resource_object
from persona_block.sandbox.api.versions import LATEST
from persona_block.sandbox.simulation.settle import settled
from persona_block.sandbox.state.environment import Environment
from persona_block.sandbox.state.records import Delivery
from persona_block.spec.inflection import normalize
from tests.support import openapi

JSON = dict[str, Any]
AS_JSON = {"Content-Type": "application/json"}


@cache
def contract() -> openapi.Contract | None:
    """Return the contract, or None where the official document is missing."""
    return openapi.Contract() if openapi.available() else None


class CheckedReply:
    """A reply that fits the contract: its status, headers and body, and the parts that tests look at."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        is_json = response.headers.get("content-type", "").startswith("application/json")
        self.body: Any = response.json() if is_json and response.content else response.content

    def expect(self, status: int) -> CheckedReply:
        """Assert that the reply has a status, and return it."""
        assert self.status == status, (self.status, self.body)
        return self

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
        """Return what a relationship of the one resource names."""
        return self.data["relationships"][name]["data"]

    @property
    def details(self) -> str:
        """All the errors' details, joined."""
        return "; ".join(error.get("details", error["title"]) for error in self.body["errors"])


class ContractClient:
    """A client of one sandbox, in process, that checks each reply.

    `options` are those of `Sandbox`; unless they say otherwise, the clock stands still between requests.
    """

    def __init__(self, sandbox: Sandbox | None = None, **options: Any) -> None:
        self.sandbox = sandbox or Sandbox(**{"speed": 0, **options})
        self._runner = asyncio.Runner()
        self._http = httpx.AsyncClient(transport=self.sandbox.transport, base_url=self.sandbox.base_url)

    def __enter__(self) -> ContractClient:
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
        api_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        files: Any = None,
        content: bytes | None = None,
    ) -> CheckedReply:
        """Send one request, and return its reply, checked; the key is by default that of production.

        `content` is sent as it is, without a type of its own.
        """
        sent = {"Authorization": f"Bearer {api_key or self.sandbox.api_key}", **(headers or {})}
        request = self._http.build_request(method, path, json=body, headers=sent, params=query, files=files, content=content)
        reply = CheckedReply(self._runner.run(self._http.send(request)))
        self.check_reply(method, request.url, reply)
        return reply

    def get(self, path: str, status: int = 200, **options: Any) -> CheckedReply:
        """Send a GET, and return its reply, which must have the status."""
        return self.call("GET", path, **options).expect(status)

    def post(self, path: str, body: Any = None, status: int = 200, **options: Any) -> CheckedReply:
        """Send a POST, and return its reply, which must have the status."""
        return self.call("POST", path, body, **options).expect(status)

    def patch(self, path: str, attributes: JSON, status: int = 200, **options: Any) -> CheckedReply:
        """Send a PATCH of attributes, and return its reply, which must have the status."""
        return self.call("PATCH", path, {"data": {"attributes": attributes}}, **options).expect(status)

    def delete(self, path: str, status: int = 200, **options: Any) -> CheckedReply:
        """Send a DELETE, which redacts, and return its reply, which must have the status."""
        return self.call("DELETE", path, **options).expect(status)

    def inquiry(self, attributes: JSON | None = None, meta: JSON | None = None, **options: Any) -> CheckedReply:
        """Create an inquiry of the usual flow, and return the reply."""
        template = {"inquiry-template-id": self.sandbox.templates.inquiry}
        body = {"data": {"attributes": {**template, **(attributes or {})}}, "meta": meta or {}}
        return self.post("/inquiries", body, **{"status": 201, **options})

    def inquiry_in(self, status: str) -> str:
        """Create an inquiry, bring it to a status, and return its id."""
        id = self.inquiry({"fields": {"name-first": "Jane", "name-last": "Doe"}}).id
        if status in ("completed", "failed", "needs_review"):
            self.finished(id, {"completed": "pass", "failed": "fail", "needs_review": "review"}[status])
        elif status in ("approved", "declined"):
            self.finished(id)
            self.post(f"/inquiries/{id}/{status.removesuffix('d')}")
        elif status == "expired":
            self.post(f"/inquiries/{id}/expire")
        elif status == "pending":
            self.finished(id, "abandon")
        assert self.get(f"/inquiries/{id}").attributes["status"] == status
        return id

    def account(self, status: int = 201, meta: JSON | None = None, **attributes: Any) -> CheckedReply:
        """Create an account, and return the reply; attribute names are in snake_case."""
        kebab_attributes = {name.replace("_", "-"): value for name, value in attributes.items()}
        return self.post("/accounts", {"data": {"attributes": kebab_attributes}, "meta": meta or {}}, status)

    def report(self, kind: str = "watchlist", status: int = 201, meta: JSON | None = None, **attributes: Any) -> CheckedReply:
        """Create a report, and return the reply; attribute names are in snake_case, the query is sent as it is."""
        kebab_attributes = {name.replace("_", "-"): value for name, value in attributes.items()}
        return self.post(
            "/reports", {"data": {"type": f"report/{kind}", "attributes": kebab_attributes}, "meta": meta or {}}, status
        )

    def upload(self, content: bytes, status: int = 201, **options: Any) -> CheckedReply:
        """Import a CSV file, and return the reply."""
        return self.post("/importer/accounts", status=status, files={"data[attributes][file]": ("a.csv", content)}, **options)

    def finished(self, inquiry_id: str, outcome: str | None = "pass") -> JSON:
        """Let the applicant finish an inquiry, and return it as the API shows it."""
        self.sandbox.complete(inquiry_id, outcome)
        organization = self.sandbox.organization
        with settled(organization) as now:
            stored = organization.store.get(inquiry_id)
            assert stored is not None
            env = Environment(organization, stored.environment, now)
            return resource_object(env, env.get(inquiry_id))

    def fetch(self, url: str) -> httpx.Response:
        """Return the answer to a file URL or a link, without a key, following redirects."""
        return self._runner.run(self._http.get(url, follow_redirects=True))

    def deliver(self) -> list[Delivery]:
        """Send the events that are due, and return the attempts."""
        return self._runner.run(self.sandbox.deliver())

    def visit(self, url: str, form: JSON | None = None, method: str | None = None, **headers: str) -> httpx.Response:
        """Return a page as a browser requests it, or the answer to a form; header names are in snake_case."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        address = httpx.URL(self.sandbox.base_url).join(url)
        method = method or ("GET" if form is None else "POST")
        return self._runner.run(self._http.request(method, address, data=form, headers=sent))

    def check_reply(self, method: str, url: httpx.URL, reply: CheckedReply) -> None:
        """Assert that a reply fits the contract, errors included; a success in an older version's shape is not looked at."""
        assert reply.status != 500, reply.body
        rules, path = contract(), url.raw_path.decode().partition("?")[0]
        if rules is None or rules.match(method, path) is None:
            return
        if reply.status < 400 and reply.headers[ANSWERED_VERSION] != LATEST:
            return
        body = normalize(reply.body) if isinstance(reply.body, dict) else reply.body
        sparse = any(name.startswith("fields[") for name in url.params)
        problems = rules.check_response(method, path, reply.status, reply.headers, body, sparse=sparse)
        assert not problems, problems
        if reply.status == 401:
            assert not [name for name in reply.headers if name.startswith(("ratelimit", "request-id", "persona-env"))]
        if reply.status >= 400:
            assert reply.body["errors"], "an error says what is wrong"
            assert all(error["title"] for error in reply.body["errors"])
            assert reply.status != 404 or reply.body == {"errors": [{"title": "Record not found"}]}

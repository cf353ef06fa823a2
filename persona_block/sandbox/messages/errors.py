"""The error answers of the API, as exceptions that an operation raises and the protocol writes out.

Bodies are `{"errors": [{"title", "details"?, "source"?}]}` (OpenAPI: components/responses). A 401 holds titles only,
a 404 here likewise, and `source.pointer` belongs to 422 alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

TITLES = {
    400: "Bad Request",
    401: "Must be authenticated to access this endpoint",
    403: "Forbidden",
    404: "Record not found",
    405: "Method not allowed",
    409: "Conflict",
    422: "Unprocessable entity",
    429: "Rate limit exceeded",
    500: "Internal server error",
    501: "Not implemented",
}


class Refusal(Exception):
    """An error answer: its HTTP status, one or more errors as the body lists them, and headers of its own, mostly none."""

    def __init__(self, status: int, *errors: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{status}: {errors}")
        self.status = status
        self.errors = list(errors)
        self.headers = headers or {}

    @property
    def body(self) -> dict[str, Any]:
        """The JSON body of the answer."""
        return {"errors": self.errors}


def refusal(
    status: int,
    details: str | None = None,
    *,
    title: str | None = None,
    pointer: str | None = None,
    headers: dict[str, str] | None = None,
) -> Refusal:
    """Return an error answer of one error; without a title it has the usual one of its status."""
    error: dict[str, Any] = {"title": title or TITLES[status]}
    if details is not None:
        error["details"] = details
    if pointer is not None:
        error["source"] = {"pointer": pointer}
    return Refusal(status, error, headers=headers)


def bad_request(*details: str) -> Refusal:
    """Return a 400 with an error for each detail: the request itself cannot be accepted."""
    return Refusal(400, *({"title": TITLES[400], "details": text} for text in details))


def not_found() -> Refusal:
    """Return a 404, which holds nothing but its title."""
    return refusal(404)


def method_not_allowed(details: str, methods: Iterable[str]) -> Refusal:
    """Return a 405, whose header `Allow` lists the methods of the path; HEAD goes with GET."""
    allowed = {*methods, "HEAD"} if "GET" in methods else set(methods)
    return refusal(405, details, headers={"Allow": ", ".join(sorted(allowed))})


def conflict(details: str, title: str | None = None) -> Refusal:
    """Return a 409: the request collides with what is already there."""
    return refusal(409, details, title=title)


def unprocessable(details: str, pointer: str | None = None) -> Refusal:
    """Return a 422: well formed, but not possible for this value or in this state."""
    return refusal(422, details, title="Record invalid" if pointer else None, pointer=pointer)

"""What can go wrong, as one tree.

    PersonaError
    ├── InputError            the params are wrong; nothing was sent
    ├── TransportError        no answer came
    ├── ApiError              Persona answered with an error
    │   ├── Unauthorized      401
    │   ├── Forbidden         403
    │   ├── NotFound          404
    │   ├── Conflict          409
    │   ├── Rejected          400, 422
    │   ├── RateLimited       429
    │   └── Unavailable       408, 5xx
    ├── ResponseError         a 2xx answer that broke its promise
    ├── WaitError             waiting did not bring what was wanted
    │   ├── WaitFailed        it ended badly
    │   └── WaitTimedOut      it did not end in time
    ├── WebhookError          a webhook that cannot be read
    │   └── SignatureError    it is not known to come from Persona
    └── SpecError             our own fault: a spec file is wrong

Statuses and their meaning: Persona's error responses in its OpenAPI, `components/responses`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one param; the message never holds the param's value."""

    param: str
    message: str

    def __post_init__(self) -> None:
        # An unknown param's name is whatever a caller wrote, and is repeated to them.
        object.__setattr__(self, "param", printable(self.param))


def printable(name: str) -> str:
    """A name that somebody else wrote, as text that can be sent and read: at most 64 characters, what is no text escaped."""
    return name[:64].encode("utf-8", "backslashreplace").decode()


class PersonaError(Exception):
    """Base of everything this package raises on purpose."""

    retryable = False

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.output: dict[str, Any] = {}
        """What had been read before it went wrong; empty where nothing had."""
        self.took_effect: str | None = "no"
        """Whether something was changed all the same: "no", "yes", "unknown", or None for what changes nothing anyway."""

    @property
    def kind(self) -> str:
        """The class name in snake case, such as `rate_limited`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()

    def details(self) -> dict[str, Any]:
        """The error as `errorDetails` of a result holds it; every key is always there."""
        return {
            "kind": self.kind,
            "status": None,
            "title": None,
            "details": None,
            "requestId": None,
            "retryable": self.retryable,
            "tookEffect": self.took_effect,
            "problems": [],
        }


class InputError(PersonaError):
    """The params are wrong: every problem at once, and nothing was sent."""

    def __init__(self, operation: str, problems: Sequence[Problem]) -> None:
        self.operation = operation
        self.problems = tuple(problems)
        listed = "; ".join(f"{problem.param}: {problem.message}" for problem in self.problems)
        super().__init__(f"{operation}: nothing was sent. {listed}.")

    def details(self) -> dict[str, Any]:
        problems = [{"param": problem.param, "message": problem.message} for problem in self.problems]
        return super().details() | {"problems": problems}


class TransportError(PersonaError):
    """No answer came from Persona; `took_effect` says whether it may have acted on the request."""

    retryable = True

    def __init__(self, message: str, *, took_effect: str | None = "unknown") -> None:
        super().__init__(message)
        self.took_effect = took_effect


class ApiError(PersonaError):
    """Persona answered with an error status."""

    advice = ""
    """What to do about it, as a sentence."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        title: str | None = None,
        details: str | None = None,
        request_id: str | None = None,
        took_effect: str | None = "no",
    ) -> None:
        super().__init__(message)
        self.took_effect = took_effect
        self.status = status
        self.title = title
        self.detail_text = details
        self.request_id = request_id

    def details(self) -> dict[str, Any]:
        return super().details() | {
            "status": self.status,
            "title": self.title,
            "details": self.detail_text,
            "requestId": self.request_id,
        }


class Unauthorized(ApiError):
    """401: the key is missing or not valid."""

    advice = "Check the API key and that it belongs to this environment."


class Forbidden(ApiError):
    """403: the key lacks a permission, or the environment forbids it."""

    advice = "Check what the API key is allowed to do."


class NotFound(ApiError):
    """404: no such object in this environment."""

    advice = "Check the id, and that it belongs to the environment of the API key."


class Conflict(ApiError):
    """409: it is there already, or changed at the same moment."""

    advice = "Read the object as it is now before trying again."


class Rejected(ApiError):
    """400 or 422: Persona does not accept the request as it stands."""

    advice = "Change the params as it says."


class RateLimited(ApiError):
    """429: too many requests, or a quota is used up."""

    advice = "Wait for the limit to reset, then try again."
    retryable = True


class Unavailable(ApiError):
    """408 or 5xx: Persona could not answer."""

    advice = "The fault is on Persona's side; try again in a while."
    retryable = True


class ResponseError(PersonaError):
    """A 2xx answer that is not what the operation promises."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        request_id: str | None = None,
        took_effect: str | None = "unknown",
    ) -> None:
        super().__init__(message)
        self.took_effect = took_effect
        self.status = status
        self.request_id = request_id

    def details(self) -> dict[str, Any]:
        return super().details() | {"status": self.status, "requestId": self.request_id}


class WaitError(PersonaError):
    """Waiting did not bring what was wanted; `output` is what was read last."""

    def __init__(self, message: str, output: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.output = dict(output)
        self.took_effect = None


class WaitFailed(WaitError):
    """What was waited for ended badly."""


class WaitTimedOut(WaitError):
    """What was waited for did not end in time; it may still."""

    retryable = True


class WebhookError(PersonaError):
    """What arrived as a webhook cannot be read."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.took_effect = None


class SignatureError(WebhookError):
    """A webhook whose signature does not show that Persona sent it, and sent it just now."""


class SpecError(PersonaError):
    """A spec file is wrong, which is this package's fault and not the caller's."""


_BY_STATUS: dict[int, type[ApiError]] = {
    400: Rejected,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    408: Unavailable,
    409: Conflict,
    422: Rejected,
    429: RateLimited,
}


def api_error_type(status: int) -> type[ApiError]:
    """The class for an HTTP status of 400 or more."""
    return _BY_STATUS.get(status, Unavailable if status >= 500 else ApiError)

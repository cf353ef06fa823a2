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
    ├── InDoubt               a write may have taken effect, and Persona does not show whether it did
    ├── DeliveryError         a message or a file of a flow did not get where it was to go
    ├── WebhookError          a webhook that cannot be read
    │   └── SignatureError    it is not known to come from Persona
    └── SpecError             our own fault: a spec file is wrong

Statuses and their meaning: Persona's error responses in its OpenAPI, `components/responses`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self, TypedDict, Unpack

TookEffect = Literal["no", "yes", "unknown"]
"""Whether something was changed at Persona."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one param; the message never holds the param's value."""

    param: str
    message: str
    code: str = "other"
    """What is wrong, for programs: one of `call.refusal.CODES`, or `other` where it is no param of an operation."""

    def __post_init__(self) -> None:
        # An unknown param's name is whatever a caller wrote, and is repeated to them.
        object.__setattr__(self, "param", printable(self.param))


def printable(name: str) -> str:
    """Return a name that somebody else wrote as text that can be sent and read: 64 characters at most, no lone surrogates."""
    return name[:64].encode("utf-8", "backslashreplace").decode()


class Consequences(TypedDict, total=False):
    """What every error tells beside its message; each constructor takes these as keywords."""

    output: Mapping[str, Any]
    """What had been read before it went wrong; the default is nothing."""
    took_effect: TookEffect | None
    """Whether something was changed all the same; None for an operation that changes nothing."""
    retryable: bool
    """Whether sending it again may help; the default is the class's `may_help`."""
    idempotency_key: str | None
    """The key under which a write in doubt can be sent again without happening twice."""
    retry_after: float | None
    """Seconds until sending it again may help, where they are known."""


class PersonaError(Exception):
    """Base of everything this package raises on purpose.

    An error survives `pickle`, so that process pools and workflow engines can hand it on.
    """

    may_help: bool = False
    """Whether an error of this class may pass when the same is sent again."""
    took_effect: TookEffect | None = "no"
    """Whether something was changed all the same, or None for what changes nothing anyway."""

    def __init__(self, message: str, **consequences: Unpack[Consequences]) -> None:
        super().__init__(message)
        self.message = message
        self.output: dict[str, Any] = dict(consequences.get("output", {}))
        """What had been read before it went wrong; empty where nothing had."""
        if "took_effect" in consequences:
            self.took_effect = consequences["took_effect"]
        if "retryable" in consequences:
            self.may_help = consequences["retryable"]
        self.idempotency_key = consequences.get("idempotency_key")
        """The key of a write in doubt: given to `run` or `call` again, it makes sure that the write happens once."""
        self.retry_after = consequences.get("retry_after")
        """Seconds until sending it again may help, where they are known."""

    @property
    def retryable(self) -> bool:
        """Whether sending it again, as a new call, can do no harm and may help.

        It is never true of a write that may have taken effect, unless the idempotency key that makes it safe is told with it.
        """
        return self.may_help and (self.took_effect != "unknown" or self.idempotency_key is not None)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.args, self.__dict__)

    @property
    def kind(self) -> str:
        """The class name in snake case, such as `rate_limited`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()

    def details(self) -> dict[str, Any]:
        """Return the error as `errorDetails` of a result holds it; every key is always there."""
        return {
            "kind": self.kind,
            "status": None,
            "title": None,
            "details": None,
            "requestId": None,
            "retryable": self.retryable,
            "tookEffect": self.took_effect,
            "idempotencyKey": self.idempotency_key,
            "retryAfter": self.retry_after,
            "problems": [],
        }

    def revised(self, message: str | None = None, **consequences: Unpack[Consequences]) -> Self:
        """Return a copy with another message or other consequences."""
        copy: Self = _restored(type(self), self.args, self.__dict__)
        PersonaError.__init__(copy, self.message if message is None else message, **(_consequences(self) | consequences))
        return copy


def _consequences(error: PersonaError) -> Consequences:
    return {
        "output": error.output,
        "took_effect": error.took_effect,
        "retryable": error.may_help,
        "idempotency_key": error.idempotency_key,
        "retry_after": error.retry_after,
    }


def _restored(kind: type[PersonaError], args: tuple[Any, ...], state: Mapping[str, Any]) -> Any:
    """Return an error of a class as it was, without running its constructor."""
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


class InputError(PersonaError):
    """The params are wrong: every problem at once, and nothing was sent."""

    def __init__(self, operation: str, problems: Sequence[Problem], **consequences: Unpack[Consequences]) -> None:
        self.operation = operation
        self.problems = tuple(problems)
        listed = "; ".join(f"{problem.param}: {problem.message}" for problem in self.problems)
        nothing_sent = "Nothing was sent" if operation == "operation" else f"{operation}: nothing was sent"
        super().__init__(f"{nothing_sent}. {listed}{'' if listed.endswith('?') else '.'}", **consequences)

    def details(self) -> dict[str, Any]:
        problems = [{"param": problem.param, "code": problem.code, "message": problem.message} for problem in self.problems]
        return super().details() | {"problems": problems}


class TransportError(PersonaError):
    """No answer came from Persona; `took_effect` says whether it may have acted on the request."""

    may_help = True
    took_effect: TookEffect | None = "unknown"


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
        **consequences: Unpack[Consequences],
    ) -> None:
        super().__init__(message, **consequences)
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
    may_help = True


class Unavailable(ApiError):
    """408 or 5xx: Persona could not answer."""

    advice = "The fault is on Persona's side; try again in a while."
    may_help = True


class ResponseError(PersonaError):
    """A 2xx answer that is not what the operation promises."""

    took_effect: TookEffect | None = "unknown"

    def __init__(
        self, message: str, *, status: int | None = None, request_id: str | None = None, **consequences: Unpack[Consequences]
    ) -> None:
        super().__init__(message, **consequences)
        self.status = status
        self.request_id = request_id

    def details(self) -> dict[str, Any]:
        return super().details() | {"status": self.status, "requestId": self.request_id}


class WaitError(PersonaError):
    """Waiting did not bring what was wanted; `output` is what was read last."""

    took_effect: TookEffect | None = None


class WaitFailed(WaitError):
    """What was waited for ended badly."""


class WaitTimedOut(WaitError):
    """What was waited for did not end in time; it may still."""

    may_help = True


class InDoubt(PersonaError):
    """A write of a flow may have taken effect, and Persona does not show whether it did."""

    took_effect: TookEffect | None = "unknown"


class DeliveryError(PersonaError):
    """A message or a file of a flow did not get where it was to go.

    `took_effect` says whether it arrived all the same: "no", "yes" where only a part of it is missing, or "unknown".
    """


class WebhookError(PersonaError):
    """What arrived as a webhook cannot be read."""

    took_effect: TookEffect | None = None


class SignatureError(WebhookError):
    """A webhook whose signature does not show that Persona sent it, and sent it just now."""


class SpecError(PersonaError):
    """A spec file is wrong, which is this package's fault and not the caller's."""


_BY_STATUS: dict[int, type[ApiError]] = {400: Rejected, 401: Unauthorized, 403: Forbidden, 404: NotFound, 408: Unavailable}
_BY_STATUS |= {409: Conflict, 422: Rejected, 429: RateLimited}


def api_error_type(status: int) -> type[ApiError]:
    """Return the class for an HTTP status of 400 or more."""
    return _BY_STATUS.get(status, Unavailable if status >= 500 else ApiError)

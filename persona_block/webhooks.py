"""Persona's webhooks: whether a body that arrived was signed by Persona, and the event that it tells of.

`read` does both and is all that a receiver needs; hand it the raw bytes of the body, since a body that was parsed and
written again need not be the same. Persona delivers an event at least once, perhaps several times, and in no fixed order:
keep the ids of events that were dealt with, and go by `created_at` where the order matters. Any 2xx answer is success.

Sources: docs.withpersona.com/webhooks and /webhooks-best-practices; OpenAPI `webhooks`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .call.parse import first, shape
from .errors import SignatureError, WebhookError
from .spec import catalog
from .spec.inflection import normalize

SIGNATURE_HEADER = "Persona-Signature"

TOLERANCE = 300.0
"""Seconds that a signature's time may be off. Persona names no figure; this is ours."""

# The set of a secret that is being rotated away stands beside the set of its successor, with a space between.
_SET = re.compile(r"t=(?P<time>[0-9]{1,12}),v1=(?P<digest>[0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Event:
    """What happened at Persona, to which object, and how that object was right after it."""

    id: str
    """Unique to the event, and the same in each of its deliveries."""
    name: str
    """Such as `inquiry.approved` or `report/watchlist.matched`; Persona may add more at any time."""
    created_at: datetime
    resource_type: str
    """Such as `inquiry`, `verification/selfie` or `report/watchlist`."""
    resource_id: str
    data: Mapping[str, Any] = field(repr=False, compare=False)
    """The object as Persona's API writes it, with keys in kebab-case."""
    included: Sequence[Mapping[str, Any]] = field(repr=False, compare=False)
    """Related objects, where the webhook is set to send them."""
    context: Mapping[str, Any] = field(repr=False, compare=False)
    """More about the change, such as `added-tags` and `removed-tags`; mostly empty."""

    @property
    def resource(self) -> dict[str, Any] | None:
        """The object as this block's operations give it, or None for a type that none of them gives.

        Raises WebhookError for an object that is not what its type promises.
        """
        kind = self.resource_type.partition("/")[0]
        shapes = (output for spec in catalog.load_all() for output in spec.output.values())
        schema = next((output for output in shapes if output.get("x-type") == kind), None)
        if schema is None:
            return None
        try:
            found: dict[str, Any] = shape(schema, dict(self.data))
        except (ValueError, RecursionError):
            raise WebhookError(f"The webhook's {kind} is not what Persona promises of its type.") from None
        return found


def read(
    body: bytes | bytearray,
    signature: str | None,
    secrets: str | Sequence[str],
    *,
    tolerance: float | None = TOLERANCE,
    now: float | None = None,
) -> Event:
    """The event that a webhook's body tells of, once its signature is verified.

    The arguments are those of `verify`, and so are the errors; WebhookError also for a body that is no event. Keys may be in
    any of Persona's three inflections, and attributes that are not known here do no harm.
    """
    verify(body, signature, secrets, tolerance=tolerance, now=now)
    try:
        document = normalize(json.loads(body))
    except (ValueError, RecursionError):
        raise WebhookError("The webhook's body is signed but is not JSON.") from None
    data = _required(document, "/data/attributes/payload/data", dict)
    return Event(
        id=_required(document, "/data/id", str),
        name=_required(document, "/data/attributes/name", str),
        created_at=_moment(_required(document, "/data/attributes/created-at", str)),
        resource_type=_required(document, "/data/attributes/payload/data/type", str),
        resource_id=_required(document, "/data/attributes/payload/data/id", str),
        data=data,
        included=tuple(_optional(document, "/data/attributes/payload/included", list)),
        context=_optional(document, "/data/attributes/context", dict),
    )


def verify(
    body: bytes | bytearray,
    signature: str | None,
    secrets: str | Sequence[str],
    *,
    tolerance: float | None = TOLERANCE,
    now: float | None = None,
) -> None:
    """Make sure that a body was signed with one of the secrets, and not long ago.

    body: the raw bytes that arrived.
    signature: the header `Persona-Signature`; None, where there was none, is refused like any that is malformed.
    secrets: the webhook's secret, or several while one replaces another.
    tolerance: seconds that the time of signing may be away from now, in either direction; None admits any time.
    now: seconds since the epoch; None is the present.

    Raises SignatureError where it was not, and ValueError for secrets that are missing or empty.
    """
    if not isinstance(body, bytes | bytearray):
        raise TypeError("body: give the raw bytes that arrived, not what was decoded or parsed from them")
    keys = [secrets] if isinstance(secrets, str) else list(secrets) if isinstance(secrets, Iterable) else []
    if not keys or not all(isinstance(key, str) and key for key in keys):
        raise ValueError("secrets: give the webhook's secret; without one, anybody could sign")
    sets = [_SET.fullmatch(each) for each in (signature or "").split(" ")]
    if not all(sets):
        raise SignatureError(f"The webhook's header {SIGNATURE_HEADER} is missing or is not t=…,v1=….")
    # Every set is compared with every secret, so that the time taken tells nothing about which came close.
    times = [int(each["time"]) for each in sets if each for key in keys if _matches(body, each, key)]
    if not times:
        raise SignatureError("The webhook's signature does not fit: it was signed with another secret, or changed on its way.")
    moment = time.time() if now is None else now
    if tolerance is not None and all(abs(moment - signed) > tolerance for signed in times):
        raise SignatureError(
            f"The webhook was not signed within {tolerance:g} seconds of now: it is old, or a clock is wrong."
        )


def sign(body: bytes, secret: str, *, now: float | None = None) -> str:
    """The header `Persona-Signature` that Persona would send with a body; for tests of a receiver."""
    moment = int(time.time() if now is None else now)
    return f"t={moment},v1={_digest(body, str(moment), secret)}"


def _matches(body: bytes | bytearray, signed: re.Match[str], secret: str) -> bool:
    return hmac.compare_digest(signed["digest"], _digest(body, signed["time"], secret))


def _digest(body: bytes | bytearray, moment: str, secret: str) -> str:
    return hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()


def _required(document: Any, pointer: str, kind: type[Any]) -> Any:
    found = first(document, pointer)
    if not (isinstance(found, kind) and found):
        raise WebhookError(f"The webhook's body is signed but is no event: {pointer} is missing or of another kind.")
    return found


def _optional(document: Any, pointer: str, kind: type[Any]) -> Any:
    """What the pointer names, empty where there is nothing; the members of a list are objects."""
    found = first(document, pointer)
    if found is None:
        return kind()
    if not isinstance(found, kind) or (kind is list and not all(isinstance(each, dict) for each in found)):
        raise WebhookError(f"The webhook's body is signed but is no event: {pointer} is of another kind.")
    return found


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise WebhookError("The webhook's body is signed but is no event: created-at is not a time.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

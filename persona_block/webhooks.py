"""Persona's webhooks: the check that Persona signed a body, and the event that the body holds.

`read` does both and is all that a receiver needs; hand it the raw bytes of the body, since a body that was parsed and
written again need not be the same. Persona delivers an event at least once, perhaps several times, and in no fixed order:
keep the ids of events that were dealt with, and go by `created_at` where the order matters. Any 2xx answer is success.

Sources: docs.withpersona.com/webhooks and /webhooks-best-practices; OpenAPI `webhooks`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .call.json_body import read_json
from .call.parse import first, shape
from .errors import SignatureError, WebhookError
from .spec import catalog
from .spec.inflection import normalize

SIGNATURE_HEADER = "Persona-Signature"
"""The header that holds a webhook's signature (docs.withpersona.com/webhooks)."""

TOLERANCE = 300.0
"""Seconds that the time of a signature may be off by default. Persona names no figure; this one is chosen here."""

SIGNATURES_LIMIT = 5
"""The most signatures that a header may hold: one for each secret while one replaces another, and room for more."""

BODY_LIMIT = 8 * 1024 * 1024
"""The largest body that is verified, in bytes. Persona names no figure; this one is far above the size of any event."""

_LATEST = 10**12 - 1
"""The latest time that a signature holds, in seconds since the epoch."""

# While one secret replaces another, the header holds a signature made with each, with a space between.
_SIGNATURE = re.compile(r"t=(?P<time>[0-9]{1,12}),v1=(?P<digest>[0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Event:
    """One event at Persona, with the object it happened to as that was right after it; its `repr` shows no personal data."""

    id: str
    """Unique to the event, and the same in each of its deliveries."""
    name: str
    """Such as `inquiry.approved` or `report/watchlist.matched`; Persona may add more at any time."""
    created_at: datetime
    """When it happened, with its offset; UTC where Persona gives none."""
    resource_type: str
    """Such as `inquiry`, `verification/selfie` or `report/watchlist`."""
    resource_id: str
    """The id of the object, such as `inq_…`."""
    data: Mapping[str, Any] = field(repr=False, compare=False)
    """The object as Persona's API writes it, with keys in kebab-case."""
    included: Sequence[Mapping[str, Any]] = field(repr=False, compare=False)
    """Related objects, where the webhook is set to send them."""
    context: Mapping[str, Any] = field(repr=False, compare=False)
    """More about the change, such as `added-tags` and `removed-tags`; mostly empty."""

    @property
    def resource(self) -> dict[str, Any] | None:
        """Return the object in the shape of this block's operations, or None for a type that none of them gives.

        Raises WebhookError for an object that is not what its type promises.
        """
        base_type = self.resource_type.partition("/")[0]
        schemas = (output for spec in catalog.load_all() for output in spec.output.values())
        schema = next((output for output in schemas if output.get("x-type") == base_type), None)
        if schema is None:
            return None
        try:
            resource: dict[str, Any] = shape(schema, dict(self.data))
        except (ValueError, RecursionError):
            raise WebhookError(f"The webhook's {base_type} is not what Persona promises of its type.") from None
        return resource


def read(
    body: bytes | bytearray,
    signature: str | bytes | None,
    secrets: str | Sequence[str],
    *,
    tolerance: float | None = TOLERANCE,
    now: float | None = None,
) -> Event:
    """Verify the signature of a webhook's body and return the event that the body holds.

    Arguments and errors are those of `verify`; WebhookError is raised, too, for a body that is no event. JSON keys may be in
    any of Persona's three inflections, and attributes that are not known here do no harm.
    """
    verify(body, signature, secrets, tolerance=tolerance, now=now)
    try:
        document = normalize(read_json(body))
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
    signature: str | bytes | None,
    secrets: str | Sequence[str],
    *,
    tolerance: float | None = TOLERANCE,
    now: float | None = None,
) -> None:
    """Verify that a body was signed with one of the secrets, and not long ago.

    body: the raw bytes that arrived. What receives them bounds their number; over 8 MiB they are refused here unseen.
    signature: the header `Persona-Signature`, as text or ASCII bytes, with at most 5 signatures; None, where there was none,
        is refused like any that is malformed.
    secrets: the webhook's secret, or several while one replaces another.
    tolerance: seconds, from 0, that the time of signing may be away from now, in either direction, by default 300; None
        admits any time.
    now: seconds since the epoch; None is the present.

    Raises SignatureError where it was not, whatever the header holds; ValueError for secrets that are missing or empty, and
    for a tolerance or a time that is no number from 0 to 999,999,999,999; and TypeError for a body that is not bytes.
    """
    if not isinstance(body, bytes | bytearray):
        raise TypeError("body: give the raw bytes that arrived, not what was decoded or parsed from them")
    secret_keys = _secret_keys(secrets)
    allowed_age = None if tolerance is None else _seconds("tolerance", tolerance)
    present = time.time() if now is None else _seconds("now", now)
    signatures = _signatures(signature)
    if len(body) > BODY_LIMIT:
        raise SignatureError(f"The webhook's body is over {BODY_LIMIT} bytes and was not looked at.")
    # Every signature is compared with every secret, so that the time taken tells nothing about which came close.
    signing_times = {signing_time for signing_time, _ in signatures}
    digests = {
        signing_time: [_digest(body, signing_time, secret_key) for secret_key in secret_keys] for signing_time in signing_times
    }
    times = [
        int(signing_time)
        for signing_time, signed_digest in signatures
        for digest in digests[signing_time]
        if hmac.compare_digest(signed_digest, digest)
    ]
    if not times:
        raise SignatureError("The webhook's signature does not fit: it was signed with another secret, or changed on its way.")
    if allowed_age is not None and all(abs(present - signing_time) > allowed_age for signing_time in times):
        raise SignatureError(
            f"The webhook was not signed within {allowed_age:g} seconds of now: it is old, or a clock is wrong."
        )


def sign(body: bytes, secret: str, *, now: float | None = None) -> str:
    """Return the header `Persona-Signature` that Persona would send with a body, for tests of a receiver.

    now: seconds since the epoch; None is the present.

    Raises ValueError for a secret that is empty, and for a time that is no number from 0 to 999,999,999,999.
    """
    (secret_key,) = _secret_keys(secret)
    signing_time = str(int(time.time() if now is None else _seconds("now", now)))
    return f"t={signing_time},v1={_digest(body, signing_time, secret_key)}"


def _secret_keys(secrets: Any) -> list[bytes]:
    """Return each of the secrets once, as bytes; raises ValueError, which shows none, where one is missing or is no text."""
    candidates = [secrets] if isinstance(secrets, str) else list(secrets) if isinstance(secrets, Iterable) else []
    if not candidates or not all(isinstance(secret, str) and secret for secret in candidates):
        raise ValueError("secrets: give the webhook's secret; without one, anybody could sign")
    try:
        return [secret.encode() for secret in dict.fromkeys(candidates)]
    except UnicodeEncodeError:
        raise ValueError("secrets: give text that can be written as UTF-8") from None


def _seconds(name: str, value: Any) -> float:
    """Return a number of seconds; raises ValueError, naming the argument, for what is no finite number from 0 on."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= _LATEST:
        raise ValueError(f"{name}: must be a number of seconds from 0 to {_LATEST}")
    return float(value)


def _signatures(header: Any) -> list[tuple[str, str]]:
    """Return the time and the digest of each signature; raises SignatureError for a header that is malformed."""
    text = header.decode("ascii", "replace") if isinstance(header, bytes) else header
    if isinstance(text, str):
        signatures = [_SIGNATURE.fullmatch(part) for part in text.split(" ", SIGNATURES_LIMIT)]
        if all(signatures) and len(signatures) <= SIGNATURES_LIMIT:
            return [(signed["time"], signed["digest"]) for signed in signatures if signed]
    raise SignatureError(
        f"The webhook's header {SIGNATURE_HEADER} is missing or is not t=…,v1=…, at most {SIGNATURES_LIMIT} times."
    )


def _digest(body: bytes | bytearray, signing_time: str, secret_key: bytes) -> str:
    return hmac.new(secret_key, signing_time.encode() + b"." + body, hashlib.sha256).hexdigest()


def _required(document: Any, pointer: str, python_type: type[Any]) -> Any:
    """Return what the pointer names; raises WebhookError where that is missing, empty or of another type."""
    value = first(document, pointer)
    if not (isinstance(value, python_type) and value):
        raise WebhookError(f"The webhook's body is signed but is no event: {pointer} is missing or of another kind.")
    return value


def _optional(document: Any, pointer: str, python_type: type[Any]) -> Any:
    """Return what the pointer names, empty where there is nothing; the members of a list must be objects."""
    value = first(document, pointer)
    if value is None:
        return python_type()
    if not isinstance(value, python_type) or (python_type is list and not all(isinstance(each, dict) for each in value)):
        raise WebhookError(f"The webhook's body is signed but is no event: {pointer} is of another kind.")
    return value


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise WebhookError("The webhook's body is signed but is no event: created-at is not a time.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

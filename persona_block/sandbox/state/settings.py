"""The settings of a simulation: its delays, its rate limit, and the choices that can be switched."""

from __future__ import annotations

from dataclasses import dataclass

from ..messages.shapes import MAX_SECONDS


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the simulation does where there is more than one answer; every duration is in simulated seconds.

    strict: refuse decisions on inquiries that are still created or expired, a repeated decision, and inquiry fields
        that the template does not define. Default False.
    mismatch_status: the status that answers an idempotency key sent with another request: 400, 409 (default) or 422.
    report_delay, import_delay: how long a report or an import stays pending. Default 1.5.
    processing_delay: how long a verification is processed once it is handed in, of which its document takes half. The clock
        moves on by it while the applicant is played. Default 0.4.
    rate_limit: requests per window and environment before a 429; None (default) never refuses, though the headers count.
    rate_window: length of that window. Default 60; Persona's own is 300 requests per 60 s
        (docs.withpersona.com/rate-limiting).

    Raises ValueError for another mismatch_status, a rate_limit below 1, or a duration that is not from 0 to below 2**31 - 1.
    """

    strict: bool = False
    mismatch_status: int = 409
    report_delay: float = 1.5
    import_delay: float = 1.5
    processing_delay: float = 0.4
    rate_limit: int | None = None
    rate_window: float = 60.0

    def __post_init__(self) -> None:
        if self.mismatch_status not in (400, 409, 422):
            raise ValueError("mismatch_status must be 400, 409 or 422")
        if self.rate_limit is not None and self.rate_limit < 1:
            raise ValueError("rate_limit must be at least 1, or None")
        durations = (self.report_delay, self.import_delay, self.processing_delay, self.rate_window)
        if not all(0 <= seconds < MAX_SECONDS for seconds in durations):
            raise ValueError(f"delays and windows must be numbers of seconds from 0 to {MAX_SECONDS}")

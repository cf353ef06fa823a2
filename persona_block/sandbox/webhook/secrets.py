"""The secrets of a webhook: the one that signs, and beside it for a while the one that it replaced.

Sources: OpenAPI path /webhooks/{webhook-id}/rotate-secret; docs.withpersona.com/docs/webhooks-best-practices.
"""

from __future__ import annotations

from ...webhooks import sign
from ..state.clock import SECOND
from ..state.environment import Organization


class Secrets:
    """The secrets that an organisation's webhook signs with, the newest first."""

    def __init__(self, organization: Organization, secrets: tuple[str, ...]) -> None:
        self._organization = organization
        self._secrets = secrets
        self._rotations = 0
        # The moment at which the second secret stops signing, None for never.
        self._ends: int | None = None

    def rotate(self, seconds: float) -> str:
        """Make and return a new secret; the one before signs too for so many simulated seconds, an older one no more."""
        self._rotations += 1
        now = self._organization.clock.milliseconds()
        secret = f"wbhsec_{self._organization.token('webhook-secret', f'{self._rotations}/{now}')}"
        self._secrets = (secret, self._secrets[0])
        self._ends = now + round(seconds * SECOND)
        return secret

    def signature(self, body: bytes, now: int) -> str:
        """Return the header that signs a body at a simulated moment: a set for each secret, with a space between."""
        secrets = self._secrets if self._ends is None or now < self._ends else self._secrets[:1]
        # Signed at the real time, because receivers measure a signature's age by their own clock
        return " ".join(sign(body, secret) for secret in secrets)

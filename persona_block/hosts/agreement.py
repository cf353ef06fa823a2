"""Whether a person agrees to a call: they are shown the object as it is, and what they agreed to is what is done.

Between their word and the call the object may change. So it is read again where that is possible, and where it is no longer
as they saw it nothing is sent, and the model is told to ask anew.
"""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import InputError, Problem
from ..runner import Runner
from ..spec.grammar import TOOL_PREFIX, ToolSpec
from .consent import Approval, Consent, ConsentRequest, consent_request
from .preview import Preview, read_preview

FRESH_SECONDS = 5.0
"""Seconds for which what was read of an object counts as how it is now."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Question:
    """A call that a person has to agree to.

    params: the checked params, and the API key.
    template_names: the names of templates by id, as the operator gave them.
    """

    spec: ToolSpec
    params: Mapping[str, Any] = field(repr=False)
    runner: Runner
    template_names: Mapping[str, str]
    bare: ConsentRequest
    """What would be asked without the object."""

    async def read(self) -> tuple[ConsentRequest, Preview | None]:
        """Return what to ask about the object as it is now; raises PersonaError where it cannot be read."""
        preview = await read_preview(self.runner, self.spec, self.params)
        sent = {name: value for name, value in self.params.items() if name in self.spec.params}
        request = consent_request(self.spec, sent, preview, self.template_names)
        return request or self.bare, preview


async def is_agreed(question: Question, consent: Consent | None, approval: Approval | None, *, is_repeated: bool) -> bool:
    """Return whether a person agrees to a call.

    consent: asks them now; it comes before an approval.
    approval: their word as the host took it.
    is_repeated: whether the call goes out under an idempotency key that may have been used, so that it happens once.

    Raises InputError where nobody can be asked, where asking failed, where the approval is of another call and where the
    object has changed since they were asked; and PersonaError where the object cannot be read.
    """
    if consent is not None:
        request, _ = await question.read()
        asked_at = time.monotonic()
        if not await _is_agreed_now(request, consent):
            return False
        if time.monotonic() - asked_at > FRESH_SECONDS:
            await _check_unchanged(question, request.state, is_repeated=is_repeated)
        return True
    if approval is None:
        raise _problem(question.bare, "cannot ask a person here, and this needs a person's word; do not try again")
    if not approval.agreed:
        return False
    if approval.digest != question.bare.digest:
        text = "holds a person's word about another call, and this one needs a word of its own; do not try again"
        raise _problem(question.bare, text)
    if not approval.beforehand:
        await _check_unchanged(question, approval.state, is_repeated=is_repeated)
    return True


async def _check_unchanged(question: Question, state: str | None, *, is_repeated: bool) -> None:
    """Raise InputError where the object is not as a person saw it; what the call itself has done before is no change."""
    request, preview = await question.read()
    if preview is None or (preview.held and (is_repeated or question.spec.effect == "erase")):
        return
    has_changed = preview.is_settled if state is None else state != request.state
    if has_changed:
        status = preview.object.get("status")
        text = (
            f"has changed since a person was asked about it, and its status is {status} now; make the call again to ask anew"
        )
        raise InputError(TOOL_PREFIX + request.operation, [Problem(request.object_id, text)])


async def _is_agreed_now(request: ConsentRequest, consent: Consent) -> bool:
    try:
        word = consent(request)
        return (await word if inspect.isawaitable(word) else word) is True
    except Exception as error:
        # Its text may hold anything, so neither a model nor a log gets to see it.
        _log.error("asking about %s failed: %s", request.operation, type(error).__name__)
        raise _problem(request, "failed while asking a person, and this needs a person's word") from None


def _problem(request: ConsentRequest, text: str) -> InputError:
    return InputError(TOOL_PREFIX + request.operation, [Problem("host", text)])

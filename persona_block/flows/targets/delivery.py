"""What the adapters share: how a failed delivery is told, text without hidden characters, and the word on how to answer."""

from __future__ import annotations

import os
import re
import shlex
import threading
from collections.abc import Callable

from ...errors import DeliveryError, InputError, Problem
from ...files.threads import run_in_thread
from ..ports import Message

PAGE_VARIABLE = "PERSONA_FLOWS_URL"
"""The environment variable with the address of the page of flows, which a question by mail then names."""

# Control characters but for tabs and line breaks, lone surrogates, and what turns the direction of text.
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\ud800-\udfff]")
_DEDUPE_ID = re.compile(r"[A-Za-z0-9]{1,64}")


def refused(param: str, message: str, *, action: str = "notify") -> InputError:
    """Return the error for what can never be delivered; nothing was sent.

    param: `to`, `text`, `options`, `content`, or the name of a setting.
    action: what the step does, `notify` or `store`.
    """
    return InputError(action, [Problem(param, message)])


def not_sent(message: str, *, may_help: bool = False, retry_after: float | None = None, done: str = "sent") -> DeliveryError:
    """Return the error for a delivery that is known not to have happened.

    may_help: whether the same may be delivered later. retry_after: seconds until then, where they are known.
    done: the word for what did not happen.
    """
    return DeliveryError(f"{message} Nothing was {done}.", took_effect="no", retryable=may_help, retry_after=retry_after)


def in_doubt(message: str, *, idempotency_key: str | None = None, retry_after: float | None = None) -> DeliveryError:
    """Return the error for a delivery of which it is not known whether it happened.

    idempotency_key: what the receiver tells a second delivery by; with it, the same may be delivered again.
    """
    return DeliveryError(
        f"{message} Whether it arrived is not known.",
        took_effect="unknown",
        retryable=idempotency_key is not None,
        idempotency_key=idempotency_key,
        retry_after=retry_after,
    )


async def deliver_in_thread(deliver: Callable[[threading.Event], None]) -> None:
    """Run a delivery that may block; it is given an event that is set once the step no longer waits for it."""
    is_over = threading.Event()
    try:
        await run_in_thread(lambda: deliver(is_over))
    finally:
        is_over.set()


def check_dedupe_id(dedupe_id: str) -> str:
    """Return the id of a delivery; raises ValueError unless it is 1 to 64 ASCII letters and digits."""
    if not _DEDUPE_ID.fullmatch(dedupe_id):
        raise ValueError("dedupe_id: must be 1 to 64 ASCII letters and digits")
    return dedupe_id


def readable(text: str) -> str:
    """Return text whose hidden characters stand as Python writes them, such as `\\x1b`; lines and tabs stay.

    Control characters, lone surrogates and the characters that turn the direction of text are hidden.
    """
    return _HIDDEN.sub(lambda match: match[0].encode("unicode_escape").decode(), text.replace("\r\n", "\n"))


def how_to_answer(message: str, workflow_id: str | None, options: tuple[str, ...]) -> str:
    """Return a question with its options and the ways to answer it, for a target that has no buttons."""
    lines = [message, "", "Answer with one of:", *(f"  {option}" for option in options), ""]
    page = os.environ.get(PAGE_VARIABLE, "").strip()
    if page:
        lines.append(f"On the page of flows: {page}")
    if workflow_id:
        lines.append(f"On the command line: persona-block flow answer {shlex.quote(workflow_id)} {shlex.quote(options[0])}")
    return "\n".join(lines)


def text_of(message: Message) -> str:
    """Return a message as readable text, with the ways to answer it where it asks something."""
    options = tuple(readable(option) for option in message.options)
    text = readable(message.text)
    return how_to_answer(text, message.workflow_id, options) if options else text


def seconds_of(retry_after: str | None, *, most: float = 3600.0) -> float | None:
    """Return the seconds of a `Retry-After` header, at most `most`; None where it names none."""
    if retry_after is None or not re.fullmatch(r"[0-9]{1,9}", retry_after.strip()):
        return None
    return min(float(retry_after), most)

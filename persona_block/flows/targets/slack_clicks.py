"""Clicks on the buttons of a question in Slack, verified with Slack's signing secret.

Slack sends each click as a form to the app's interactivity address
(docs.slack.dev/interactivity/handling-user-interaction, docs.slack.dev/authentication/verifying-requests-from-slack).
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from ...call.json_body import read_json
from ...credentials import Secret
from ...errors import InputError, Problem, SignatureError, WebhookError
from ...files.threads import run_in_thread
from .delivery import refused
from .secrets import configured
from .slack_message import ACTION

SIGNING_VARIABLE = "PERSONA_FLOWS_SLACK_SIGNING_SECRET"
"""The environment variable with the app's signing secret, or with the name of where it is."""
SIGNATURE_HEADER = "X-Slack-Signature"
TIMESTAMP_HEADER = "X-Slack-Request-Timestamp"
BODY_LIMIT = 1024 * 1024
"""The largest body that is verified, in bytes; a click is some kilobytes."""

_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class Click:
    """An answer that a member of a Slack workspace gave with a button."""

    workflow_id: str
    question_id: str
    option: str = field(repr=False)
    """The option that was chosen."""
    user_id: str
    """The member who clicked, such as `U012AB3CD`."""
    team_id: str
    """The workspace of the member, empty where Slack names none."""
    user_name: str = field(repr=False, default="")
    """The member's user name, empty where Slack names none."""
    response_url: Secret = field(repr=False, default_factory=lambda: Secret(None))
    """Where the question can be replaced for half an hour; absent where Slack names none."""
    blocks: tuple[Mapping[str, Any], ...] = field(repr=False, default=(), compare=False)
    """The blocks of the question's message."""


def read_click(
    body: bytes,
    timestamp: str | None,
    signature: str | None,
    *,
    signing_secret: Secret | None = None,
    now: float | None = None,
) -> Click | None:
    """Return the answer of a request to the interactivity address; None for a verified one that answers no question of ours.

    body: the raw bytes that arrived. timestamp, signature: the headers `X-Slack-Request-Timestamp` and `X-Slack-Signature`.
    signing_secret: the app's; the default is that of `PERSONA_FLOWS_SLACK_SIGNING_SECRET`, which may read a file.
    now: seconds since the epoch; None is the present.

    Raises SignatureError unless Slack signed it within 5 minutes of now, WebhookError for what is signed but no interaction,
    and InputError where no signing secret is set.
    """
    secret = signing_secret or configured(SIGNING_VARIABLE)
    if secret is None:
        raise InputError("secret", [Problem(SIGNING_VARIABLE, "set it to the signing secret of your Slack app")])
    _verify(body, timestamp, signature, secret, now)
    return _click(_payload(body))


def _verify(body: bytes, timestamp: str | None, signature: str | None, secret: Secret, now: float | None) -> None:
    try:
        from slack_sdk.signature import Clock, SignatureVerifier
    except ModuleNotFoundError:
        raise refused("slack", "needs: pip install 'persona-block[slack]'") from None

    class At(Clock):
        def now(self) -> float:
            return time.time() if now is None else now

    if not isinstance(body, bytes):
        raise TypeError("body: give the raw bytes that arrived, not what was decoded or parsed from them")
    if len(body) > BODY_LIMIT:
        raise SignatureError(f"The request is over {BODY_LIMIT} bytes and was not looked at.")
    is_formed = _SIGNATURE.fullmatch(signature or "") and _TIMESTAMP.fullmatch(timestamp or "")
    try:
        is_valid = is_formed and SignatureVerifier(secret.reveal(), At()).is_valid(body, timestamp, signature)
    except UnicodeDecodeError:
        is_valid = False
    if not is_valid:
        raise SignatureError("The request was not signed by Slack within 5 minutes of now, or was changed on its way.")


def _payload(body: bytes) -> Mapping[str, Any]:
    try:
        fields = parse_qs(body.decode("utf-8"), strict_parsing=True, max_num_fields=10)
        (payload,) = fields["payload"]
        interaction = read_json(payload.encode("utf-8"))
    except (ValueError, KeyError, RecursionError):
        raise WebhookError("The request is signed by Slack but is no interaction.") from None
    if not isinstance(interaction, Mapping):
        raise WebhookError("The request is signed by Slack but is no interaction.")
    return interaction


def _click(payload: Mapping[str, Any]) -> Click | None:
    actions = payload.get("actions")
    action = actions[0] if isinstance(actions, list) and len(actions) == 1 else None
    if payload.get("type") != "block_actions" or not isinstance(action, Mapping):
        return None
    action_id, value = action.get("action_id"), action.get("value")
    if not isinstance(action_id, str) or not action_id.startswith(ACTION) or not isinstance(value, str):
        return None
    user, team, message = (_object(payload, name) for name in ("user", "team", "message"))
    try:
        choice = read_json(value.encode("utf-8"))
        workflow_id, question_id, option = (choice[name] for name in ("w", "q", "o"))
        user_id = user["id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise WebhookError("The request is signed by Slack but its button is none of ours.") from None
    if not all(isinstance(each, str) and each for each in (workflow_id, question_id, option, user_id)):
        raise WebhookError("The request is signed by Slack but its button is none of ours.")
    blocks = message.get("blocks")
    return Click(
        workflow_id=workflow_id,
        question_id=question_id,
        option=option,
        user_id=user_id,
        team_id=str(team.get("id") or ""),
        user_name=str(user.get("username") or ""),
        response_url=Secret(payload.get("response_url")),
        blocks=tuple(block for block in blocks if isinstance(block, Mapping)) if isinstance(blocks, list) else (),
    )


def _object(payload: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = payload.get(name)
    return value if isinstance(value, Mapping) else {}


async def acknowledge(click: Click, words: str) -> bool:
    """Replace the buttons of an answered question with words, and return whether Slack took that.

    Slack allows it for half an hour after the click. It is a courtesy: the answer counts without it.
    """
    return await run_in_thread(lambda: _replaced(click, words))


def _replaced(click: Click, words: str) -> bool:
    from .slack_api import replace_question

    return bool(click.blocks) and click.response_url.is_text and replace_question(click.response_url, click.blocks, words)

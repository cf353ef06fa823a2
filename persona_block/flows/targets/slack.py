"""Slack as a target: `#channel`, and `@user` by member id (`@U012AB3CD`), mail address (`@alex@example.com`) or user name.

A bot token posts anywhere the bot may; `PERSONA_FLOWS_SLACK_TOKEN` holds it or says where it is. An incoming webhook posts
into the one channel it was made for, so each has a variable of its own: that of `#identity-reviews` is
`PERSONA_FLOWS_SLACK_WEBHOOK_IDENTITY_REVIEWS`. It takes no files, and the name of its channel holds small letters, digits and
dashes alone.

Needs the extra `slack`. The bot's scopes: `chat:write`, `files:write` for files, `users:read` for names and
`users:read.email` for addresses.
"""

from __future__ import annotations

import os
import re
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

from ...call.addresses import check_base_url
from ...credentials import Secret
from ...errors import InputError
from ..ports import Content, Message
from .delivery import check_dedupe_id, deliver_in_thread, readable, refused
from .secrets import configured
from .slack_message import TEXT_LIMIT, SlackText, slack_text

if TYPE_CHECKING:
    from .slack_api import SlackApi

BOT_VARIABLE = "PERSONA_FLOWS_SLACK_TOKEN"
"""The environment variable with the bot token, or with the name of where it is."""
WEBHOOK_VARIABLE = "PERSONA_FLOWS_SLACK_WEBHOOK_"
"""How the environment variable of a channel's incoming webhook begins."""
URL_VARIABLE = "PERSONA_FLOWS_SLACK_URL"
"""The environment variable with the address of Slack's API, where that is another than Slack's own."""
SLACK_URL = "https://slack.com/api"

_CHANNEL = re.compile(r"#[^\s#@<>&|*`~:\x00-\x1f]{1,80}")
_WEBHOOK_CHANNEL = re.compile(r"#(?P<name>[a-z0-9-]{1,80})")
"""Names of channels that each have a variable of their own; `#a_b` would share that of `#a-b`."""
_CHANNEL_ID = re.compile(r"#(?P<id>[CG][A-Z0-9]{8,})")
_MEMBER_ID = re.compile(r"@(?P<id>[UW][A-Z0-9]{8,})")
_ADDRESS = re.compile(r"@(?P<address>[^\s@<>]{1,64}@[^\s@<>]{1,190})")
_USER_NAME = re.compile(r"@(?P<name>[a-z0-9._-]{1,80})")
_REMEMBERED = 600.0
"""Seconds for which the id of a user name is remembered, since Slack allows few looks at the list of members."""

_ids: dict[tuple[str, str, str], tuple[str, float]] = {}
"""The ids of user names by token, address of the API and name, each with the moment when it is forgotten."""


def forget_members() -> None:
    """Forget which member has which user name."""
    _ids.clear()


class SlackNotifier:
    """Posts into Slack, with files in the message's thread and options as buttons."""

    async def send(self, target: str, message: Message, dedupe_id: str) -> None:
        """Post the message; the answer to a question comes later, as a click that `slack_clicks.read_click` verifies.

        dedupe_id: stands in the message's metadata, its `client_msg_id` and the id of its first block.

        Raises InputError for a target, an option or a setting that can never work, and DeliveryError where posting failed.
        """
        check_dedupe_id(dedupe_id)
        await deliver_in_thread(partial(_deliver, target, message, dedupe_id))


def _deliver(target: str, message: Message, dedupe_id: str, is_over: threading.Event) -> None:
    try:
        from .slack_api import SlackApi, post_to_webhook
    except ModuleNotFoundError as error:
        if error.name != "slack_sdk":
            raise
        raise refused("to", "is in Slack, which needs: pip install 'persona-block[slack]'") from None
    _check_target(target)
    shown, files = slack_text(message, dedupe_id), list(message.attachments)
    if len(readable(message.text)) > TEXT_LIMIT:
        files.append(Content("message.txt", "text/plain", readable(message.text).encode()))
    token = configured(BOT_VARIABLE)
    if token is not None:
        _post(SlackApi(token, _url(), is_over), target, shown, files, (token.digest(), dedupe_id))
        return
    webhook = _webhook(target)
    if files:
        raise refused("to", f"has an incoming webhook, which takes no files and no text over {TEXT_LIMIT} characters")
    if not is_over.is_set():
        post_to_webhook(webhook, shown)


def _check_target(target: str) -> None:
    patterns = (_CHANNEL, _MEMBER_ID, _ADDRESS, _USER_NAME)
    if not any(pattern.fullmatch(target) for pattern in patterns):
        raise refused("to", "must be #channel, @user-name, @U012AB3CD or @name@host, without spaces, to reach Slack")


def _url() -> str:
    try:
        return check_base_url(os.environ.get(URL_VARIABLE, "").strip() or SLACK_URL)
    except InputError as error:
        message = error.problems[0].message.partition("; see ")[0]
        raise refused(URL_VARIABLE, message) from None


def _webhook(target: str) -> Secret:
    """Return the address of a channel's incoming webhook; raises InputError where the environment holds none."""
    named = _WEBHOOK_CHANNEL.fullmatch(target)
    variable = WEBHOOK_VARIABLE + named["name"].upper().replace("-", "_") if named else ""
    webhook = configured(variable) if variable else None
    if webhook is None:
        other = f", or {variable} to the channel's incoming webhook" if variable else ""
        raise refused("to", f"is in Slack: set {BOT_VARIABLE} to a bot token{other}")
    return webhook


def _post(api: SlackApi, target: str, shown: SlackText, files: list[Content], ids: tuple[str, str]) -> None:
    """Upload the files, post the message and show the files in its thread, so that most failures come before it is seen."""
    token_digest, dedupe_id = ids
    place = _place(api, target, token_digest)
    uploaded = [(api.upload(content), content.name) for content in files]
    channel, timestamp = api.post(place, shown, dedupe_id)
    if uploaded:
        api.show(uploaded, channel, timestamp)


def _place(api: SlackApi, target: str, token_digest: str) -> str:
    """Return what Slack takes as the channel of a target; raises InputError where no one member has the name."""
    by_id = _CHANNEL_ID.fullmatch(target) or _MEMBER_ID.fullmatch(target)
    if by_id:
        return by_id["id"]
    if target.startswith("#"):
        return target
    by_address = _ADDRESS.fullmatch(target)
    if by_address:
        return api.user_of_address(by_address["address"])
    name, now = target[1:], time.monotonic()
    known = _ids.get((token_digest, _url(), name))
    if known and known[1] > now:
        return known[0]
    found = api.users_named(name)
    if len(found) != 1:
        count = "no member" if not found else "more than one member"
        raise refused("to", f"is the user name of {count} of the Slack workspace; write @name@host or @U012AB3CD")
    _ids[token_digest, _url(), name] = (found[0], now + _REMEMBERED)
    return found[0]

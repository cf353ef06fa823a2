"""Slack's API as the adapter calls it: each answer and failure told as sent, not sent or unknown.

It stands on `slack_sdk`, which is told to log nothing, since its log lines hold messages, and to repeat nothing, since it
would repeat a post whose answer was lost. The waits that Slack asks for are made here, for at most half a minute in all.
"""

from __future__ import annotations

import http.client
import logging
import re
import socket
import ssl
import threading
import urllib.error
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import httpx
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import WebClient
from slack_sdk.webhook import WebhookClient

from ...call.addresses import check_base_url
from ...call.observe import silent_libraries
from ...call.wire import tls_context
from ...credentials import Secret
from ...errors import DeliveryError, InputError, PersonaError
from ..ports import Content
from .delivery import in_doubt, not_sent, seconds_of
from .slack_message import SlackText, answered_blocks, escaped

Got = TypeVar("Got")

TIMEOUT = 30
"""Seconds that one answer of Slack may take."""
PATIENCE = 30.0
"""Seconds in all that are spent waiting for Slack's rate limit before it is left to the step."""

_NETWORK = (urllib.error.URLError, http.client.HTTPException, OSError, httpx.HTTPError)
_ODD_ANSWER = (ValueError, LookupError, TypeError, AttributeError)
_FAILURES = (SlackClientError, *_NETWORK, *_ODD_ANSWER)
"""What slack_sdk, urllib and httpx raise, and what comes of an answer that is JSON of another shape, or none."""
_UNSENT = (ConnectionRefusedError, socket.gaierror, ssl.SSLCertVerificationError)
"""Reasons for which no connection came about."""
_DOUBTFUL = frozenset({"fatal_error", "internal_error", "service_unavailable", "request_timeout"})
"""Errors after which, as Slack says, some of it may have been done."""
_PASSING = frozenset({"ratelimited", "rate_limited"})
_NO_MEMBER = ("deleted", "is_bot", "is_stranger")
_CODE = re.compile(r"[a-z_]{1,64}")
_MESSAGE_IDS = uuid.UUID("6f1f7b1c-7a7e-5d0b-9c7e-0d5d2d4b7a11")
"""The namespace of the ids that messages get out of dedupe ids."""


def _silent() -> logging.Logger:
    """Return a logger outside the tree of loggers that passes nothing on."""
    return logging.Logger("persona_block.slack", logging.CRITICAL + 1)


class SlackApi:
    """The calls of one delivery, made in a thread of its own.

    token: the bot token. url: the base URL of Slack's API. is_over: set once nobody waits for the delivery any more.
    """

    def __init__(self, token: Secret, url: str, is_over: threading.Event) -> None:
        options: dict[str, Any] = {"timeout": TIMEOUT, "ssl": tls_context(), "logger": _silent(), "retry_handlers": []}
        self._client = WebClient(token=token.reveal(), base_url=f"{url}/", **options)
        self._is_over = is_over
        self._left = PATIENCE

    def user_of_address(self, address: str) -> str:
        """Return the id of the member with a mail address; raises DeliveryError."""
        return self._before_sending(lambda: str(self._client.users_lookupByEmail(email=address)["user"]["id"]))

    def users_named(self, name: str) -> list[str]:
        """Return the ids of the members whose user name is `name`; raises DeliveryError.

        Bots, former members and strangers of shared channels are none of them.

        The names that people give themselves for display are not looked at: anybody may take the name of another.
        """
        ids: list[str] = []
        cursor = ""
        while True:
            found, cursor = self._before_sending(partial(self._page_of_users, name, cursor))
            ids += found
            if not cursor:
                return ids

    def _page_of_users(self, name: str, cursor: str) -> tuple[list[str], str]:
        page = self._client.users_list(limit=200, cursor=cursor)
        named = [each for each in page["members"] if each.get("name") == name]
        members = [str(each["id"]) for each in named if not any(each.get(flag) for flag in _NO_MEMBER)]
        return members, str((page.get("response_metadata") or {}).get("next_cursor") or "")

    def upload(self, content: Content) -> str:
        """Upload a file that nobody sees yet, and return its id; raises DeliveryError."""
        try:
            with content.open() as stream:
                size = stream.seek(0, 2)
                stream.seek(0)
                begin = partial(self._client.files_getUploadURLExternal, filename=content.name, length=size)
                file_id, address = self._before_sending(lambda: _place_of(begin()))
                _check_address(address)
                with silent_libraries(), httpx.Client(timeout=TIMEOUT, verify=tls_context(), follow_redirects=False) as client:
                    headers = {"Content-Type": content.media_type, "Content-Length": str(size)}
                    answer = client.post(address.reveal(), content=stream, headers=headers)
        except PersonaError:
            raise
        except _FAILURES as error:
            raise not_sent(f"A file could not be uploaded to Slack: {type(error).__name__}.", may_help=True) from None
        status = answer.status_code
        if status != 200:
            raise not_sent(f"Slack answered the upload of a file with {status}.", may_help=status >= 500)
        return file_id

    def post(self, channel: str, message: SlackText, dedupe_id: str) -> tuple[str, str]:
        """Post a message and return its channel's id and its own; raises DeliveryError.

        Its `client_msg_id` and its metadata are made of the dedupe id.
        """
        if self._is_over.is_set():
            raise not_sent("The step was given up.", may_help=True)
        answer = self._repeated(
            lambda: self._client.chat_postMessage(
                channel=channel,
                text=message.text,
                blocks=message.blocks,
                parse="none",
                mrkdwn=False,
                link_names=False,
                # Nothing is to fetch a one-time link for a preview.
                unfurl_links=False,
                unfurl_media=False,
                metadata={"event_type": "persona_block_message", "event_payload": {"dedupe_id": dedupe_id}},
                client_msg_id=str(uuid.uuid5(_MESSAGE_IDS, dedupe_id)),
            )
        )
        return str(answer.get("channel") or ""), str(answer.get("ts") or "")

    def show(self, files: list[tuple[str, str]], channel: str, timestamp: str) -> None:
        """Show uploaded files, each an id and a name, in the thread of a message; raises DeliveryError.

        The message is posted by then, so its error says that a part took effect, and is never to be repeated.
        """
        shown: list[dict[str, str | None]] = [{"id": file_id, "title": name} for file_id, name in files]
        try:
            self._repeated(
                lambda: self._client.files_completeUploadExternal(files=shown, channel_id=channel, thread_ts=timestamp)
            )
        except DeliveryError as error:
            message = f"The message is posted in Slack, but its files may be missing: {error.message.partition('.')[0]}."
            raise DeliveryError(message, took_effect="yes", retryable=False) from None

    def _before_sending(self, call: Callable[[], Got]) -> Got:
        """Return what a call gives before which nothing was posted; raises DeliveryError, which says so."""
        try:
            return self._repeated(call)
        except DeliveryError as error:
            words = error.message.partition(" Whether")[0].partition(" Nothing")[0]
            may_help = error.took_effect == "unknown" or error.retryable
            raise not_sent(words, may_help=may_help, retry_after=error.retry_after) from None

    def _repeated(self, call: Callable[[], Got]) -> Got:
        """Return what a call gives, made again after each wait that Slack asks for; raises DeliveryError."""
        while True:
            try:
                return call()
            except SlackApiError as error:
                response = error.response
                self._wait_or_raise(api_failure(response.status_code, response.get("error"), response.headers))
            except _FAILURES as error:
                raise network_failure(error) from None

    def _wait_or_raise(self, failure: DeliveryError) -> None:
        if failure.retry_after is None or failure.retry_after > self._left:
            raise failure
        self._left -= max(failure.retry_after, 1.0)
        if self._is_over.wait(failure.retry_after):
            raise failure


def post_to_webhook(url: Secret, message: SlackText) -> None:
    """Post a message through an incoming webhook; raises DeliveryError."""
    _check_address(url)
    client = WebhookClient(url.reveal(), TIMEOUT, tls_context(), logger=_silent(), retry_handlers=[])
    try:
        answer = client.send(text=message.text, blocks=message.blocks, unfurl_links=False, unfurl_media=False)
    except _FAILURES as error:
        raise network_failure(error) from None
    if answer.status_code != 200:
        raise api_failure(answer.status_code, answer.body, answer.headers)
    if answer.body.strip() != "ok":  # such as the page of a proxy that a redirect led to
        raise in_doubt("Slack's incoming webhook did not answer ok.")


def replace_question(response_url: Secret, blocks: Sequence[Mapping[str, Any]], words: str) -> bool:
    """Replace the buttons of a question with words, and return whether Slack took that."""
    try:
        _check_address(response_url)
        client = WebhookClient(response_url.reveal(), TIMEOUT, tls_context(), logger=_silent(), retry_handlers=[])
        shown = answered_blocks(blocks, words)
        return client.send(text=escaped(words), blocks=shown, replace_original=True).status_code == 200
    except (DeliveryError, *_FAILURES):
        return False


def api_failure(status: int, code: object, headers: Any) -> DeliveryError:
    """Return what Slack's answer means for the delivery.

    status: of HTTP. code: the `error` of the answer, or the text of a webhook's.
    """
    known = code if isinstance(code, str) and _CODE.fullmatch(code) else None
    words = f"Slack answered {status}" + (f" with {known}." if known else ".")
    lowered = {str(name).lower(): value for name, value in dict(headers).items()}
    if status == 429:
        seconds = seconds_of(str(lowered.get("retry-after", "")))
        return not_sent(words, may_help=True, retry_after=1.0 if seconds is None else seconds)
    if known in _PASSING:
        return not_sent(words, may_help=True)
    if known is not None and known not in _DOUBTFUL and not known.startswith("duplicate_") and status < 500:
        return not_sent(words)
    return not_sent(words) if 400 <= status < 500 else in_doubt(words)


def network_failure(error: Exception) -> DeliveryError:
    """Return what a failure without an answer means for the delivery."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else None
    words = f"Slack gave no answer: {type(reason if isinstance(reason, Exception) else error).__name__}."
    return not_sent(words, may_help=True) if isinstance(reason, _UNSENT) else in_doubt(words)


def _place_of(answer: Any) -> tuple[str, Secret]:
    """Return the id of a file that is to be uploaded, and the address to send it to."""
    return str(answer["file_id"]), Secret(str(answer["upload_url"]))


def _check_address(url: Secret) -> None:
    """Raise DeliveryError unless an address that Slack or the operator gave is https, or on this machine."""
    if not _is_safe(url):
        raise not_sent("The address that is to be used for Slack is no https URL.")


def _is_safe(url: Secret) -> bool:
    """Return whether an address is fit; nothing is raised, whose traceback would hold it."""
    try:
        check_base_url(url.reveal().partition("?")[0])
    except (InputError, ValueError):
        return False
    return True

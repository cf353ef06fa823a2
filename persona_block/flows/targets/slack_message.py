"""A message as Slack shows it, in which nothing that somebody wrote becomes a mention, a link or markup.

Text stands in `rich_text` blocks, whose elements say what they are and whose text Slack does not parse. Only addresses of
Persona become links. The text that Slack shows in notifications is escaped as docs.slack.dev/messaging/formatting-message-text
asks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..ports import Message
from .delivery import readable, refused

ACTION = "persona-block-answer-"
"""How the `action_id` of a button begins."""
TEXT_LIMIT = 12_000
"""The longest text that one message shows, in characters; a longer one goes along as a file."""

_BLOCK_LIMIT = 3_000
"""Characters of one block of text."""
_NOTIFICATION_LIMIT = 3_000
"""Characters of the text that a notification shows."""
_LABEL_LIMIT = 75
"""Characters of a button's label (docs.slack.dev, button element)."""
_VALUE_LIMIT = 2_000
"""Characters of a button's value."""
_BUTTONS_A_BLOCK = 25
_BUTTONS_LIMIT = 100
_LINK = re.compile(r"https://(?:[a-z0-9-]+\.)*withpersona\.com(?![^\s/?#])(?:[/?#][^\s<>\"'\\|]*)?")
_PUNCTUATION = ".,;:!?)]}"


@dataclass(frozen=True, slots=True)
class SlackText:
    """What `chat.postMessage` and an incoming webhook take of a message; its `repr` shows nothing of it."""

    text: str
    blocks: list[dict[str, Any]]

    def __repr__(self) -> str:
        return "SlackText(…)"


def slack_text(message: Message, dedupe_id: str) -> SlackText:
    """Return a message, cut at 12,000 characters, with a button for each option; raises InputError for unfit options."""
    text = readable(message.text)[:TEXT_LIMIT]
    blocks = [
        {
            "type": "rich_text",
            # Whoever reads the channel through the API can tell a message that came twice.
            "block_id": f"persona-block-{dedupe_id}-{number}",
            "elements": [{"type": "rich_text_section", "elements": list(_elements(text[start : start + _BLOCK_LIMIT]))}],
        }
        for number, start in enumerate(range(0, max(len(text), 1), _BLOCK_LIMIT))
    ]
    return SlackText(escaped(text[:_NOTIFICATION_LIMIT]), blocks + list(_buttons(message)))


def escaped(text: str) -> str:
    """Return text for Slack's `text`, in which `<!channel>`, `<@U…>` and `<https://…|…>` are nothing but characters."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _elements(text: str) -> Iterator[dict[str, Any]]:
    position = 0
    for found in _LINK.finditer(text):
        link = found[0].rstrip(_PUNCTUATION)
        if found.start() > position:
            yield {"type": "text", "text": text[position : found.start()]}
        yield {"type": "link", "url": link}
        position = found.start() + len(link)
    if position < len(text) or not text:
        yield {"type": "text", "text": text[position:] or " "}


def _buttons(message: Message) -> Iterator[dict[str, Any]]:
    if len(message.options) > _BUTTONS_LIMIT:
        raise refused("options", f"are more than the {_BUTTONS_LIMIT} buttons that a message of Slack shows")
    buttons = [_button(message, number, option) for number, option in enumerate(message.options)]
    for start in range(0, len(buttons), _BUTTONS_A_BLOCK):
        yield {"type": "actions", "elements": buttons[start : start + _BUTTONS_A_BLOCK]}


def _button(message: Message, number: int, option: str) -> dict[str, Any]:
    if not option.strip() or len(option) > _LABEL_LIMIT or readable(option) != option:
        raise refused("options", f"must be 1 to {_LABEL_LIMIT} readable characters each, as a button of Slack shows them")
    value = json.dumps({"w": message.workflow_id, "q": message.question_id, "o": option}, separators=(",", ":"))
    if not message.workflow_id or not message.question_id or len(value) > _VALUE_LIMIT:
        raise refused("options", "need a flow and a question whose ids are short enough for a button of Slack")
    label = {"type": "plain_text", "text": option, "emoji": False}
    return {"type": "button", "text": label, "action_id": f"{ACTION}{number}", "value": value}


def answered_blocks(blocks: Sequence[Mapping[str, Any]], words: str) -> list[dict[str, Any]]:
    """Return a question's blocks with what was answered in the place of its buttons."""
    answer = {"type": "rich_text_section", "elements": [{"type": "text", "text": readable(words), "style": {"italic": True}}]}
    kept = [dict(block) for block in blocks if block.get("type") != "actions"]
    return [*kept, {"type": "rich_text", "elements": [answer]}]

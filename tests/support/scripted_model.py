"""A scripted model's side of a conversation, the same for every framework: what it calls next, given what it saw so far."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from persona_block import Runner, Sandbox
from persona_block.sandbox import TEMPLATES
from persona_block.sandbox.state.records import RequestRecord

DONE = "Approved."


@dataclass(frozen=True)
class ToolCall:
    """A tool that the model calls."""

    name: str
    arguments: dict[str, Any]
    own_id: str = ""

    @property
    def id(self) -> str:
        """The call's id, the same whenever the model is asked again: its own, or one made from the name."""
        return self.own_id or f"call_{self.name}"

    @property
    def json(self) -> str:
        """The arguments as the text that models send."""
        return json.dumps(self.arguments)


Script = Callable[[Sequence[str]], ToolCall | str]
"""The next turn after these tool results: a call, or the last words."""


def onboarding(seen: Sequence[str]) -> ToolCall | str:
    """Find the inquiry, read its verification, screen the name, approve."""
    read = [data_of(each) for each in seen[:4]]
    inquiry = read[0]["inquiries"][0] if read else {}
    if len(read) == 0:
        return ToolCall("persona_list_inquiries", {"status": "needs_review", "maxItems": 1})
    if len(read) == 1:
        return ToolCall("persona_get_verification", {"verificationId": inquiry["verificationIds"][0]})
    if len(read) == 2:
        assert read[1]["verification"]["status"] == "passed"
        names = {"nameFirst": inquiry["fields"]["name-first"], "nameLast": inquiry["fields"]["name-last"]}
        kind = {"reportType": "watchlist", "reportTemplateId": TEMPLATES.watchlist, "accountId": inquiry["accountId"]}
        return ToolCall("persona_create_report", kind | names)
    if len(read) == 3:
        return ToolCall("persona_get_report", {"reportId": read[2]["report"]["id"], "wait": True})
    if len(seen) == 4:
        assert read[3]["report"]["hasMatch"] is False
        return ToolCall("persona_approve_inquiry", {"inquiryId": inquiry["id"], "comment": "Passed and clear"})
    return DONE if '"status":"approved"' in seen[4] else f"Not approved: {seen[4]}"


def data_of(content: str) -> Any:
    """Return the data of what a model was given: after the words, the JSON on the last line."""
    return json.loads(content.rpartition("\n")[2])


def one_call(name: str, **arguments: Any) -> Script:
    """Return a script that calls one tool, then repeats what it said."""
    return lambda seen: seen[-1] if seen else ToolCall(name, arguments)


def changes(sandbox: Sandbox, since: int, until: int | None = None) -> list[tuple[str, str]]:
    """Return what each request changed, and of which object; what follows from that is left out.

    since, until: how many effects there were before, and at the end; the default end is now.
    """
    first = {effect.request_id: effect for effect in reversed(sandbox.effects[since:until]) if effect.actor == "api"}
    return [(effect.name, effect.resource_id) for effect in reversed(first.values())]


def writes(sandbox: Sandbox) -> list[RequestRecord]:
    """Return the requests that could change something, oldest first."""
    return [request for request in sandbox.requests if request.method != "GET"]


def in_review(sandbox: Sandbox) -> str:
    """Return the inquiry that the conversation is about: the latest in review."""
    return all_in_review(sandbox)[-1]


def all_in_review(sandbox: Sandbox) -> list[str]:
    """Return the inquiries in review, oldest first."""
    reviewed = [effect for effect in sandbox.effects if effect.name == "inquiry.marked-for-review"]
    decided = {effect.resource_id for effect in sandbox.effects if effect.name in ("inquiry.approved", "inquiry.declined")}
    return [effect.resource_id for effect in reviewed if effect.resource_id not in decided]


def report(sandbox: Sandbox) -> ToolCall:
    """Return a call that orders a report about the first account."""
    account = next(effect.resource_id for effect in sandbox.effects if effect.name == "account.created")
    person = {"accountId": account, "nameFirst": "Ada", "nameLast": "Lovelace"}
    return ToolCall("persona_create_report", {"reportType": "watchlist", "reportTemplateId": TEMPLATES.watchlist, **person})


def failing_on_the_second_page(sandbox: Sandbox) -> Callable[[], Runner]:
    """Return what makes a runner whose key may not read the second page of a list."""

    async def answer(request: httpx.Request) -> httpx.Response:
        if "page%5Bafter%5D" in str(request.url) or "page[after]" in str(request.url):
            return httpx.Response(403, json={"errors": [{"title": "Forbidden"}]})
        return await sandbox.transport.handle_async_request(request)

    return lambda: Runner(base_url=sandbox.base_url, transport=httpx.MockTransport(answer))


def two_pages() -> ToolCall:
    """Return a call that reads more than one page holds."""
    return ToolCall("persona_list_accounts", {"maxItems": 150})


def assert_partial_answer(content: str) -> None:
    """Check what a model gets when the second page failed: the first one, how to go on, and the error."""
    answer = data_of(content)
    assert len(answer["accounts"]) == 100
    assert answer["nextCursor"] == answer["accounts"][-1]["id"]
    assert answer["error"]["message"]

"""The conversation that every framework's own runner plays: find, read, screen, ask, approve."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from persona_block import Sandbox
from persona_block.hosts import ConsentRequest, Selection, Toolbox
from persona_block.sandbox import Settings
from tests.support.scripted_model import DONE, ToolCall, changes, in_review, onboarding

TASK = "Check the newest inquiry in review and approve it if it is clean."
NEEDED = ("list_inquiries", "get_inquiry", "get_verification", "create_report", "get_report", "approve_inquiry")


@dataclass
class Conversation:
    """An offline Persona and a toolbox on it, whose person agrees, and what the model was told by its tools."""

    sandbox: Sandbox
    toolbox: Toolbox
    questions: list[ConsentRequest] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def next(self, told: Sequence[str]) -> ToolCall | str:
        """Return what the model does after these results of tools: a call, or its last words."""
        self.told = list(told)
        return onboarding(self.told)


@contextmanager
def held(**options: Any) -> Iterator[Conversation]:
    """Hold the conversation: what is run within has to end with the approval that the person was asked about."""
    with Sandbox(populate=True, settings=Settings(report_delay=0), speed=0) as sandbox:
        questions: list[ConsentRequest] = []

        def consent(request: ConsentRequest) -> bool:
            questions.append(request)
            return True

        toolbox = Toolbox(Selection.of(tools=NEEDED), runner=sandbox.runner, consent=consent, **options)
        inquiry, before = in_review(sandbox), len(sandbox.effects)
        conversation = Conversation(sandbox, toolbox, questions)
        yield conversation
        names = [name for name, _ in changes(sandbox, before)]
        assert names == ["report/watchlist.created", "inquiry.approved"]
        assert changes(sandbox, before)[-1] == ("inquiry.approved", inquiry)
        (question,) = questions
        assert question.object_id == inquiry
        assert "Failed checks: none of 3" in question.message
        assert len(conversation.told) == 5
        assert conversation.next(conversation.told) == DONE
        assert not any(sandbox.api_key in each for each in conversation.told)

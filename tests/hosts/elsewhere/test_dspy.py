"""DSPy: the blocking callables as tools of ReAct."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace
from typing import Any

import dspy

from tests.hosts.elsewhere.conversation import TASK, Conversation, held
from tests.support.scripted_model import DONE

OBSERVATION = re.compile(r"\[\[ ## observation_\d+ ## \]\]\n(.*?\n\{.*?)\n\n", re.DOTALL)


class ScriptedModel(dspy.BaseLM):
    """Says what the conversation's script says, in the form that DSPy's prompt asks for."""

    def __init__(self, conversation: Conversation) -> None:
        super().__init__("scripted")
        self.conversation = conversation

    def forward(self, *_: Any, messages: Any = None, **_options: Any) -> Any:
        """Return the next call, its end, or the last words."""
        turn = self.conversation.next(OBSERVATION.findall(messages[-1]["content"]))
        if not isinstance(turn, str):
            fields = {"next_thought": "On.", "next_tool_name": turn.name, "next_tool_args": turn.json}
        elif "`next_tool_name`" in messages[0]["content"]:
            fields = {"next_thought": "Done.", "next_tool_name": "finish", "next_tool_args": json.dumps({})}
        else:
            fields = {"reasoning": "It is done.", "answer": turn}
        text = "\n\n".join(f"[[ ## {name} ## ]]\n{value}" for name, value in {**fields, "completed": ""}.items())
        message = SimpleNamespace(content=text, tool_calls=None)
        return SimpleNamespace(choices=[SimpleNamespace(message=message, finish_reason="stop")], usage={}, model="scripted")


def test_a_conversation() -> None:
    with held() as conversation, dspy.context(lm=ScriptedModel(conversation)):
        react = dspy.ReAct("task -> answer", tools=conversation.toolbox.callables(blocking=True))
        assert react(task=TASK).answer == DONE

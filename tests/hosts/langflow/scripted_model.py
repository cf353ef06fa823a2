"""A model for Langflow's agent that says what a test wrote, in the place of one that needs a provider."""

from __future__ import annotations

import json
import time
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from lfx.custom.custom_component.component import Component
from lfx.field_typing import LanguageModel
from lfx.io import MultilineInput, Output

SEEN: list[str] = []
"""What the models of this process were given last, one text a turn."""


class ScriptedModel(BaseChatModel):
    """A model that answers its first turn with the first entry of its script, and so on.

    script: for each turn its text, the calls of tools that it makes, and after how many seconds it answers. One that answers
        at once overtakes the database in which Langflow notes that it waits for a person.
    """

    script: list[dict[str, Any]]

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **options: Any) -> ScriptedModel:  # noqa: ARG002
        """Return the model itself: its script knows the tools."""
        return self

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        SEEN.append(str(messages[-1].content))
        turn = sum(isinstance(message, AIMessage) for message in messages)
        entry = self.script[min(turn, len(self.script) - 1)]
        time.sleep(entry.get("after", 0))
        calls = [{"id": f"call-{turn}-{number}", **call} for number, call in enumerate(entry.get("calls", ()))]
        message = AIMessage(entry["text"], tool_calls=calls)
        return ChatResult(generations=[ChatGeneration(message=message)])


class ScriptedModelComponent(Component):
    """The model as a node."""

    display_name = "Scripted Model"
    name = "ScriptedModel"
    inputs = [MultilineInput(name="script", display_name="Script")]  # noqa: RUF012
    outputs = [Output(display_name="Language Model", name="model_output", method="build_llm")]  # noqa: RUF012

    def build_llm(self) -> LanguageModel:
        """Return the model of the script."""
        return ScriptedModel(script=json.loads(self.script))

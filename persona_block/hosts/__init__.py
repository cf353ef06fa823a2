"""The operations as tools of agents, one module for each host; a host's framework is imported when its module is.

    from persona_block.hosts import langchain          langchain.tools(…)
    from persona_block.hosts import openai_agents      openai_agents.tools(…)
    from persona_block.hosts import pydantic_ai        pydantic_ai.tools(…)
    from persona_block.hosts import anthropic_tools    and openai_tools, dispatch and what turns an answer into a
                                                       provider's own form, for a loop of your own

All of them stand on `Toolbox`: it offers the chosen operations, holds the API key where no model sees it, asks a person
before anything is decided or erased, and answers briefly.
"""

from __future__ import annotations

from .answer import ToolAnswer
from .consent import Approval, Consent, ConsentRequest
from .plain import anthropic_result, anthropic_tools, dispatch, openai_result, openai_tools
from .selection import GROUPS, Selection
from .tool import Tool
from .toolbox import Toolbox

__all__ = [
    "GROUPS",
    "Approval",
    "Consent",
    "ConsentRequest",
    "Selection",
    "Tool",
    "ToolAnswer",
    "Toolbox",
    "anthropic_result",
    "anthropic_tools",
    "dispatch",
    "openai_result",
    "openai_tools",
]

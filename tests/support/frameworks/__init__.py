"""The frameworks that the scenarios of tests/hosts/test_frameworks.py are played through: a driver each, and a line here."""

from __future__ import annotations

from tests.support.frameworks.driver import Driver
from tests.support.frameworks.langchain import LangChainDriver
from tests.support.frameworks.mcp import LegacyMcpDriver, StatelessMcpDriver
from tests.support.frameworks.openai_agents import OpenAIAgentsDriver
from tests.support.frameworks.plain import PlainDriver
from tests.support.frameworks.pydantic_ai import PydanticAIDriver

DRIVERS: tuple[type[Driver], ...] = (
    LangChainDriver,
    OpenAIAgentsDriver,
    PydanticAIDriver,
    PlainDriver,
    LegacyMcpDriver,
    StatelessMcpDriver,
)

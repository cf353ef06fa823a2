"""The terminal: what it shows, and how a question is answered on it."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
from collections.abc import Iterator
from typing import TextIO

import pytest

from persona_block.errors import DeliveryError, InputError
from persona_block.flows.ports import Content, Message, Reply, resolve
from persona_block.flows.targets.console import ConsoleNotifier

ASKED = Message("Approve customer-1042?", options=("approve", "Decline", "decline"), workflow_id="flow-1", question_id="q1")


@pytest.fixture
def terminal() -> Iterator[tuple[int, TextIO]]:
    """A terminal: where a person's keys go in, and the end that a program reads."""
    person, program = os.openpty()
    with open(program, encoding="utf-8") as reading:
        yield person, reading
    os.close(person)


async def test_a_message_is_shown_with_nothing_that_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    pdf = Content("a\x1b]0;x\x07.pdf", "application/pdf", b"")
    message = Message("Hello\x1b[2J\r\x9b31m\u202e\nsecond line é", attachments=(pdf,))
    assert await resolve("console:").send("console:", message, "d1") is None
    shown = capsys.readouterr().out
    assert shown.splitlines() == [
        "> Hello\\x1b[2J",
        "> \\x9b31m\\u202e",
        "> second line é",
        "> with a\\x1b]0;x\\x07.pdf (application/pdf)",
    ]


async def test_where_nobody_is_there_a_question_says_how_to_answer(capsys: pytest.CaptureFixture[str]) -> None:
    notifier = ConsoleNotifier(stdin=io.StringIO("approve\n"))
    assert await notifier.send("console:", ASKED, "d1") is None
    shown = capsys.readouterr().out
    assert "  1  approve" in shown
    assert "persona-block flow answer flow-1 OPTION" in shown


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("approve\n", "approve"),
        (" APPROVE \n", "approve"),
        ("2\n", "Decline"),
        ("decline\n", "decline"),
        ("DECLINE\nmaybe\n\n0\n4\n-1\n²\n1\n", "approve"),  # what names no one option is asked again
    ],
)
async def test_an_answer_is_typed(terminal: tuple[int, TextIO], typed: str, answer: str) -> None:
    person, program = terminal
    out = io.StringIO()
    os.write(person, typed.encode())
    assert await ConsoleNotifier(program, out).send("console:", ASKED, "d1") == Reply(answer)
    assert out.getvalue().count("That is none of them.") == typed.count("\n") - 1


async def test_the_end_of_the_input_is_no_answer(terminal: tuple[int, TextIO]) -> None:
    person, program = terminal
    os.write(person, b"\x04")
    assert await ConsoleNotifier(program, io.StringIO()).send("console:", ASKED, "d1") is None


async def test_a_question_that_is_over_leaves_what_is_typed_to_the_next(terminal: tuple[int, TextIO]) -> None:
    person, program = terminal
    asked = [asyncio.create_task(ConsoleNotifier(program, io.StringIO()).send("console:", ASKED, "d1")) for _ in range(2)]
    await asyncio.sleep(0.05)
    asked[0].cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asked[0]
    await asyncio.sleep(0.3)
    os.write(person, b"approve\n")
    assert await asyncio.wait_for(asked[1], 10) == Reply("approve")


async def test_a_terminal_that_has_gone_is_told() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    out = os.fdopen(writing, "w", encoding="utf-8")
    with pytest.raises(DeliveryError) as caught:
        await ConsoleNotifier(io.StringIO(), out).send("console:", Message("Hello"), "d1")
    assert caught.value.took_effect == "no"
    with contextlib.suppress(BrokenPipeError):
        out.close()


@pytest.mark.parametrize("target", ["console:x", "console", ""])
async def test_another_target_is_refused(target: str) -> None:
    with pytest.raises(InputError):
        await ConsoleNotifier().send(target, Message("Hello"), "d1")

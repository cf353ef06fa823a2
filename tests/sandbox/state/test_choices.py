"""The list of choices: a question once, and its answer."""

from __future__ import annotations

from persona_block.sandbox import CHOICES


def test_the_choices_are_written_down() -> None:
    assert len(CHOICES) > 40
    assert len({choice.question for choice in CHOICES}) == len(CHOICES)
    assert all(choice.answer.endswith(".") for choice in CHOICES)

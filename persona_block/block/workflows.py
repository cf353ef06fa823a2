"""The closed models of a workflow template and of an agent skill.

A template's steps run in order and read what inputs and earlier steps gave; `block.json` says in words, under `grammar`,
how a runtime reads them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from ..spec.grammar import Format, Grammar, Name, ParamName, Text

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z]+(-[a-z]+)*$", max_length=64)]
StepId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-zA-Z0-9]*$", max_length=32)]


class When(Grammar):
    """A condition on the value of a reference: exactly one of `in`, `notIn`, `allIn`, `anyIn`, `empty`."""

    value: Text
    in_: Annotated[tuple[Any, ...] | None, Field(alias="in")] = None
    not_in: tuple[Any, ...] | None = None
    all_in: tuple[Any, ...] | None = None
    any_in: tuple[Any, ...] | None = None
    empty: bool | None = None

    @model_validator(mode="after")
    def _one_test(self) -> Self:
        tests = (self.in_, self.not_in, self.all_in, self.any_in, self.empty)
        if sum(test is not None for test in tests) != 1:
            raise ValueError("a condition needs exactly one of in, notIn, allIn, anyIn and empty")
        return self


class Step(Grammar):
    """The part of a step that operation steps and host steps share."""

    id: StepId
    when: tuple[When, ...] | None = None
    for_each: Text | tuple[dict[str, Any], ...] | None = None


class OperationStep(Step):
    """A step that calls an operation; `wait` polls to its outcome, `all` reads every page."""

    operation: Name
    params: dict[ParamName, Any] = Field(default_factory=dict)
    wait: Literal[True] | None = None
    all: Literal[True] | None = None


class NotifyStep(Step):
    """A step that tells somebody something: a message, a mail, a post in a chat."""

    host: Literal["notify"]
    to: Text
    text: Text


class StoreStep(Step):
    """A step that keeps a file or data somewhere; gives `url`."""

    host: Literal["store"]
    content: Any
    to: Text
    text: Text


class AskStep(Step):
    """A step that waits for a person's choice among `options`; gives `answer` and `comment`, which may be null."""

    host: Literal["ask"]
    to: Text
    text: Text
    options: Text | tuple[Text, ...]


class TemplateInput(Grammar):
    """One input of a template, as JSON Schema with an example."""

    type: Literal["string", "integer", "object"]
    format: Format | None = None
    description: Text
    examples: Annotated[tuple[Any, ...], Field(min_length=1)]


class Template(Grammar):
    """A workflow to start from: steps in order, each reading what inputs and earlier steps gave."""

    name: Slug
    title: Text
    description: Text
    prompt: Text
    tags: tuple[Slug, ...]
    inputs: dict[ParamName, TemplateInput]
    steps: Annotated[tuple[OperationStep | NotifyStep | StoreStep | AskStep, ...], Field(min_length=1)]


class Skill(Grammar):
    """A job of an agent, as instructions; `operations` are those that the instructions name."""

    name: Slug
    title: Text
    description: Text
    instructions: Text
    templates: Annotated[tuple[Slug, ...], Field(min_length=1)]
    """Templates that do this job, or part of it, with no operation that the skill does not have."""
    operations: tuple[Name, ...] = ()

    @field_validator("instructions", mode="before")
    @classmethod
    def _joined(cls, value: Any) -> Any:
        """Join the lines of a text, which `block.json` holds as a list so that they can be read."""
        return "\n".join(value) if isinstance(value, list) else value

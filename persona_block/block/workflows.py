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
    """The reference whose value is tested."""
    in_: Annotated[tuple[Any, ...] | None, Field(alias="in")] = None
    """The value has to be one of these."""
    not_in: tuple[Any, ...] | None = None
    """The value must be none of these."""
    all_in: tuple[Any, ...] | None = None
    """The value is a list, not empty, whose entries all have to be among these."""
    any_in: tuple[Any, ...] | None = None
    """The value is a list, one entry of which at least has to be among these."""
    empty: bool | None = None
    """Whether the value, a list or null, has to be empty or must not be."""

    @model_validator(mode="after")
    def _one_test(self) -> Self:
        tests = (self.in_, self.not_in, self.all_in, self.any_in, self.empty)
        if sum(test is not None for test in tests) != 1:
            raise ValueError("a condition needs exactly one of in, notIn, allIn, anyIn and empty")
        return self


class Step(Grammar):
    """The part of a step that operation steps and host steps share."""

    id: StepId
    """The name that later steps refer to."""
    when: tuple[When, ...] | None = None
    """The conditions of the step, which all have to hold."""
    for_each: Text | tuple[dict[str, Any], ...] | None = None
    """The list, or a reference to one, for each entry of which the step runs."""


class WaitTimeout(Grammar):
    """How long a step waits for an outcome, and what happens where none has come by then."""

    seconds: Annotated[int, Field(gt=0)]
    """The longest time to wait."""
    then: Literal["continue", "fail"]
    """Whether the step then gives what was read last, with its status as it is, or the workflow fails."""


class AskTimeout(Grammar):
    """How long a step waits for a person, and what happens where nobody has answered by then."""

    seconds: Annotated[int, Field(gt=0)]
    """The longest time to wait."""
    answer: Text | None
    """The answer that the step then gives, with no comment; null where the workflow then fails."""


class OperationStep(Step):
    """A step that calls an operation; `wait` polls to its outcome, `all` reads every page."""

    operation: Name
    """The operation to call."""
    params: dict[ParamName, Any] = Field(default_factory=dict)
    """Its params, whose texts may hold references."""
    wait: Literal[True] | None = None
    """Whether the step ends only with the operation's outcome."""
    timeout: WaitTimeout | None = None
    """How long it waits, of a step with `wait`; the default is the host's own."""
    all: Literal[True] | None = None
    """Whether the step reads every page."""

    @model_validator(mode="after")
    def _only_a_wait_times_out(self) -> Self:
        if self.timeout is not None and not self.wait:
            raise ValueError("timeout belongs to a step with wait")
        return self


class NotifyStep(Step):
    """A step that tells somebody something: a message, a mail, a post in a chat."""

    host: Literal["notify"]
    """What the host does: it tells somebody something."""
    to: Text
    """Whom to tell, with references."""
    text: Text
    """What to tell, with references."""


class StoreStep(Step):
    """A step that keeps a file or data somewhere; gives `url`."""

    host: Literal["store"]
    """What the host does: it keeps something."""
    content: Any
    """What to keep: a reference to a file or to data, or data with references."""
    to: Text
    """The place to keep it at, with references."""
    text: Text
    """What it is, with references."""


class AskStep(Step):
    """A step that waits for a person's choice among `options`; gives `answer` and `comment`, which may be null."""

    host: Literal["ask"]
    """What the host does: it waits for a person's choice."""
    to: Text
    """Whom to ask, with references."""
    text: Text
    """What to ask, with references."""
    options: Text | tuple[Text, ...]
    """The answers to choose from, or a reference to a list of them."""
    timeout: AskTimeout | None = None
    """How long it waits; the default is the host's own."""


class TemplateInput(Grammar):
    """One input of a template, as JSON Schema with an example."""

    type: Literal["string", "integer", "object"]
    """The JSON type of the input."""
    format: Format | None = None
    """The format of an input that is text; see `grammar.formats`."""
    description: Text
    """What to give."""
    examples: Annotated[tuple[Any, ...], Field(min_length=1)]
    """Values that could be given."""


class Template(Grammar):
    """A workflow to start from: steps in order, each reading what inputs and earlier steps gave."""

    name: Slug
    """The template's own name."""
    title: Text
    """The name that a person reads."""
    description: Text
    """What the workflow does."""
    prompt: Text
    """The same as a wish, for an assistant that builds workflows."""
    tags: tuple[Slug, ...]
    """The words to find it by."""
    inputs: dict[ParamName, TemplateInput]
    """What has to be given to it, by name."""
    steps: Annotated[tuple[OperationStep | NotifyStep | StoreStep | AskStep, ...], Field(min_length=1)]
    """The steps, in the order in which they run."""


class Skill(Grammar):
    """A job of an agent, as instructions; `operations` are those that the instructions name."""

    name: Slug
    """The skill's own name."""
    title: Text
    """The name that a person reads."""
    description: Text
    """When an agent should use it."""
    instructions: Text
    """What the agent has to do, as Markdown."""
    templates: Annotated[tuple[Slug, ...], Field(min_length=1)]
    """Templates that do this job, or part of it, with no operation that the skill does not have."""
    operations: tuple[Name, ...] = ()
    """The operations that the instructions name."""

    @field_validator("instructions", mode="before")
    @classmethod
    def _joined(cls, value: Any) -> Any:
        """Join the lines of a text, which `block.json` holds as a list so that they can be read."""
        return "\n".join(value) if isinstance(value, list) else value

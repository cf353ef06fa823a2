"""What every framework's driver has in common: the same few steps of a conversation, whatever the framework calls them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from persona_block import Runner, Sandbox
from persona_block.hosts import Consent, Selection, Toolbox
from tests.support.scripted_model import Script, ToolCall

TASK = "Check the newest inquiry in review and approve it if it is clean."


@dataclass(frozen=True)
class Setup:
    """What a scenario gives the tools: an offline Persona, and everything that a toolbox on it takes.

    api_key: the default is the key of the offline Persona.
    make_runner: the default makes one that reaches the offline Persona.
    """

    sandbox: Sandbox
    selection: Selection = field(default_factory=Selection.of)
    api_key: str | None = None
    consent: Consent | None = None
    make_runner: Callable[[], Runner] | None = None

    def runner(self) -> Runner:
        """Return a new runner."""
        if self.make_runner:
            return self.make_runner()
        return Runner(base_url=self.sandbox.base_url, transport=self.sandbox.transport)

    def toolbox(self) -> Toolbox:
        """Return a toolbox on the offline Persona."""
        api_key = self.sandbox.api_key if self.api_key is None else self.api_key
        return Toolbox(self.selection, api_key=api_key, consent=self.consent, runner=self.runner)


@dataclass(frozen=True)
class Turn:
    """How far a run has come: the model's last words, or the question that a person has to answer before it goes on."""

    words: str = ""
    question: str | None = None


class Driver(ABC):
    """One framework's agent with a scripted model, used as `async with`."""

    name: ClassVar[str]
    takes_consent: ClassVar[bool] = True
    """Whether the toolbox's `consent` can ask."""
    asks: ClassVar[bool] = True
    """Whether a run stops with a question of the framework's own where there is no `consent`."""
    is_resumable: ClassVar[bool] = True
    """Whether a run that stopped is stored, so that it can be resumed twice."""
    is_local: ClassVar[bool] = True
    """Whether a call reaches the tool as it is, without a wire that carries no infinite number and no lone surrogate."""
    repeated_id_error: ClassVar[type[Exception] | None] = None
    """What ends a run whose model uses the id of a call again; None where that ends no run."""
    shows_data: ClassVar[bool] = False
    """Whether a model is shown the data of an error beside its words."""
    takes_text: ClassVar[bool] = False
    """Whether the arguments of a call are text, which may be no JSON."""
    calls_directly: ClassVar[bool] = False
    """Whether `answer_to` calls the tool alone, which is fast, and not through a run of an agent."""
    key_carriers: ClassVar[Sequence[Callable[[str], Any]]] = ()
    """What a run may be given that carries an API key of its own, made from the key."""

    def __init__(self, setup: Setup, script: Script) -> None:
        self.setup = setup
        self.script = script
        self.toolbox = setup.toolbox()
        self.saw_errors: list[dict[str, Any]] = []
        """The details of errors that the model was shown as data, where `shows_data`."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.toolbox.aclose()

    @property
    @abstractmethod
    def saw(self) -> list[str]:
        """All that the model was shown, as text."""

    @abstractmethod
    async def offered(self) -> list[str]:
        """Return the names of the tools that the agent has."""

    @abstractmethod
    async def start(self, key_carrier: Any = None) -> Turn:
        """Begin a new run, and play it to its end or to a question."""

    async def answer(self, approved: bool) -> Turn:
        """Answer the question that the last run stopped with, and play it on; a stored run can be answered twice."""
        raise NotImplementedError(f"{self.name} asks nothing itself, whether {approved} or not")

    async def answer_to(self, call: ToolCall) -> str | None:
        """Return the answer of one call in a run of its own, or None where a person is asked first."""
        self.script = lambda seen: seen[-1] if seen else call
        turn = await self.start()
        return turn.words if turn.question is None else None

    def play(self, seen: Sequence[str]) -> ToolCall | str:
        """Return what the script says next."""
        return self.script(seen)

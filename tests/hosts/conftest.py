"""An offline organisation and a toolbox on it, without any network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from persona_block import Runner, Sandbox
from persona_block.hosts import Toolbox
from persona_block.sandbox import Settings
from tests.support.states import copied_state

MakeToolbox = Callable[..., Toolbox]

OPTIONS: dict[str, Any] = {"settings": Settings(report_delay=0, import_delay=0), "speed": 0}


@pytest.fixture(scope="session")
def populated_state(states: Path) -> Path:
    """The state of an organisation, made once."""
    path = states / "populated.db"
    with Sandbox(state=path, populate=True, **OPTIONS):
        return path


@pytest.fixture
def sandbox(populated_state: Path) -> Iterator[Sandbox]:
    """A populated organisation whose reports and imports are ready at once, at a time that stands still."""
    with copied_state(populated_state) as state, Sandbox(state=state, **OPTIONS) as sandbox:
        yield sandbox


@pytest.fixture
def make_toolbox(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> MakeToolbox:
    """Makes toolboxes whose calls reach the sandbox, with its key unless another is given."""
    monkeypatch.delenv("PERSONA_API_KEY", raising=False)

    def make(*args: Any, **options: Any) -> Toolbox:
        def runner() -> Runner:
            return Runner(base_url=sandbox.base_url, transport=sandbox.transport)

        return Toolbox(*args, **{"api_key": sandbox.api_key, "runner": runner, **options})

    return make


@pytest.fixture
def toolbox(make_toolbox: MakeToolbox) -> Toolbox:
    """A toolbox of all operations that can ask nobody."""
    return make_toolbox()

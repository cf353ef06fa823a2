"""Fixtures for pytest: a fresh offline Persona for each test that asks for one.

pytest loads this module where persona-block is installed. It imports the sandbox when a test asks for it:

    async def test_onboarding(persona_sandbox):
        async with persona_sandbox.runner() as runner:
            ...

A marker gives the options of `Sandbox`: `@pytest.mark.persona_sandbox(populate=True, settings=Settings(rate_limit=10))`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .simulator import Sandbox

_MARKER = "persona_sandbox"


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", f"{_MARKER}(**options): the options of `Sandbox` for the fixture persona_sandbox.")


@pytest.fixture
def persona_sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """An offline Persona for this test alone, in memory; its clock stands still (see `Sandbox.clock`).

    Set `faults` to make calls go wrong; read `requests`, `effects` and `deliveries` to see what the code under test did.
    """
    try:
        from .simulator import Sandbox
    except ModuleNotFoundError as error:
        pytest.fail(
            f"persona_sandbox needs the offline Persona: pip install 'persona-block[sandbox]' ({error})", pytrace=False
        )
    with Sandbox(**{"speed": 0, **_options(request.node)}) as sandbox:
        yield sandbox


@pytest.fixture
def persona_sandbox_url(persona_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The base URL of the same offline Persona, served on a loopback port.

    For this test, PERSONA_BASE_URL and PERSONA_API_KEY lead to it, so that the code under test needs no change. An
    import that is due goes on in the background; `persona_sandbox.settle()` brings it to its end at once.
    """
    from .serving.faults import Faults

    if persona_sandbox.faults is None:
        persona_sandbox.faults = Faults(rate=0)  # so that the server plays the faults that the test may set
    with persona_sandbox.serve_in_thread() as base_url:
        monkeypatch.setenv("PERSONA_BASE_URL", base_url)
        monkeypatch.setenv("PERSONA_API_KEY", persona_sandbox.api_key)
        yield base_url


def _options(node: Any) -> dict[str, Any]:
    """Return the options in a test's markers; of the same option, the marker nearest to the test wins."""
    options: dict[str, Any] = {}
    for marker in reversed(list(node.iter_markers(_MARKER))):
        if marker.args:
            raise pytest.UsageError(f"{_MARKER}: options are given by name, such as populate=True")
        options |= marker.kwargs
    return options

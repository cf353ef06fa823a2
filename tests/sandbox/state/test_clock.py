"""The simulated clock."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from persona_block.sandbox import Sandbox
from persona_block.sandbox.state.clock import MAX_SPEED, parse
from tests.support.contract_client import Client


def test_time_stands_still_in_the_year_9000() -> None:
    for seconds in (float("nan"), float("inf"), 1e300, 300_000_000_000):
        with Sandbox(speed=0) as sandbox, pytest.raises(ValueError, match="year 9000"):
            sandbox.clock.advance(seconds)
    with Client(speed=MAX_SPEED) as client:
        clock = client.sandbox.clock
        clock.advance((parse("9000-01-01") - clock.milliseconds()) / 1000 - 1000)
        threading.Event().wait(0.01)
        created = client.inquiry().attributes
        assert (created["created-at"], created["expires-at"]) == ("9000-01-01T00:00:00.000Z", "9000-01-02T00:00:00.000Z")


def test_time_can_run_faster() -> None:
    with Sandbox(speed=10_000) as sandbox:
        before = sandbox.clock.milliseconds()
        threading.Event().wait(0.02)
        assert sandbox.clock.milliseconds() - before >= 200_000


@pytest.mark.parametrize("speed", ["x", None, -1, float("nan")])
def test_a_speed_that_is_none(speed: Any) -> None:
    with pytest.raises(ValueError, match="speed must be a number from 0 to 1000000"):
        Sandbox(speed=speed)

"""The simulated clock: its speed, its bounds, and its end."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from persona_block.sandbox import Sandbox
from persona_block.sandbox.state.clock import MAX_SPEED, Clock, parse
from tests.support.contract_client import ContractClient


def test_the_clock_stops_at_the_year_9000() -> None:
    for seconds in (float("nan"), float("inf"), 1e300, 300_000_000_000):
        with pytest.raises(ValueError, match="year 9000"):
            Clock(speed=0).advance(seconds)
    with ContractClient(speed=MAX_SPEED) as client:
        clock = client.sandbox.clock
        clock.advance((parse("9000-01-01") - clock.milliseconds()) / 1000 - 1000)
        threading.Event().wait(0.01)
        created = client.inquiry().attributes
        assert (created["created-at"], created["expires-at"]) == ("9000-01-01T00:00:00.000Z", "9000-01-02T00:00:00.000Z")


def test_a_clock_can_run_faster() -> None:
    clock = Clock(speed=10_000)
    before = clock.milliseconds()
    threading.Event().wait(0.02)
    assert clock.milliseconds() - before >= 200_000


def test_a_clock_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="forward"):
        Clock().advance(-1)


@pytest.mark.parametrize("speed", ["x", None, -1, float("nan"), float("inf"), 1e12])
def test_a_wrong_speed_is_refused(speed: Any) -> None:
    with pytest.raises(ValueError, match="speed must be a number from 0 to 1000000"):
        Sandbox(speed=speed)

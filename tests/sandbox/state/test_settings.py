"""The settings of a simulation and their bounds."""

from __future__ import annotations

from typing import Any

import pytest

from persona_block.sandbox import Settings

WRONG_DURATIONS = (-1, float("nan"), float("inf"), 2**31)


@pytest.mark.parametrize(
    "options",
    [
        {"rate_limit": 0},
        {"mismatch_status": 500},
        *({name: each} for name in ("report_delay", "import_delay", "rate_window") for each in WRONG_DURATIONS),
    ],
)
def test_wrong_settings_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must"):
        Settings(**options)


def test_the_bounds_themselves_are_accepted() -> None:
    Settings(rate_limit=1, mismatch_status=422, report_delay=0, import_delay=0, rate_window=2**31 - 2)

"""The settings of a sandbox and their bounds."""

from __future__ import annotations

import pytest

from persona_block.sandbox import Sandbox


def test_settings_are_checked() -> None:
    for options in (
        {"rate_limit": 0},
        {"mismatch_status": 500},
        *({"report_delay": each} for each in (-1, float("nan"), float("inf"))),
        *({"speed": each} for each in (-1, float("nan"), float("inf"), 1e12)),
    ):
        with pytest.raises(ValueError, match="must"):
            Sandbox(**options)  # type: ignore[arg-type]
    with Sandbox() as sandbox, pytest.raises(ValueError, match="forward"):
        sandbox.clock.advance(-1)

"""The oldest versions that pyproject.toml allows, as `make floors` tries them."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from scripts.floors import AGENT_EXTRAS, BASE_EXTRAS, DEV, ELSEWHERE, ROOT, at_floors, groups

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
NOT_TRIED = {DEV, "dify", "langflow"}
"""The extras of developers, and of platforms that decide on versions themselves."""


def test_a_floor_is_what_stands_after_its_sign() -> None:
    assert at_floors(["httpx>=0.27,<1", "moto[s3,server]>=5", "fpdf2>=2.8.1"]) == ("httpx==0.27", "moto==5", "fpdf2==2.8.1")
    for requirement in ("httpx", "httpx<1", "httpx==1"):
        with pytest.raises(ValueError, match="has no floor"):
            at_floors([requirement])


def test_every_extra_is_tried_or_known_not_to_be() -> None:
    assert {*BASE_EXTRAS, *AGENT_EXTRAS} | NOT_TRIED == set(PROJECT["optional-dependencies"])


def test_every_requirement_is_tried_at_its_floor() -> None:
    tried = {constraint for group in groups(PROJECT) for constraint in group.constraints}
    optional = PROJECT["optional-dependencies"]
    needs = [*PROJECT["dependencies"], *(need for extra in optional if extra not in NOT_TRIED for need in optional[extra])]
    assert tried == set(at_floors(needs))


def test_what_is_run_and_left_out_is_there() -> None:
    for name in (*ELSEWHERE, *(each for group in groups(PROJECT) for each in group.tests)):
        assert (ROOT / "tests" / name).exists()
    assert all(group.tools for group in groups(PROJECT))

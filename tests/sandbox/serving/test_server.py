"""The server: it serves this machine alone, on a free port."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from persona_block.sandbox import Sandbox


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])
def test_no_other_machine_is_served(host: str) -> None:
    async def main() -> None:
        with Sandbox() as sandbox, pytest.raises(ValueError, match="only served on this machine"):
            async with sandbox.serve(host):
                pass

    asyncio.run(main())


def test_a_port_that_is_taken() -> None:
    async def main() -> None:
        with Sandbox() as sandbox:
            async with sandbox.serve() as base_url:
                with pytest.raises(OSError, match="in use"):
                    async with sandbox.serve(port=httpx.URL(base_url).port or 0):
                        pass

    asyncio.run(main())

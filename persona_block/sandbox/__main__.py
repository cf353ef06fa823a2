"""`python -m persona_block.sandbox`: serve the offline Persona, and print its address and keys on one line of JSON."""

from __future__ import annotations

import argparse
import json
import sys

from .simulator import Sandbox


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m persona_block.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="loopback port; 0 takes a free one")
    parser.add_argument("--state", help="file that keeps the state; without it, it is kept in memory")
    parser.add_argument("--seed", type=int, default=0, help="makes ids and invented people repeatable")
    parser.add_argument("--speed", type=float, default=1.0, help="simulated seconds per real second")
    parser.add_argument("--populate", action="store_true", help="fill a new state with an organisation to explore")
    options = parser.parse_args()
    sandbox = Sandbox(state=options.state, seed=options.seed, speed=options.speed, populate=options.populate)

    def announce(base_url: str) -> None:
        keys = {"apiKey": sandbox.api_key, "sandboxKey": sandbox.sandbox_key}
        sys.stdout.write(json.dumps({"baseUrl": base_url, **keys, "simulation": True}) + "\n")
        sys.stdout.flush()

    with sandbox:
        sandbox.run(port=options.port, announce=announce)


if __name__ == "__main__":
    main()

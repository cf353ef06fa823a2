"""How much is tried by a test that could go on for ever: a little in `make test`, the full budget in `make soak`.

The budget is a profile of Hypothesis, so `pytest --hypothesis-profile=full` chooses it for properties and soaks alike.
"""

from __future__ import annotations

from hypothesis import settings

SMALL = "small"
FULL = "full"


def register_profiles() -> None:
    """Register the two profiles and load the small one, before any test module is imported.

    A slow machine is no fault of an example, so neither has a deadline.
    """
    settings.register_profile(SMALL, max_examples=25, deadline=None)
    settings.register_profile(FULL, max_examples=500, deadline=None, print_blob=True)
    settings.load_profile(SMALL)


def budget(*, small: int, full: int) -> int:
    """Return how often to try, by the profile that is loaded."""
    return full if settings.get_current_profile_name() == FULL else small

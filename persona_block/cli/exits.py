"""The exit codes of the command line."""

from __future__ import annotations

SUCCESS = 0
FAILURE = 1
"""The operation failed."""
MISUSE = 2
"""Nothing was sent, because what was asked for cannot be understood."""
INTERRUPTED = 130
"""The user ended it."""

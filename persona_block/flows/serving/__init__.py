"""What flows need from outside over HTTP: Persona's webhooks, Slack's buttons, and a page for people."""

from __future__ import annotations

from .app import Options, create_app

__all__ = ["Options", "create_app"]

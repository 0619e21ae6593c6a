"""The public path of what is in `headwater.sdk.language.flow`."""

from __future__ import annotations

from headwater.sdk.language.flow import Flow, TerminalStateHandler

__all__ = ["Flow", "TerminalStateHandler"]

"""The public path of what is in `headwater.sdk.states.interrupts`."""

from __future__ import annotations

from headwater.sdk.states.interrupts import is_interrupt, tell_apart

__all__ = ["is_interrupt", "tell_apart"]

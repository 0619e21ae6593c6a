"""The public path of what is in `headwater.sdk.context.interrupts`."""

from __future__ import annotations

from headwater.sdk.context.interrupts import is_interrupt, tell_apart

__all__ = ["is_interrupt", "tell_apart"]

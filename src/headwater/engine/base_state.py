"""The public path of what is in `headwater.sdk.states.base_state`."""

from __future__ import annotations

from headwater.sdk.states.base_state import State

__all__ = ["State"]

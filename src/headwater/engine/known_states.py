"""The public path of what is in `headwater.sdk.engine.known_states`."""

from __future__ import annotations

from headwater.sdk.engine.known_states import KnownStates

__all__ = ["KnownStates"]

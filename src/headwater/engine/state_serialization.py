"""The public path of what is in `headwater.sdk.states.serialization`."""

from __future__ import annotations

from headwater.sdk.states.serialization import deserialize_state, serialize_state

__all__ = ["deserialize_state", "serialize_state"]

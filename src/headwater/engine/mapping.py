"""The public path of what is in `headwater.sdk.engine.mapping`."""

from __future__ import annotations

from headwater.sdk.engine.mapping import CHILDREN_MAX, flattened_value, states_of_children

__all__ = ["CHILDREN_MAX", "flattened_value", "states_of_children"]

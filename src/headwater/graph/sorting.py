"""The public path of what is in `headwater.sdk.language.sorting`."""

from __future__ import annotations

from headwater.sdk.language.sorting import Edges, in_order

__all__ = ["Edges", "in_order"]

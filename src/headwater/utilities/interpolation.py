"""The public path of what is in `headwater.sdk.context.interpolation`."""

from __future__ import annotations

from headwater.sdk.context.interpolation import DEPTH_MAX, interpolated, typed

__all__ = ["DEPTH_MAX", "interpolated", "typed"]

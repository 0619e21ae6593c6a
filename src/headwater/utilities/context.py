"""The public path of what is in `headwater.sdk.context.context`."""

from __future__ import annotations

from headwater.sdk.context.context import Context, context, current_values

__all__ = ["Context", "context", "current_values"]

"""The public path of what is in `headwater.sdk.context.context` and `headwater.sdk.context.values`."""

from __future__ import annotations

from headwater.sdk.context.context import Context, context
from headwater.sdk.context.values import current_values

__all__ = ["Context", "context", "current_values"]

"""The values of `headwater.context` that are now in force."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

_outermost: dict[str, Any] = {}
current_values: ContextVar[dict[str, Any]] = ContextVar("headwater.context", default=_outermost)
"""The values now in force. The engine sets it around each task; all other code goes through `context`."""

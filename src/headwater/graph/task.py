"""The public path of what is in `headwater.sdk.language.task` and `headwater.sdk.language.active_flow`."""

from __future__ import annotations

from headwater.sdk.language.active_flow import active_flow
from headwater.sdk.language.task import StateHandler, Task

__all__ = ["StateHandler", "Task", "active_flow"]

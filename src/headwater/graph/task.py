"""The public path of what is in `headwater.sdk.language.task`."""

from __future__ import annotations

from headwater.sdk.language.task import StateHandler, Task, active_flow

__all__ = ["StateHandler", "Task", "active_flow"]

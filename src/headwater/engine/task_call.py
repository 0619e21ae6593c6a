"""The public path of what is in `headwater.sdk.executors.task_call`."""

from __future__ import annotations

from headwater.sdk.executors.task_call import EndedForGood, TaskCall, execute, in_thread

__all__ = ["EndedForGood", "TaskCall", "execute", "in_thread"]

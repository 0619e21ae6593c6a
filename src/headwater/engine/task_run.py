"""The public path of what is in `headwater.sdk.engine.task_run`."""

from __future__ import annotations

from headwater.sdk.engine.task_run import NO_CONTEXT, PENDING, TaskRun

__all__ = ["NO_CONTEXT", "PENDING", "TaskRun"]

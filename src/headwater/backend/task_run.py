"""The public path of what is in `headwater.sdk.backend.task_run`."""

from __future__ import annotations

from headwater.sdk.backend.task_run import ResultUnavailable, TaskRunView

__all__ = ["ResultUnavailable", "TaskRunView"]

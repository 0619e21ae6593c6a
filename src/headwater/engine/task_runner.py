"""The public path of what is in `headwater.sdk.engine.task_runner`."""

from __future__ import annotations

from headwater.sdk.engine.task_runner import TaskRunner

__all__ = ["TaskRunner"]

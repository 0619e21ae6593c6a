"""The public path of what is in `headwater.sdk.backend.flow_run`."""

from __future__ import annotations

from headwater.sdk.backend.flow_run import TASK_RUNS_MAX, FlowRunView

__all__ = ["TASK_RUNS_MAX", "FlowRunView"]

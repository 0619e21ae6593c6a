"""The public path of what is in `headwater.sdk.task_library.flow_runs.flow_run_cancel`."""

from __future__ import annotations

from headwater.sdk.task_library.flow_runs.flow_run_cancel import CancelFlowRun, cancel_flow_run, run_meant

__all__ = ["CancelFlowRun", "cancel_flow_run", "run_meant"]

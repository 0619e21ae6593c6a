"""The public path of what is in `headwater.sdk.task_library.flow_runs.flow_run`."""

from __future__ import annotations

from headwater.sdk.task_library.flow_runs.flow_run import StartFlowRun, create_flow_run, get_task_run_result, wait_for_flow_run

__all__ = ["StartFlowRun", "create_flow_run", "get_task_run_result", "wait_for_flow_run"]

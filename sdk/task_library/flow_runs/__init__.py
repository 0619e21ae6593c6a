"""Tasks that deal with runs: start a run of another flow, wait for it, take its results."""

from __future__ import annotations

from headwater.sdk.task_library.flow_runs.flow_run import StartFlowRun, create_flow_run, get_task_run_result, wait_for_flow_run
from headwater.sdk.task_library.flow_runs.flow_run_cancel import CancelFlowRun, cancel_flow_run
from headwater.sdk.task_library.flow_runs.flow_run_rename import RenameFlowRun, rename_flow_run

__all__ = [
    "CancelFlowRun",
    "RenameFlowRun",
    "StartFlowRun",
    "cancel_flow_run",
    "create_flow_run",
    "get_task_run_result",
    "rename_flow_run",
    "wait_for_flow_run",
]

"""Tasks that deal with runs: start a run of another flow, wait for it, take its results."""

from __future__ import annotations

from headwater.tasks.headwater.flow_run import (
    StartFlowRun,
    cancel_flow_run,
    create_flow_run,
    get_task_run_result,
    rename_flow_run,
    wait_for_flow_run,
)

__all__ = ["StartFlowRun", "cancel_flow_run", "create_flow_run", "get_task_run_result", "rename_flow_run", "wait_for_flow_run"]

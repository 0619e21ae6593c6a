"""Tasks that deal with runs: start a run of another flow, wait for it, take its results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.sdk.task_library.flow_runs import (
    CancelFlowRun,
    RenameFlowRun,
    StartFlowRun,
    cancel_flow_run,
    create_flow_run,
    get_task_run_result,
    rename_flow_run,
    wait_for_flow_run,
)

if TYPE_CHECKING:  # at run time each is imported when it is first used
    from headwater.tasks.headwater import flow_run as flow_run
    from headwater.tasks.headwater import flow_run_cancel as flow_run_cancel
    from headwater.tasks.headwater import flow_run_rename as flow_run_rename

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

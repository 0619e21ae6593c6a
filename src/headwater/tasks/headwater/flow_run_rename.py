"""The public path of what is in `headwater.sdk.task_library.flow_runs.flow_run_rename`."""

from __future__ import annotations

from headwater.sdk.task_library.flow_runs.flow_run_rename import RenameFlowRun, rename_flow_run

__all__ = ["RenameFlowRun", "rename_flow_run"]

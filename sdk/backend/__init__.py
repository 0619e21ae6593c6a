"""Looking at what the server knows, from scripts and tasks: flows, runs, task runs and their results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.backend.flow import FlowView
from headwater.backend.flow_run import FlowRunView
from headwater.backend.task_run import TaskRunView
from headwater.backend.watching import FlowRunLog, RunNotEnded, watch_flow_run

if TYPE_CHECKING:  # at run time each is imported when it is first used
    from headwater.backend import flow as flow
    from headwater.backend import flow_run as flow_run
    from headwater.backend import task_run as task_run

__all__ = ["FlowRunLog", "FlowRunView", "FlowView", "RunNotEnded", "TaskRunView", "watch_flow_run"]

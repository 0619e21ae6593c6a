"""The public path of what is in `headwater.sdk.client.run_info`."""

from __future__ import annotations

from headwater.sdk.client.run_info import (
    FlowRunInfo,
    TaskRunInfo,
    page_of_flow,
    page_of_run,
    page_of_task_run,
    read_run,
    registration,
    run_info,
    state_of,
    task_state_of,
)

__all__ = [
    "FlowRunInfo",
    "TaskRunInfo",
    "page_of_flow",
    "page_of_run",
    "page_of_task_run",
    "read_run",
    "registration",
    "run_info",
    "state_of",
    "task_state_of",
]

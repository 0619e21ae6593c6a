"""Looking at what the server knows, from scripts and tasks: flows, runs, task runs and their results, and keys with their values."""

from __future__ import annotations

from headwater.backend.flow import FlowView
from headwater.backend.flow_run import FlowRunView
from headwater.backend.kv_store import delete_key, get_key_value, list_keys, set_key_value
from headwater.backend.task_run import TaskRunView
from headwater.backend.watching import FlowRunLog, RunNotEnded, watch_flow_run

__all__ = [
    "FlowRunLog",
    "FlowRunView",
    "FlowView",
    "RunNotEnded",
    "TaskRunView",
    "delete_key",
    "get_key_value",
    "list_keys",
    "set_key_value",
    "watch_flow_run",
]

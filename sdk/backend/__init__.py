"""Looking at what the server knows, from scripts and tasks: runs and their results; keys with their values; artifacts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.sdk.backend.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_table_artifact,
    delete_artifact,
    update_link_artifact,
    update_markdown_artifact,
    update_table_artifact,
)
from headwater.sdk.backend.flow import FlowView
from headwater.sdk.backend.flow_run import FlowRunView
from headwater.sdk.backend.kv_store import delete_key, get_key_value, list_keys, set_key_value
from headwater.sdk.backend.task_run import TaskRunView
from headwater.sdk.backend.watching import FlowRunLog, RunNotEnded, watch_flow_run

if TYPE_CHECKING:  # at run time each is imported when it is first used
    from headwater.sdk.backend import artifacts as artifacts
    from headwater.sdk.backend import flow as flow
    from headwater.sdk.backend import flow_run as flow_run
    from headwater.sdk.backend import kv_store as kv_store
    from headwater.sdk.backend import task_run as task_run
    from headwater.sdk.backend import tenant as tenant

__all__ = [
    "FlowRunLog",
    "FlowRunView",
    "FlowView",
    "RunNotEnded",
    "TaskRunView",
    "create_link_artifact",
    "create_markdown_artifact",
    "create_table_artifact",
    "delete_artifact",
    "delete_key",
    "get_key_value",
    "list_keys",
    "set_key_value",
    "update_link_artifact",
    "update_markdown_artifact",
    "update_table_artifact",
    "watch_flow_run",
]

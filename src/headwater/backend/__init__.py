"""Looking at what the server knows, from scripts and tasks: runs and their results; keys with their values; artifacts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.sdk.backend import (
    FlowRunLog,
    FlowRunView,
    FlowView,
    RunNotEnded,
    TaskRunView,
    create_link_artifact,
    create_markdown_artifact,
    create_table_artifact,
    delete_artifact,
    delete_key,
    get_key_value,
    list_keys,
    set_key_value,
    update_link_artifact,
    update_markdown_artifact,
    update_table_artifact,
    watch_flow_run,
)

if TYPE_CHECKING:  # at run time each is imported when it is first used
    from headwater.backend import artifacts as artifacts
    from headwater.backend import connection as connection
    from headwater.backend import flow as flow
    from headwater.backend import flow_run as flow_run
    from headwater.backend import kv_store as kv_store
    from headwater.backend import task_run as task_run
    from headwater.backend import tenant as tenant
    from headwater.backend import watching as watching

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

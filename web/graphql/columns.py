"""What can be asked for and ordered by, type by type: GraphQL's name of each column, its kind, and the views' name of it.

`where` and `order_by` inputs are made from these tables, so that they and the translation into questions cannot differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Columns:
    """The columns of one type. A column maps to its kind and the views' name; a relation to columns of our own that stand for its."""

    table: str
    name: str
    own: Mapping[str, tuple[str, str]]
    relations: Mapping[str, Columns] = field(default_factory=dict)


_PROJECT_OF = Columns("", "project_of", {"id": ("uuid", "project_id"), "name": ("text", "project_name")})
_FLOW_OF = Columns(
    "",
    "flow_of",
    {
        "id": ("uuid", "flow_id"),
        "name": ("text", "flow_name"),
        "version": ("int", "version"),
        "flow_group_id": ("uuid", "flow_group_id"),
        "version_group_id": ("uuid", "flow_group_id"),
        "project_id": ("uuid", "project_id"),
    },
    {"project": _PROJECT_OF},
)

PROJECT = Columns(
    "projects",
    "project",
    {"id": ("uuid", "id"), "name": ("text", "name"), "description": ("text", "description"), "created": ("time", "created")},
)
KEY_VALUE = Columns(
    "key_values",
    "key_value",
    {
        "id": ("uuid", "id"),
        "key": ("text", "key"),
        "project_id": ("uuid", "project_id"),
        "created": ("time", "created"),
        "updated": ("time", "updated"),
    },
    {"project": _PROJECT_OF},
)
FLOW = Columns(
    "flows",
    "flow",
    {
        "id": ("uuid", "id"),
        "name": ("text", "name"),
        "version": ("int", "version"),
        "flow_group_id": ("uuid", "flow_group_id"),
        "version_group_id": ("uuid", "flow_group_id"),
        "project_id": ("uuid", "project_id"),
        "archived": ("bool", "archived"),
        "created": ("time", "created"),
        "labels": ("text[]", "labels"),
    },
    {"project": _PROJECT_OF},
)
FLOW_GROUP = Columns(
    "flow_groups",
    "flow_group",
    {
        "id": ("uuid", "id"),
        "name": ("text", "name"),
        "description": ("text", "description"),
        "labels": ("text[]", "labels"),
    },
    {"project": _PROJECT_OF},
)
FLOW_RUN = Columns(
    "runs",
    "flow_run",
    {
        "id": ("uuid", "id"),
        "name": ("text", "name"),
        "state": ("text", "state"),
        "state_message": ("text", "state_message"),
        "flow_id": ("uuid", "flow_id"),
        "agent_id": ("text", "agent_id"),
        "schedule_id": ("uuid", "schedule_id"),
        "idempotency_key": ("text", "idempotency_key"),
        "labels": ("text[]", "labels"),
        "created": ("time", "created"),
        "scheduled_start_time": ("time", "scheduled_start_time"),
        "start_time": ("time", "start_time"),
        "end_time": ("time", "end_time"),
    },
    {"flow": _FLOW_OF},
)
_GROUP_OF = Columns("", "flow_group_of", {"id": ("uuid", "flow_group_id"), "name": ("text", "flow_name")}, {"project": _PROJECT_OF})
SCHEDULE = Columns(
    "schedules",
    "schedule",
    {
        "id": ("uuid", "id"),
        "flow_group_id": ("uuid", "flow_group_id"),
        "project_id": ("uuid", "project_id"),
        "slug": ("text", "slug"),
        "is_active": ("bool", "active"),
        "pause_cause": ("text", "pause_cause"),
        "created": ("time", "created"),
    },
    {"flow_group": _GROUP_OF},
)
BACKFILL = Columns(
    "backfills",
    "backfill",
    {
        "id": ("uuid", "id"),
        "name": ("text", "name"),
        "schedule_id": ("uuid", "schedule_id"),
        "flow_group_id": ("uuid", "flow_group_id"),
        "project_id": ("uuid", "project_id"),
        "flow_name": ("text", "flow_name"),
        "project_name": ("text", "project_name"),
        "slug": ("text", "slug"),
        "state": ("text", "state"),
        "created": ("time", "created"),
    },
)
_TASK_OF = Columns("", "task_of", {"slug": ("text", "slug"), "name": ("text", "task_name")})
TASK_RUN = Columns(
    "task_runs",
    "task_run",
    {
        "flow_run_id": ("uuid", "run_id"),
        "slug": ("text", "slug"),
        "map_index": ("int", "map_index"),
        "name": ("text", "name"),
        "state": ("text", "state"),
        "state_message": ("text", "state_message"),
        "start_time": ("time", "start_time"),
        "end_time": ("time", "end_time"),
    },
    {"task": _TASK_OF},
)
ARTIFACT = Columns(
    "artifacts",
    "task_run_artifact",
    {
        "id": ("text", "id"),
        "task_run_id": ("task run", "task_run_id"),
        "flow_run_id": ("uuid", "run_id"),
        "kind": ("text", "kind"),
        "created": ("time", "created"),
        "updated": ("time", "updated"),
    },
)
TASK = Columns(
    "tasks",
    "task",
    {
        "flow_id": ("uuid", "flow_id"),
        "slug": ("text", "slug"),
        "name": ("text", "name"),
        "type": ("text", "type"),
        "tags": ("text[]", "tags"),
        "trigger": ("text", "trigger"),
        "mapped": ("bool", "mapped"),
        "max_retries": ("int", "max_retries"),
    },
)
LOG = Columns(
    "logs",
    "log",
    {
        "flow_run_id": ("uuid", "run_id"),
        "timestamp": ("time", "at"),
        "level": ("level", "level"),
        "name": ("text", "logger"),
        "message": ("text", "message"),
        "task_slug": ("text", "task"),
        "map_index": ("int", "map_index"),
    },
)
AGENT = Columns(
    "agents",
    "agent",
    {
        "id": ("text", "id"),
        "name": ("text", "name"),
        "type": ("text", "kind"),
        "labels": ("text[]", "labels"),
        "status": ("text", "status"),
        "core_version": ("text", "version"),
    },
)

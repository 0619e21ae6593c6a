"""What can be found by conditions of the asker's own making: the tables, and their columns that conditions may name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from headwater.projections.queries.shown import (
    AGENT_ROW,
    BACKFILL_ROW,
    FLOW_GROUP_ROW,
    FLOW_ROW,
    KEY_VALUE_ROW,
    PROJECT_ROW,
    RUN_ROW,
    SCHEDULE_ROW,
    TASK_RUN_ROW,
)
from headwater.projections.tables import (
    AGENTS,
    ARTIFACTS,
    BACKFILLS,
    FLOW_GROUPS,
    FLOW_TASKS,
    FLOW_VERSIONS,
    KEY_VALUES,
    PROJECTS,
    RUNS,
    SCHEDULES,
    TASK_RUNS,
)


@dataclass(frozen=True)
class Table:
    """What can be found: a SELECT of its rows, the type of each column that conditions may name, and the order where none is asked for."""

    select: str
    columns: Mapping[str, str]
    order: str


_PROJECT = {"project_id": "uuid", "project_name": "text"}
_FLOW = "flow_versions v JOIN flow_groups g ON g.id = v.flow_group_id JOIN projects p ON p.id = g.project_id"

TABLES = {
    "projects": Table(f"SELECT {PROJECT_ROW} FROM projects p", PROJECTS.findable, "name, id"),
    "key_values": Table(
        f"SELECT {KEY_VALUE_ROW} FROM key_values kv JOIN projects p ON p.id = kv.project_id",
        KEY_VALUES.findable | _PROJECT,
        "project_name, project_id, key",
    ),
    "flows": Table(
        f"SELECT {FLOW_ROW} FROM {_FLOW}",
        FLOW_VERSIONS.findable | _PROJECT | {"name": "text", "deleted": "boolean"},
        "project_name, name, version DESC",
    ),
    "flow_groups": Table(
        f"SELECT {FLOW_GROUP_ROW} FROM flow_groups g JOIN projects p ON p.id = g.project_id",
        FLOW_GROUPS.findable | _PROJECT,
        "project_name, name, id",
    ),
    "runs": Table(f"SELECT {RUN_ROW} FROM runs r LEFT JOIN projects p ON p.id = r.project_id", RUNS.findable, "created DESC"),
    "task_runs": Table(
        f"""SELECT {TASK_RUN_ROW}
        FROM task_runs t JOIN runs r ON r.id = t.run_id LEFT JOIN flow_tasks f ON f.flow_id = r.flow_id AND f.slug = t.slug""",
        TASK_RUNS.findable | {"task_name": "text"},
        "run_id, slug, map_index",
    ),
    "artifacts": Table(f"SELECT {ARTIFACTS.select('a')} FROM artifacts a", ARTIFACTS.findable, "created, id"),
    "tasks": Table(f"SELECT {FLOW_TASKS.select('t')} FROM flow_tasks t", FLOW_TASKS.findable, "flow_id, slug"),
    "logs": Table(
        """SELECT l.run_id, l.attempt, l.at, l.level, l.logger, l.message, l.task, l.map_index, l.position, l.line
        FROM headwater.log_lines l""",
        {
            "run_id": "uuid",
            "at": "timestamptz",
            "level": "integer",
            "logger": "text",
            "message": "text",
            "task": "text",
            "map_index": "integer",
        },
        "position, line",
    ),
    "agents": Table(f"SELECT {AGENT_ROW} FROM agents a", AGENTS.findable, "created DESC"),
    "schedules": Table(
        f"""SELECT {SCHEDULE_ROW}
        FROM schedules s JOIN flow_groups g ON g.id = s.flow_group_id JOIN projects p ON p.id = g.project_id
        WHERE coalesce(s.set_by_user, s.registered) IS NOT NULL AND NOT g.deleted AND NOT p.deleted""",
        SCHEDULES.findable | _PROJECT | {"flow_name": "text"},
        "project_name, flow_name, slug, id",
    ),
    "backfills": Table(
        f"""SELECT {BACKFILL_ROW}
        FROM backfills b JOIN flow_groups g ON g.id = b.flow_group_id JOIN projects p ON p.id = g.project_id
        LEFT JOIN schedules s ON s.id = b.schedule_id""",
        BACKFILLS.findable | _PROJECT | {"flow_name": "text", "slug": "text"},
        "created DESC",
    ),
}

"""What can be found by conditions of the asker's own making: the tables, and their columns that conditions may name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """What can be found: its rows, the type of each column that conditions may name, and the order where none is asked for."""

    rows: str
    columns: Mapping[str, str]
    order: str


_RUN_COLUMNS = """r.id, r.name, r.state, r.state_message, r.flow_id, r.flow_group_id, r.flow_name, r.project_id,
    coalesce(p.name, r.project_name) AS project_name, r.version, r.labels, r.parameters, r.context, r.run_config, r.created, r.created_by,
    r.scheduled_start_time, r.start_time, r.end_time, r.attempt, r.agent_id, r.agent_name, r.cancel_requested, r.failure, r.queue_id,
    r.idempotency_key, r.position"""

TABLES = {
    "projects": Table(
        """SELECT p.id, p.name, p.description, p.created, p.created_by, p.deleted,
            (SELECT count(*) FROM flow_groups g WHERE g.project_id = p.id AND NOT g.deleted) AS flow_count, p.position
        FROM projects p""",
        {"id": "uuid", "name": "text", "description": "text", "created": "timestamptz", "created_by": "text", "deleted": "boolean"},
        "name, id",
    ),
    "key_values": Table(
        """SELECT kv.id, kv.project_id, p.name AS project_name, kv.key, kv.value, kv.created, kv.updated, kv.updated_by, kv.position
        FROM key_values kv JOIN projects p ON p.id = kv.project_id""",
        {
            "id": "uuid",
            "project_id": "uuid",
            "project_name": "text",
            "key": "text",
            "created": "timestamptz",
            "updated": "timestamptz",
            "updated_by": "text",
        },
        "project_name, project_id, key",
    ),
    "flows": Table(
        """SELECT v.id, v.flow_group_id, g.project_id, p.name AS project_name, g.name, v.version, v.archived,
            g.deleted OR p.deleted AS deleted, v.created, v.created_by, v.labels, v.parameters, v.storage, v.run_config, v.schedule,
            v.environment, v.serialized_hash, v.idempotency_key, v.task_count, v.edge_count, v.position,
            g.description, g.labels AS group_labels, g.default_parameters
        FROM flow_versions v JOIN flow_groups g ON g.id = v.flow_group_id JOIN projects p ON p.id = g.project_id""",
        {
            "id": "uuid",
            "flow_group_id": "uuid",
            "project_id": "uuid",
            "project_name": "text",
            "name": "text",
            "version": "bigint",
            "archived": "boolean",
            "deleted": "boolean",
            "created": "timestamptz",
            "labels": "text[]",
            "serialized_hash": "text",
        },
        "project_name, name, version DESC",
    ),
    "flow_groups": Table(
        """SELECT g.id, g.project_id, p.name AS project_name, g.name, g.description, g.labels, g.default_parameters,
            g.deleted OR p.deleted AS deleted FROM flow_groups g JOIN projects p ON p.id = g.project_id""",
        {
            "id": "uuid",
            "project_id": "uuid",
            "project_name": "text",
            "name": "text",
            "description": "text",
            "labels": "text[]",
            "deleted": "boolean",
        },
        "project_name, name, id",
    ),
    "runs": Table(
        f"SELECT {_RUN_COLUMNS} FROM runs r LEFT JOIN projects p ON p.id = r.project_id",
        {
            "id": "uuid",
            "name": "text",
            "state": "text",
            "state_message": "text",
            "flow_id": "uuid",
            "flow_group_id": "uuid",
            "flow_name": "text",
            "project_id": "uuid",
            "project_name": "text",
            "version": "bigint",
            "labels": "text[]",
            "created": "timestamptz",
            "scheduled_start_time": "timestamptz",
            "start_time": "timestamptz",
            "end_time": "timestamptz",
            "attempt": "integer",
            "agent_id": "text",
            "created_by": "text",
            "idempotency_key": "text",
        },
        "created DESC",
    ),
    "task_runs": Table(
        """SELECT t.run_id, t.slug, t.map_index, coalesce(t.name, f.name, t.slug) AS name, coalesce(f.name, t.slug) AS task_name,
            t.state, t.state_message, coalesce(t.run_count, 0) AS run_count, t.start_time, t.end_time, t.retry_at, t.child_count,
            t.result, t.failure, t.attempt, t.position
        FROM task_runs t JOIN runs r ON r.id = t.run_id LEFT JOIN flow_tasks f ON f.flow_id = r.flow_id AND f.slug = t.slug""",
        {
            "run_id": "uuid",
            "slug": "text",
            "map_index": "integer",
            "name": "text",
            "task_name": "text",
            "state": "text",
            "state_message": "text",
            "run_count": "integer",
            "start_time": "timestamptz",
            "end_time": "timestamptz",
        },
        "run_id, slug, map_index",
    ),
    "artifacts": Table(
        """SELECT a.id, a.run_id, a.slug, a.map_index, a.task_run_id, a.kind, a.data, a.created, a.updated, a.position FROM artifacts a""",
        {
            "id": "text",
            "run_id": "uuid",
            "slug": "text",
            "map_index": "integer",
            "task_run_id": "text",
            "kind": "text",
            "created": "timestamptz",
            "updated": "timestamptz",
        },
        "created, id",
    ),
    "tasks": Table(
        """SELECT t.flow_id, t.slug, t.name, t.type, t.tags, t.max_retries, t.retry_delay_seconds, t.timeout_seconds, t.trigger, t.mapped,
            t.reference, t.settings FROM flow_tasks t""",
        {
            "flow_id": "uuid",
            "slug": "text",
            "name": "text",
            "type": "text",
            "tags": "text[]",
            "max_retries": "integer",
            "trigger": "text",
            "mapped": "boolean",
            "reference": "boolean",
        },
        "flow_id, slug",
    ),
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
    "agents": Table(
        """SELECT a.id, a.name, a.kind, a.labels, a.hostname, a.pid, a.version, a.run_limit AS "limit", a.status, a.status_reason,
            a.created, a.ended, (SELECT count(*) FROM runs r WHERE r.agent_id = a.id AND r.held) AS held_runs, a.position FROM agents a""",
        {"id": "text", "name": "text", "kind": "text", "labels": "text[]", "status": "text", "created": "timestamptz", "version": "text"},
        "created DESC",
    ),
}

"""The views of flows: what holds for every version, the versions, and the tasks and edges of each."""

from __future__ import annotations

from typing import NamedTuple

from headwater.core.events import EdgeSpec, FlowRegistered, RegistrationPart, TaskSpec
from headwater.core.log.codec import encode_event
from headwater.projections.stored_values import json, optional_json, optional_text, text, texts
from headwater.projections.tables.catalogue import Told
from headwater.projections.tables.view import Column, View

FLOW_GROUPS: View[Told[FlowRegistered]] = View(
    "flow_groups",
    (
        Column("id", "uuid", lambda told: told.about, findable=True),
        Column("project_id", "uuid", lambda told: told.event.project_id, findable=True),
        Column("name", "text", lambda told: text(told.event.name), findable=True),
        Column("deleted", "boolean", default="false", findable=True),
        Column("description", "text", default="''", findable=True),
        Column("labels", "text[]", null=True, findable=True),
        Column("default_parameters", "json", default="'{}'"),
    ),
    key=("id",),
    comment="`labels` and `default_parameters` hold for new runs of every version; NULL labels: each version's own.",
    indexes=("flow_groups_by_name ON flow_groups (name)", "flow_groups_by_project ON flow_groups (project_id)"),
)

FLOW_VERSIONS: View[Told[FlowRegistered]] = View(
    "flow_versions",
    (
        Column("id", "uuid", lambda told: told.event.flow_id, findable=True),
        Column("flow_group_id", "uuid", lambda told: told.about, findable=True),
        Column("version", "bigint", lambda told: told.event.flow_version, findable=True),
        Column("archived", "boolean", default="false", findable=True),
        Column("created", "timestamptz", lambda told: told.commit.at, findable=True),
        Column("created_by", "text", lambda told: text(told.commit.actor)),
        Column("labels", "text[]", lambda told: texts(told.event.labels), findable=True),
        Column("parameters", "json", lambda told: json(told.event.parameters)),
        Column("storage", "json", lambda told: json(told.event.storage)),
        Column("run_config", "json", lambda told: json(told.event.run_config)),
        Column("schedule", "json", lambda told: optional_json(told.event.schedule), null=True),
        Column("environment", "json", lambda told: json(told.event.environment)),
        Column("serialized_hash", "text", lambda told: text(told.event.serialized_hash), findable=True),
        Column("idempotency_key", "text", lambda told: optional_text(told.event.idempotency_key), null=True),
        Column("task_count", "integer", lambda told: told.event.task_count),
        Column("edge_count", "integer", lambda told: told.event.edge_count),
        Column("position", "bigint", lambda told: told.position),
    ),
    key=("id",),
    unique=("flow_group_id", "version"),
)


class NumberedTask(NamedTuple):
    """A task of a flow version, and its place among the tasks."""

    flow_id: str
    ordinal: int
    task: TaskSpec


FLOW_TASKS: View[NumberedTask] = View(
    "flow_tasks",
    (
        Column("flow_id", "uuid", lambda row: row.flow_id, findable=True),
        Column("ordinal", "integer", lambda row: row.ordinal, shown=False),
        Column("slug", "text", lambda row: text(row.task.slug), findable=True),
        Column("name", "text", lambda row: text(row.task.name), findable=True),
        Column("type", "text", lambda row: text(row.task.type), findable=True),
        Column("tags", "text[]", lambda row: texts(row.task.tags), findable=True),
        Column("max_retries", "integer", lambda row: row.task.max_retries, findable=True),
        Column("retry_delay_seconds", "double precision", lambda row: row.task.retry_delay_seconds, null=True),
        Column("timeout_seconds", "double precision", lambda row: row.task.timeout_seconds, null=True),
        Column("trigger", "text", lambda row: text(row.task.trigger), findable=True),
        Column("mapped", "boolean", lambda row: row.task.mapped, findable=True),
        Column("reference", "boolean", lambda row: row.task.reference, findable=True),
        Column("settings", "json", lambda row: json(row.task.settings)),
    ),
    key=("flow_id", "ordinal"),
    indexes=("flow_tasks_by_slug ON flow_tasks (flow_id, slug)",),
)


class NumberedEdge(NamedTuple):
    """An edge of a flow version, and its place among the edges."""

    flow_id: str
    ordinal: int
    edge: EdgeSpec


FLOW_EDGES: View[NumberedEdge] = View(
    "flow_edges",
    (
        Column("flow_id", "uuid", lambda row: row.flow_id),
        Column("ordinal", "integer", lambda row: row.ordinal, shown=False),
        Column("upstream", "text", lambda row: text(row.edge.upstream)),
        Column("downstream", "text", lambda row: text(row.edge.downstream)),
        Column("key", "text", lambda row: optional_text(row.edge.key), null=True),
        Column("mapped", "boolean", lambda row: row.edge.mapped),
        Column("flattened", "boolean", lambda row: row.edge.flattened),
    ),
    key=("flow_id", "ordinal"),
)

REGISTRATION_PARTS: View[RegistrationPart] = View(
    "registration_parts",
    (
        Column("registration_id", "text", lambda part: part.registration_id),
        Column("number", "integer", lambda part: part.number),
        Column("event", "bytea", encode_event),
    ),
    key=("registration_id", "number"),
    comment="Parts of large registrations, as they were written, until the registration that names them comes.",
)

"""The views of projects, their keys, queues, agents, and commits that could not be applied."""

from __future__ import annotations

from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

from headwater.core.events import AgentRegistered, KeyValueSet, ProjectCreated, QueueOpened
from headwater.core.log.commit import Commit, Position
from headwater.projections.stored_values import json, text, texts
from headwater.projections.tables.view import Column, View

E = TypeVar("E")


class Told(NamedTuple, Generic[E]):
    """An event on an aggregate, and the commit that it came with."""

    about: str
    event: E
    commit: Commit
    position: Position


PROJECTS: View[Told[ProjectCreated]] = View(
    "projects",
    (
        Column("id", "uuid", lambda told: told.about, findable=True),
        Column("name", "text", lambda told: text(told.event.name), findable=True),
        Column("description", "text", lambda told: text(told.event.description), findable=True),
        Column("created", "timestamptz", lambda told: told.commit.at, findable=True),
        Column("created_by", "text", lambda told: text(told.commit.actor), findable=True),
        Column("deleted", "boolean", default="false", findable=True),
        Column("position", "bigint", lambda told: told.position),
    ),
    key=("id",),
    indexes=("projects_by_name ON projects (name)",),
)


class ShownKeyValue(NamedTuple):
    """A key of a project as it was set last."""

    pair_id: str
    event: KeyValueSet
    created_at: datetime
    commit: Commit
    position: Position


KEY_VALUES: View[ShownKeyValue] = View(
    "key_values",
    (
        Column("id", "uuid", lambda shown: shown.pair_id, findable=True),
        Column("project_id", "uuid", lambda shown: shown.event.project_id, findable=True),
        Column("key", "text", lambda shown: text(shown.event.key), findable=True),
        Column("value", "json", lambda shown: json(shown.event.value), changes=True),
        Column("created", "timestamptz", lambda shown: shown.created_at, findable=True),
        Column("updated", "timestamptz", lambda shown: shown.commit.at, changes=True, findable=True),
        Column("updated_by", "text", lambda shown: text(shown.commit.actor), changes=True, findable=True),
        Column("position", "bigint", lambda shown: shown.position, changes=True),
    ),
    key=("id",),
    comment="Keys that have a value. Those of deleted projects have none.",
    indexes=('key_values_by_key ON key_values (project_id, key COLLATE "C")',),
)

QUEUES: View[Told[QueueOpened]] = View(
    "queues",
    (
        Column("id", "text", lambda told: told.event.queue_id),
        Column("labels", "text[]", lambda told: texts(told.event.labels)),
        Column("created", "timestamptz", lambda told: told.commit.at),
        Column("position", "bigint", lambda told: told.position),
    ),
    key=("id",),
)

AGENTS: View[Told[AgentRegistered]] = View(
    "agents",
    (
        Column("id", "text", lambda told: told.about, findable=True),
        Column("name", "text", lambda told: text(told.event.name), findable=True),
        Column("kind", "text", lambda told: text(told.event.kind), findable=True),
        Column("labels", "text[]", lambda told: texts(told.event.labels), findable=True),
        Column("hostname", "text", lambda told: text(told.event.hostname)),
        Column("pid", "bigint", lambda told: told.event.pid),
        Column("version", "text", lambda told: text(told.event.version), findable=True),
        Column("run_limit", "integer", lambda told: told.event.limit, null=True, shown=False),
        Column("status", "text", lambda _: "working", findable=True),
        Column("status_reason", "text", lambda _: ""),
        Column("created", "timestamptz", lambda told: told.commit.at, findable=True),
        Column("created_position", "bigint", lambda told: told.position, shown=False),
        Column("ended", "timestamptz", null=True),
        Column("position", "bigint", lambda told: told.position),
    ),
    key=("id",),
    indexes=("agents_by_creation ON agents (created_position)",),
)


class DeadLetterEntry(NamedTuple):
    """A commit that could not be applied, or not wholly, and why."""

    position: Position
    subject: str
    event: str
    reason: str
    recorded_at: datetime


DEAD_LETTERS: View[DeadLetterEntry] = View(
    "set_aside",
    (
        Column("position", "bigint", lambda dead: dead.position),
        Column("subject", "text", lambda dead: text(dead.subject)),
        Column("event", "text", lambda dead: text(dead.event)),
        Column("reason", "text", lambda dead: text(dead.reason)),
        Column("recorded_at", "timestamptz", lambda dead: dead.recorded_at),
    ),
    key=("position",),
    comment="Commits that could not be applied. They block nothing; `reason` says why.",
)

"""The views are declared once: what is checked in, what is shown and what GraphQL asks for have every column that they declare."""

from __future__ import annotations

import hashlib
import re
from dataclasses import fields
from importlib.resources import files
from typing import Any

import pytest
from harness.documents import ROOT

from headwater.core.queries import (
    AgentRow,
    ArtifactRow,
    BackfillRow,
    CachedResultRow,
    FlowEdgeRow,
    FlowGroupRow,
    FlowRow,
    FlowTaskRow,
    KeyValueRow,
    ProjectRow,
    QueueRow,
    Row,
    RunRow,
    RunStateRow,
    ScheduleOutcomeRow,
    ScheduleRow,
    SetAsideRow,
    TaskRunRow,
    TaskRunStateRow,
)
from headwater.projections.queries import shown
from headwater.projections.queries.findable import TABLES
from headwater.projections.schema import SCHEMA_VERSION
from headwater.projections.tables import (
    ARTIFACTS,
    CACHED_RESULTS,
    DEAD_LETTERS,
    FLOW_EDGES,
    FLOW_TASKS,
    QUEUES,
    RUN_STATES,
    SCHEDULE_OUTCOMES,
    TASK_RUN_STATES,
    VIEWS,
    schema_sql,
)
from headwater.web.graphql import columns, types
from headwater.web.graphql.agents import AgentType
from headwater.web.graphql.columns import Columns
from headwater.web.graphql.key_values import KeyValueType

ANSWERS: dict[type[Row], str] = {
    ProjectRow: shown.PROJECT_ROW,
    KeyValueRow: shown.KEY_VALUE_ROW,
    FlowRow: shown.FLOW_ROW,
    FlowGroupRow: shown.FLOW_GROUP_ROW,
    FlowTaskRow: FLOW_TASKS.select("t"),
    FlowEdgeRow: FLOW_EDGES.select("e"),
    RunRow: shown.RUN_ROW,
    RunStateRow: RUN_STATES.select("s"),
    TaskRunRow: shown.TASK_RUN_ROW,
    TaskRunStateRow: TASK_RUN_STATES.select("s"),
    CachedResultRow: CACHED_RESULTS.select("c"),
    ArtifactRow: ARTIFACTS.select("a"),
    AgentRow: shown.AGENT_ROW,
    QueueRow: f"{QUEUES.select('q')}, 0 AS scheduled_runs",
    ScheduleRow: shown.SCHEDULE_ROW,
    BackfillRow: shown.BACKFILL_ROW,
    ScheduleOutcomeRow: SCHEDULE_OUTCOMES.select("o"),
    SetAsideRow: DEAD_LETTERS.select("d"),
}
"""What each row is read from."""

GRAPHQL_KINDS = {
    "uuid": {"uuid"},
    "text": {"text"},
    "int": {"integer", "bigint"},
    "level": {"integer"},
    "time": {"timestamptz"},
    "bool": {"boolean"},
    "text[]": {"text[]"},
    "task run": {"text"},
}
GRAPHQL = [each for each in vars(columns).values() if isinstance(each, Columns) and each.table]

IN_OTHER_WORDS: dict[type, tuple[type[Row], dict[str, str], set[str]]] = {
    types.ProjectType: (ProjectRow, {}, {"deleted", "position"}),
    types.FlowGroupType: (FlowGroupRow, {}, {"project_id", "project_name", "deleted"}),
    types.FlowType: (FlowRow, {}, {"project_name", "deleted", "position", "description", "group_labels", "default_parameters"}),
    types.TaskType: (
        FlowTaskRow,
        {"retry_delay_seconds": "retry_delay", "timeout_seconds": "timeout", "reference": "is_reference_task"},
        {"settings"},
    ),
    types.EdgeType: (FlowEdgeRow, {"upstream": "upstream_task", "downstream": "downstream_task"}, {"flow_id"}),
    types.FlowRun: (
        RunRow,
        {},
        {
            "flow_group_id",
            "flow_name",
            "project_id",
            "project_name",
            "attempt",
            "agent_name",
            "cancel_requested",
            "failure",
            "queue_id",
            "nominal",
            "scheduled_by",
        },
    ),
    types.FlowRunState: (
        RunStateRow,
        {"run_id": "flow_run_id", "at": "timestamp", "scheduled_start_time": "start_time"},
        {"attempt", "actor", "failure"},
    ),
    types.TaskRunType: (
        TaskRunRow,
        {"run_id": "flow_run_id", "slug": "task_slug"},
        {"retry_at", "child_count", "result", "failure", "attempt", "position"},
    ),
    types.TaskRunState: (
        TaskRunStateRow,
        {"run_id": "task_run_id", "slug": "task_slug", "at": "timestamp"},
        {"attempt", "run_count", "failure"},
    ),
    AgentType: (AgentRow, {"kind": "type", "version": "core_version"}, {"hostname", "pid", "limit", "status_reason", "ended", "position"}),
    KeyValueType: (KeyValueRow, {}, {"project_name", "position"}),
}
"""Types of GraphQL with the rows that they show, fields that are called otherwise there, and those that are left out."""


def names(select: str) -> list[str]:
    """The names under which a SELECT lists its values."""
    parts = re.split(r",\s*(?![^()]*\))", select)
    return [re.split(r"[\s.]", part.strip())[-1].strip('"') for part in parts]


def test_the_schema_that_is_checked_in_is_what_the_views_declare() -> None:
    assert files("headwater.projections").joinpath("schema.sql").read_text() == schema_sql()


@pytest.mark.parametrize("row", ANSWERS, ids=lambda row: row.__name__)
def test_a_row_has_a_field_for_each_column_that_is_shown_and_for_nothing_else(row: type[Row]) -> None:
    assert sorted(names(ANSWERS[row])) == sorted(row.__struct_fields__)


def test_a_task_that_did_not_begin_answers_in_the_order_of_one_that_did() -> None:
    assert names(shown.UNBEGUN_TASK_RUN_ROW) == names(shown.TASK_RUN_ROW)


@pytest.mark.parametrize("table", [name for name in TABLES if name != "logs"])
def test_what_can_be_found_is_shown(table: str) -> None:
    listed = TABLES[table].select.removeprefix("SELECT ").rpartition("FROM")[0]

    assert set(TABLES[table].columns) <= set(re.findall(r"(\w+)\W", listed))


@pytest.mark.parametrize("columns", GRAPHQL, ids=lambda each: each.name)
def test_what_graphql_asks_for_can_be_found_and_is_of_its_kind(columns: Columns) -> None:
    def check(asked: Columns) -> None:
        for kind, name in asked.own.values():
            assert TABLES[columns.table].columns[name] in GRAPHQL_KINDS[kind], name
        for relation in asked.relations.values():
            check(relation)

    check(columns)


@pytest.mark.parametrize("kind", IN_OTHER_WORDS, ids=lambda kind: kind.__name__)
def test_a_type_of_graphql_shows_every_field_of_its_row_or_leaves_it_out_by_name(kind: Any) -> None:
    row, otherwise, left_out = IN_OTHER_WORDS[kind]
    known = {field.name for field in fields(kind)}
    shown_there = {field for field in row.__struct_fields__ if otherwise.get(field, field) in known}

    assert set(row.__struct_fields__) - shown_there == left_out


def test_every_column_has_a_value_or_a_default() -> None:
    empty = [
        f"{view.name}.{column.name}" for view in VIEWS for column in view.columns if not (column.value or column.default or column.null)
    ]

    assert empty == []


DIGESTS = {5: "f2957495a62f9759", 6: "eeab05ba088eef62", 7: "338cfd48ed2078ec"}
"""The tables of each version of the schema."""


def test_tables_that_change_are_a_new_version_of_the_schema() -> None:
    """Else a server that is upgraded would write today's columns into yesterday's tables."""
    digest = hashlib.sha256((ROOT / "projections" / "schema.sql").read_bytes()).hexdigest()[:16]

    assert DIGESTS.get(SCHEMA_VERSION) == digest, "raise SCHEMA_VERSION in projections/schema.py, and add the digest here"

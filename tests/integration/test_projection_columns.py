"""Every value lands in its own column, in whatever order the schema names the columns."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from harness.views_fixtures import VIEW_TABLES

import headwater.projections
from headwater.core.events import (
    AgentRegistered,
    AnyEvent,
    BackfillChoice,
    BackfillEnded,
    BackfillRequested,
    BackfillRunEnded,
    BackfillRunsStarted,
    BackfillTime,
    EdgeSpec,
    Failure,
    FlowRegistered,
    KeyValueSet,
    Origin,
    Pause,
    PauseCause,
    ProjectCreated,
    QueueOpened,
    RegistrationPart,
    ResultReference,
    RunCreated,
    RunFailed,
    RunScheduled,
    RunStarted,
    RunSubmitted,
    ScheduleFired,
    SchedulePaused,
    ScheduleProgress,
    ScheduleSet,
    ScheduleSpec,
    StorageReference,
    TaskRunArtifactCreated,
    TaskRunCached,
    TaskRunFailed,
    TaskRunStarted,
    TaskSpec,
)
from headwater.core.log import subjects
from headwater.core.log.codec import encode
from headwater.core.log.commit import new_commit
from headwater.core.log.protocol import LogLine, LogTail, Recorded, RecordedLines
from headwater.core.values.identifiers import derived_id, flow_group_id, flow_version_id, key_value_id
from headwater.projections.apply import Applier
from headwater.projections.copied_table import CopiedTable
from headwater.projections.log_lines import LOG_LINES, keep_lines
from headwater.projections.schema import Build, create_build, create_meta_schema, write_into
from headwater.projections.tables import VIEWS

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RUN = derived_id("run")
PROJECT = derived_id("project")
GROUP = flow_group_id(PROJECT, "etl")
FLOW = flow_version_id(GROUP, 1)

SCHEDULE, BACKFILL = derived_id("a schedule"), derived_id("a backfill")
SCHEDULE_LIFE: list[AnyEvent] = [
    ScheduleSet(
        schedule_id=SCHEDULE,
        flow_group_id=GROUP,
        project_id=PROJECT,
        origin=Origin.REGISTERED,
        spec=ScheduleSpec({"clocks": []}),
        since=NOON,
        until=NOON,
    ),
    ScheduleFired(nominal=NOON, run_id=RUN, flow_id=FLOW, due_at=NOON),
    SchedulePaused(
        cause=PauseCause.USER,
        since=NOON,
        note="The source moves.",
        after=ScheduleProgress(decided=NOON, pause=Pause(PauseCause.USER, NOON), failures=1, runs_made=2),
    ),
]
BACKFILL_LIFE: list[AnyEvent] = [
    BackfillRequested(
        backfill_id=BACKFILL,
        schedule_id=SCHEDULE,
        flow_group_id=GROUP,
        project_id=PROJECT,
        name="quiet-heron",
        since=NOON,
        until=NOON,
        choice=BackfillChoice.ALL,
        times=(BackfillTime(nominal=NOON),),
    ),
    BackfillRunsStarted(1),
    BackfillRunEnded(RUN, "Failed"),
    BackfillEnded(),
]
HISTORY: list[tuple[str, list[AnyEvent]]] = [
    (
        subjects.flow_group(GROUP),
        [
            FlowRegistered(
                flow_id=FLOW,
                flow_group_id=GROUP,
                project_id=PROJECT,
                name="etl",
                flow_version=1,
                task_count=2,
                edge_count=1,
                storage=StorageReference("Local"),
                tasks=(TaskSpec("load-1", "load", "FunctionTask", tags=("slow",), mapped=True), TaskSpec("end-1", "end", "FunctionTask")),
                edges=(EdgeSpec("load-1", "end-1", key="rows", flattened=True),),
            )
        ],
    ),
    (
        subjects.run(RUN),
        [
            RunCreated(
                run_id=RUN,
                flow_id=FLOW,
                flow_group_id=GROUP,
                project_id=PROJECT,
                project_name="the project",
                flow_name="etl",
                flow_version=1,
                name="a run",
                queue_id="q",
                storage=StorageReference("Local"),
                parameters={"a": 1},
                context={"b": 2},
                run_config={"type": "LocalRun"},
            ),
            RunScheduled(due_at=NOON, generation=1, message="to begin"),
        ],
    ),
    (subjects.run(RUN), [RunSubmitted(1, "agent-1", "mill"), RunStarted(1, NOON)]),
    (
        subjects.run(RUN),
        [
            TaskRunStarted(slug="load-1", at=NOON, map_index=3, run_count=1),
            TaskRunCached(
                slug="load-1", at=NOON, map_index=3, result=ResultReference("Local", "/r"), expires_at=NOON, cache={"key": "shared"}
            ),
            TaskRunFailed(slug="end-1", at=NOON, message="no", failure=Failure("ValueError", "no")),
        ],
    ),
    (subjects.run(RUN), [RunFailed(NOON, 1, message="the end", failure=Failure("ValueError", "no"))]),
    (subjects.run(derived_id("never created")), [RunStarted(1, NOON)]),
    (
        subjects.run(derived_id("shows something")),
        [
            RunCreated(
                run_id=derived_id("shows something"),
                flow_id=FLOW,
                flow_group_id=GROUP,
                project_id=PROJECT,
                project_name="the project",
                flow_name="etl",
                flow_version=1,
                name="another run",
                queue_id="q",
                storage=StorageReference("Local"),
            ),
            TaskRunArtifactCreated(slug="load-1", at=NOON, artifact_id=derived_id("a link"), kind="link", data={"link": "/"}),
        ],
    ),
    (subjects.project(PROJECT), [ProjectCreated(PROJECT, "the project")]),
    (subjects.key_value(key_value_id(PROJECT, "last day")), [KeyValueSet(PROJECT, "last day", {"day": "mon"})]),
    (subjects.registration_part("parts", 1), [RegistrationPart("parts", 1, (TaskSpec("load-1", "load", "FunctionTask"),))]),
    (subjects.queue("q"), [QueueOpened("q", ("host",))]),
    (subjects.schedule(SCHEDULE), SCHEDULE_LIFE),
    (subjects.backfill(BACKFILL), BACKFILL_LIFE),
    (subjects.agent("agent-1"), [AgentRegistered("agent-1", "mill", "local", ("host",), "river", 4711, "1", 3)]),
]
LINES = RecordedLines(7, RUN, 1, (LogLine(NOON, 20, "headwater.load", "loaded", "load-1", 3),))


COPIED = {table.name: table for table in (*(view.copied for view in VIEWS), LOG_LINES)}
"""Everything that is written by COPY, or by statements over arrays."""


def sql(name: str) -> str:
    return files("headwater.projections").joinpath(name).read_text()


def with_columns_reversed(statements: str) -> str:
    """The same tables, the last column of each named first."""

    def turned(table: re.Match[str]) -> str:
        lines = [line.removesuffix(",") for line in table[2].splitlines()]
        return table[1] + ",\n".join(reversed(lines)) + table[3]

    return re.sub(r"(CREATE TABLE [^(]+\(\n)(.*?)(\n\))", turned, statements, flags=re.DOTALL)


@pytest.fixture
async def db(database_url: str) -> Any:
    db = await asyncpg.connect(database_url)
    yield db
    await db.close()


async def built(db: Any, *, turn: bool) -> Build:
    if turn:
        for (schema,) in await db.fetch("SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE 'headwater%'"):
            await db.execute(f"DROP SCHEMA {schema} CASCADE")
        await db.execute(with_columns_reversed(sql("meta_schema.sql")))
    await create_meta_schema(db)
    build = await create_build(db, LogTail("a log", len(HISTORY)))
    if turn:
        await db.execute(f"DROP SCHEMA {build.schema} CASCADE")
        await db.execute(f"CREATE SCHEMA {build.schema}")
    await write_into(db, build)
    if turn:
        await db.execute(with_columns_reversed(sql("schema.sql")))
    return build


async def rows(db: Any, *, turn: bool) -> dict[str, list[dict[str, Any]]]:
    """Every row of the views and of the log lines, by the names of the columns."""
    applier = Applier(db, await built(db, turn=turn))
    await applier.apply([recorded(position, *each) for position, each in enumerate(HISTORY, 1)])
    await keep_lines(db, [LINES])
    tables = [*VIEW_TABLES, "headwater.log_lines"]
    return {
        table: [json.loads(row[0]) for row in await db.fetch(f"SELECT row_to_json(t) FROM {table} t ORDER BY 1::text")] for table in tables
    }


def recorded(position: int, subject: str, events: list[AnyEvent]) -> Recorded:
    return Recorded(position, subject, NOON, encode(new_commit(events, at=NOON, actor="somebody", commit_id=derived_id(str(position)))))


async def columns_of(db: Any, table: CopiedTable, build: Build) -> set[str]:
    found = "SELECT column_name FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2"
    columns = {row[0] for row in await db.fetch(found, table.schema or build.schema, table.name)}
    assert columns >= set(table.columns)
    return columns


async def test_what_is_written_names_the_columns_of_its_table_and_leaves_out_only_what_has_a_default(db: Any) -> None:
    build = await built(db, turn=False)

    for name, table in COPIED.items():
        left_out = await columns_of(db, table, build) - set(table.columns)
        assert left_out == {column.name for view in VIEWS if view.name == name for column in view.columns if column.value is None}


async def test_the_order_of_the_columns_in_the_schema_changes_no_row(db: Any) -> None:
    as_written = await rows(db, turn=False)
    turned_round = await rows(db, turn=True)

    assert turned_round == as_written
    assert list(turned_round["runs"][0]) == list(reversed(as_written["runs"][0]))
    assert [name for name in COPIED if not as_written.get(name, as_written.get(f"headwater.{name}"))] == []


def test_no_row_is_copied_without_names_of_columns() -> None:
    root = Path(next(iter(headwater.projections.__path__)))
    copying = [path.name for path in root.rglob("*.py") if "copy_records_to_table" in path.read_text()]

    assert copying == ["copied_table.py"]

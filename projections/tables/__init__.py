"""The views, each declared once. From this come `schema.sql`, every statement that writes rows, and what can be found and shown."""

from __future__ import annotations

from typing import Any

from headwater.projections.tables.artifacts import ARTIFACTS, ShownArtifact
from headwater.projections.tables.catalogue import AGENTS, DEAD_LETTERS, KEY_VALUES, PROJECTS, QUEUES, DeadLetterEntry, ShownKeyValue, Told
from headwater.projections.tables.flows import (
    FLOW_EDGES,
    FLOW_GROUPS,
    FLOW_TASKS,
    FLOW_VERSIONS,
    REGISTRATION_PARTS,
    NumberedEdge,
    NumberedTask,
)
from headwater.projections.tables.runs import RUN_COUNTS, RUN_NAMES, RUN_STATES, RUNS, RunCount, RunName, RunStateEntry
from headwater.projections.tables.schedules import BACKFILLS, SCHEDULE_OUTCOMES, SCHEDULES, ScheduleOutcome, ShownProgress
from headwater.projections.tables.task_runs import (
    CACHED_RESULTS,
    TASK_RUN_STATES,
    TASK_RUNS,
    CachedResult,
    TaskRunStateEntry,
)
from headwater.projections.tables.view import Column, View

VIEWS: tuple[View[Any], ...] = (
    PROJECTS,
    FLOW_GROUPS,
    FLOW_VERSIONS,
    FLOW_TASKS,
    FLOW_EDGES,
    KEY_VALUES,
    ARTIFACTS,
    SCHEDULES,
    SCHEDULE_OUTCOMES,
    BACKFILLS,
    REGISTRATION_PARTS,
    RUNS,
    RUN_NAMES,
    RUN_COUNTS,
    RUN_STATES,
    TASK_RUNS,
    TASK_RUN_STATES,
    CACHED_RESULTS,
    QUEUES,
    AGENTS,
    DEAD_LETTERS,
)

_HEADER = """-- The views: every table here is folded from the log and holds nothing that is not in it. Written by `make docs` from
-- projections/tables, where the columns are declared.
--
-- All of it lies in one PostgreSQL schema per build (headwater_v<version>_<build>), which is the search path while this runs.
-- Times are those in the events (`at`) or of the log; `position` is the log's sequence number of the last commit on the thing.
-- `json`, not `jsonb`: what was written comes back in the order in which it was written.
"""

_FUNCTIONS = """-- The pieces of two and three characters that a text has, in small letters: one that contains another has all its pieces.
CREATE FUNCTION grams(given text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT array_agg(DISTINCT substr(lower(given), place, size))
    FROM generate_series(2, 3) AS size CROSS JOIN generate_series(1, length(given) - size + 1) AS place
$$;
"""


def schema_sql() -> str:
    """Return what `schema.sql` holds."""
    return "\n".join([_HEADER, _FUNCTIONS, *(view.ddl for view in VIEWS)])


__all__ = [
    "AGENTS",
    "ARTIFACTS",
    "BACKFILLS",
    "CACHED_RESULTS",
    "DEAD_LETTERS",
    "FLOW_EDGES",
    "FLOW_GROUPS",
    "FLOW_TASKS",
    "FLOW_VERSIONS",
    "KEY_VALUES",
    "PROJECTS",
    "QUEUES",
    "REGISTRATION_PARTS",
    "RUNS",
    "RUN_COUNTS",
    "RUN_NAMES",
    "RUN_STATES",
    "SCHEDULES",
    "SCHEDULE_OUTCOMES",
    "TASK_RUNS",
    "TASK_RUN_STATES",
    "VIEWS",
    "CachedResult",
    "Column",
    "DeadLetterEntry",
    "NumberedEdge",
    "NumberedTask",
    "RunCount",
    "RunName",
    "RunStateEntry",
    "ScheduleOutcome",
    "ShownArtifact",
    "ShownKeyValue",
    "ShownProgress",
    "TaskRunStateEntry",
    "Told",
    "View",
    "schema_sql",
]

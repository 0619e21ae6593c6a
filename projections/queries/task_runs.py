"""Questions about task runs, their states, and what runs logged."""

from __future__ import annotations

from headwater.core.queries import ListArtifacts, ListCachedResults, ListLogs, ListTaskRuns, ListTaskRunStates
from headwater.core.values.identifiers import parsed_uuid
from headwater.projections.queries.runs import the_run
from headwater.projections.queries.shown import TASK_RUN_ROW, UNBEGUN_TASK_RUN_ROW
from headwater.projections.queries.statement import Conditions, Key, Statement
from headwater.projections.tables import ARTIFACTS, CACHED_RESULTS, TASK_RUN_STATES, TASK_RUNS

# Task runs have rows once they have events. The others are read off the flow version's tasks: Pending, or Cancelled with their run.
# Rows become JSON only once the page is known: of a large run, most are not on it.
# LIMIT and OFFSET keep the look-ups by index: right after a large run there are no statistics, and a join was planned as 10,000 x 10,000.
_TASK_RUNS = """
WITH run AS (SELECT id, flow_id, state, end_time FROM runs WHERE id = $1),
all_task_runs AS (
    SELECT {row}, coalesce(f.ordinal, 2147483647) AS ordinal
    FROM task_runs t LEFT JOIN LATERAL (
        SELECT name, ordinal FROM flow_tasks WHERE flow_id = (SELECT flow_id FROM run) AND slug = t.slug LIMIT 1
    ) f ON true
    WHERE t.run_id = $1
    UNION ALL
    SELECT {unbegun}, f.ordinal
    FROM flow_tasks f, run
    WHERE f.flow_id = run.flow_id
        AND NOT EXISTS (SELECT 1 FROM task_runs t WHERE t.run_id = $1 AND t.slug = f.slug AND t.map_index = -1 OFFSET 0)
)
SELECT row_to_json(shown)::text AS row, json_build_array(a.ordinal, a.slug, a.map_index)::text AS key
FROM (SELECT * FROM all_task_runs a {where} ORDER BY a.ordinal, a.slug, a.map_index LIMIT {count}) AS a
CROSS JOIN LATERAL (
    SELECT {shown}, a.task_name
) AS shown
ORDER BY a.ordinal, a.slug, a.map_index
"""


def list_task_runs(query: ListTaskRuns, after: Key | None, count: int) -> Statement:
    parent = the_run(query.run_id)
    conditions = Conditions([*parent.arguments])
    if query.states:
        conditions.add("a.state = ANY({}::text[])", list(query.states))
    if query.slug is not None:
        conditions.add("a.slug = {}", query.slug)
    if query.map_index is not None:
        conditions.add("a.map_index = {}", query.map_index)
    if query.search:
        conditions.add("strpos(lower(a.slug || ' ' || a.name), lower({})) > 0", query.search)
    if after is not None:
        conditions.add("(a.ordinal, a.slug, a.map_index) > ({}, {}, {})", *after)
    rows = conditions.argument(count)
    sql = _TASK_RUNS.format(row=TASK_RUN_ROW, unbegun=UNBEGUN_TASK_RUN_ROW, shown=TASK_RUNS.select("a"), where=conditions.where, count=rows)
    return Statement(sql, tuple(conditions.arguments), parent)


_STATES = """
SELECT row_to_json(shown)::text AS row, json_build_array(s.position, s.seq)::text AS key
FROM task_run_states s
CROSS JOIN LATERAL (
    SELECT {row}
) AS shown
{where}
ORDER BY s.position, s.seq LIMIT {count}
"""


def list_task_run_states(query: ListTaskRunStates, after: Key | None, count: int) -> Statement:
    parent = the_run(query.run_id)
    conditions = Conditions([*parent.arguments], ["s.run_id = $1"])
    if query.slug is not None:
        conditions.add("s.slug = {}", query.slug)
    if query.map_index is not None:
        conditions.add("s.map_index = {}", query.map_index)
    if after is not None:
        conditions.add("(s.position, s.seq) > ({}, {})", *after)
    rows = conditions.argument(count)
    return Statement(
        _STATES.format(row=TASK_RUN_STATES.select("s"), where=conditions.where, count=rows), tuple(conditions.arguments), parent
    )


_NO_LINE_FOLLOWS = 2147483647
"""No message has a line of this number: what is after it is in later messages."""

_ARTIFACTS = """
SELECT row_to_json(shown)::text AS row, json_build_array(a.created, a.id)::text AS key
FROM artifacts a
CROSS JOIN LATERAL (
    SELECT {row}
) AS shown
{where}
ORDER BY a.created, a.id LIMIT {count}
"""


def list_artifacts(query: ListArtifacts, after: Key | None, count: int) -> Statement:
    conditions = Conditions()
    conditions.add("a.run_id = {}", parsed_uuid(query.run_id, kind="run id"))
    if query.slug is not None:
        conditions.add("a.slug = {}", query.slug)
    if query.map_index is not None:
        conditions.add("a.map_index = {}", query.map_index)
    if after is not None:
        conditions.add("(a.created, a.id) > ({}::text::timestamptz, {})", *after)
    rows = conditions.argument(count)
    return Statement(_ARTIFACTS.format(row=ARTIFACTS.select("a"), where=conditions.where, count=rows), tuple(conditions.arguments))


_CACHED_RESULTS = """
SELECT row_to_json(shown)::text AS row, json_build_array(c.position, c.seq)::text AS key
FROM cached_results c
CROSS JOIN LATERAL (
    SELECT {row}
) AS shown
{where}
ORDER BY c.position DESC, c.seq DESC LIMIT {count}
"""


def list_cached_results(query: ListCachedResults, after: Key | None, count: int) -> Statement:
    conditions = Conditions()
    conditions.add("c.key = {}", query.key)
    conditions.add("(c.expires_at IS NULL OR c.expires_at > {}::timestamptz)", query.at)
    if after is not None:
        conditions.add("(c.position, c.seq) < ({}, {})", *after)
    rows = conditions.argument(count)
    return Statement(
        _CACHED_RESULTS.format(row=CACHED_RESULTS.select("c"), where=conditions.where, count=rows), tuple(conditions.arguments)
    )


_LINES = """
SELECT row_to_json(shown)::text AS row, json_build_array(l.position, l.line)::text AS key
FROM headwater.log_lines l
CROSS JOIN LATERAL (
    SELECT l.run_id, l.attempt, l.at, l.level, l.logger, {message} AS message, l.task, l.map_index, l.position, l.line
) AS shown
{where}
ORDER BY l.position {direction}, l.line {direction} LIMIT {count}
"""


def list_logs(query: ListLogs, after: Key | None, count: int) -> Statement:
    conditions = Conditions()
    conditions.add("l.run_id = {}", parsed_uuid(query.run_id, kind="run id"))
    conditions.add("(l.position, l.line) > ({}, {})", query.after, _NO_LINE_FOLLOWS)
    if after is not None:
        conditions.add(f"(l.position, l.line) {'<' if query.newest else '>'} ({{}}, {{}})", *after)
    if query.until:
        conditions.add("l.position <= {}", query.until)
    if query.min_level:
        conditions.add("l.level >= {}", query.min_level)
    if query.task is not None:
        conditions.add("l.task = {}", query.task)
    if query.map_index is not None:
        conditions.add("l.map_index = {}", query.map_index)
    if query.text:
        conditions.add("strpos(lower(l.message), lower({})) > 0", query.text)
    message = "l.message" if query.cut_at is None else f"left(l.message, {conditions.argument(query.cut_at)})"
    rows = conditions.argument(count)
    direction = "DESC" if query.newest else "ASC"
    sql = _LINES.format(message=message, where=conditions.where, direction=direction, count=rows)
    return Statement(sql, tuple(conditions.arguments))

"""The SELECT lists of the rows that queries return: the columns of their view, and what stands in other views."""

from __future__ import annotations

from headwater.projections.tables import AGENTS, BACKFILLS, FLOW_GROUPS, FLOW_VERSIONS, KEY_VALUES, PROJECTS, RUNS, SCHEDULES, TASK_RUNS

PROJECT_ROW = f"""{PROJECTS.select("p")},
    (SELECT count(*) FROM flow_groups g WHERE g.project_id = p.id AND NOT g.deleted) AS flow_count"""
"""Of a project `p`."""

KEY_VALUE_ROW = f"{KEY_VALUES.select('kv')}, p.name AS project_name"
"""Of a key `kv` of a project `p`."""

FLOW_ROW = f"""{FLOW_VERSIONS.select("v")}, g.project_id, p.name AS project_name, g.name, g.deleted OR p.deleted AS deleted,
    g.description, g.labels AS group_labels, g.default_parameters"""
"""Of a version `v` of a flow `g` of a project `p`."""

FLOW_GROUP_ROW = f"{FLOW_GROUPS.select('g', deleted='g.deleted OR p.deleted')}, p.name AS project_name"
"""Of a flow `g` of a project `p`."""

SCHEDULE_ROW = f"{SCHEDULES.select('s')}, g.name AS flow_name, p.name AS project_name"
"""Of a schedule `s` of a flow `g` of a project `p`."""

BACKFILL_ROW = f"""{BACKFILLS.select("b")}, g.name AS flow_name, p.name AS project_name, coalesce(s.slug, '') AS slug"""
"""Of a backfill `b` of a schedule `s` of a flow `g` of a project `p`."""

_PROJECT_NAME = "coalesce(p.name, r.project_name)"
RUN_ROW = RUNS.select("r", project_name=_PROJECT_NAME)
"""Of a run `r` of a project `p`."""

BRIEF_RUN_ROW = RUNS.select("r", project_name=_PROJECT_NAME, parameters="'{}'::json", context="'{}'::json", run_config="'{}'::json")
"""The same without what the run was given."""

_BEGUN = TASK_RUNS.select("t", name="coalesce(t.name, f.name, t.slug)", run_count="coalesce(t.run_count, 0)")
TASK_RUN_ROW = f"{_BEGUN}, coalesce(f.name, t.slug) AS task_name"
"""Of a task run `t` of a task `f`, which may be missing."""

_UNBEGUN = {
    "run_id": "run.id",
    "slug": "f.slug",
    "map_index": "-1",
    "name": "f.name",
    "state": "CASE WHEN run.state = 'Cancelled' THEN 'Cancelled' ELSE 'Pending' END",
    "state_message": """CASE WHEN run.state = 'Cancelled' THEN 'The run was cancelled before this task began.'
        WHEN run.end_time IS NOT NULL THEN 'The run ended before this task began.' ELSE '' END""",
    "run_count": "0",
    "attempt": "0",
    "position": "0",
}
UNBEGUN_TASK_RUN_ROW = f"{TASK_RUNS.select_values(_UNBEGUN)}, f.name AS task_name"
"""Of a task `f` of a run `run` that has no task run: in the same order as `TASK_RUN_ROW`."""

AGENT_ROW = f"""{AGENTS.select("a")}, a.run_limit AS "limit",
    (SELECT count(*) FROM runs r WHERE r.agent_id = a.id AND r.held) AS held_runs"""
"""Of an agent `a`."""

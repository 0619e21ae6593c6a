"""Questions whose answers sum up: the tasks of a run with their task runs counted, the last runs of many flows at once."""

from __future__ import annotations

from headwater.core.errors import InvalidArgument
from headwater.core.queries import ListLastRuns, ListTaskGroups
from headwater.core.values.identifiers import parsed_uuid
from headwater.projections.queries.runs import RUN_STATES, the_run
from headwater.projections.queries.shown import BRIEF_RUN_ROW
from headwater.projections.queries.statement import Key, Statement

GROUPS_ASKED_MAX = 500

# Children that have no events yet have no rows: they are what the task run they came from counts and the table does not.
_TASK_GROUPS = """
WITH run AS (SELECT id, flow_id, CASE WHEN state = 'Cancelled' THEN 'Cancelled' ELSE 'Pending' END AS unbegun FROM runs WHERE id = $1),
begun AS (
    SELECT slug, state, count(*) AS n, min(start_time) AS start_time, max(end_time) AS end_time, bool_or(end_time IS NULL) AS going_on
    FROM task_runs WHERE run_id = $1 AND map_index >= 0 GROUP BY slug, state
),
parents AS (SELECT * FROM task_runs WHERE run_id = $1 AND map_index = -1),
tasks AS (
    SELECT f.slug, f.name, f.mapped, f.ordinal FROM flow_tasks f, run WHERE f.flow_id = run.flow_id
    UNION ALL
    SELECT t.slug, t.slug, false, 2147483647 FROM (SELECT slug FROM begun UNION SELECT slug FROM parents) AS t, run
    WHERE NOT EXISTS (SELECT 1 FROM flow_tasks f WHERE f.flow_id = run.flow_id AND f.slug = t.slug OFFSET 0)
),
unbegun AS (
    SELECT p.slug, run.unbegun AS state, p.child_count - coalesce((SELECT sum(b.n) FROM begun b WHERE b.slug = p.slug), 0) AS n
    FROM parents p, run WHERE p.child_count IS NOT NULL
),
counted AS (
    SELECT slug, state, sum(n) AS n FROM (SELECT slug, state, n FROM begun UNION ALL SELECT slug, state, n FROM unbegun) AS c
    GROUP BY slug, state HAVING sum(n) > 0
),
children AS (
    SELECT c.slug, json_object_agg(c.state, c.n ORDER BY c.state) AS counts FROM counted c GROUP BY c.slug
),
spans AS (
    SELECT b.slug, min(b.start_time) AS start_time,
        CASE WHEN bool_or(b.going_on) OR EXISTS (SELECT 1 FROM unbegun u WHERE u.slug = b.slug AND u.n > 0 AND u.state = 'Pending')
            THEN NULL ELSE max(b.end_time) END AS end_time
    FROM begun b GROUP BY b.slug
)
SELECT row_to_json(shown)::text AS row, json_build_array(t.ordinal, t.slug)::text AS key
FROM tasks t CROSS JOIN run
LEFT JOIN LATERAL (
    -- By index, one by one: right after a large run there are no statistics, and a join was planned as 10,000 x 10,000.
    SELECT r.* FROM task_runs r WHERE r.run_id = $1 AND r.slug = t.slug AND r.map_index = -1 LIMIT 1
) p ON true
LEFT JOIN children c ON c.slug = t.slug
LEFT JOIN spans s ON s.slug = t.slug
CROSS JOIN LATERAL (
    SELECT run.id AS run_id, t.slug, coalesce(p.name, t.name) AS name, coalesce(p.state, run.unbegun) AS state, t.mapped, p.child_count,
        coalesce(c.counts, json_build_object(coalesce(p.state, run.unbegun), 1)) AS counts,
        coalesce(s.start_time, p.start_time) AS start_time, CASE WHEN s.slug IS NULL THEN p.end_time ELSE s.end_time END AS end_time
) AS shown
WHERE (t.ordinal, t.slug) > ($2, $3)
ORDER BY t.ordinal, t.slug LIMIT $4
"""


def list_task_groups(query: ListTaskGroups, after: Key | None, count: int) -> Statement:
    parent = the_run(query.run_id)
    return Statement(_TASK_GROUPS, (*parent.arguments, *(after or (-1, "")), count), parent)


# Of each flow the newest of each state, then the newest of all: as listings of runs do it, for many flows at once.
_LAST_RUNS = """
SELECT row_to_json(shown)::text AS row, json_build_array(g.place, -r.created_position)::text AS key
FROM unnest($1::uuid[]) WITH ORDINALITY AS g (id, place)
CROSS JOIN LATERAL (
    SELECT newest.* FROM unnest($2::text[]) AS s (state)
    CROSS JOIN LATERAL (
        SELECT * FROM runs WHERE runs.flow_group_id = g.id AND runs.state = s.state ORDER BY created_position DESC LIMIT {each}
    ) AS newest
    ORDER BY newest.created_position DESC LIMIT {each}
) AS r
LEFT JOIN projects p ON p.id = r.project_id
CROSS JOIN LATERAL (
    SELECT {shown}
) AS shown
WHERE (g.place, -r.created_position) > ($3, $4)
ORDER BY g.place, -r.created_position LIMIT $5
"""
_EACH_MAX = 100


def list_last_runs(query: ListLastRuns, after: Key | None, count: int) -> Statement:
    if len(query.flow_group_ids) > GROUPS_ASKED_MAX or not 0 < query.each <= _EACH_MAX:
        raise InvalidArgument(f"At most {GROUPS_ASKED_MAX} flows can be asked for at once, and 1 to {_EACH_MAX} runs of each.")
    groups = [parsed_uuid(group, kind="flow id") for group in query.flow_group_ids]
    first = after or (0, 0)
    return Statement(_LAST_RUNS.format(each=int(query.each), shown=BRIEF_RUN_ROW), (groups, list(RUN_STATES), *first, count))

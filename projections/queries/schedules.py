"""Questions about schedules."""

from __future__ import annotations

from headwater.core.queries import ListBackfills, ListScheduleOutcomes, ListSchedules
from headwater.core.values.identifiers import parsed_uuid
from headwater.projections.queries.shown import BACKFILL_ROW, SCHEDULE_ROW
from headwater.projections.queries.statement import Conditions, Key, Statement
from headwater.projections.tables import SCHEDULE_OUTCOMES

_SCHEDULES = """
SELECT row_to_json(shown)::text AS row, json_build_array(p.name, g.name, g.id, s.slug)::text AS key
FROM schedules s JOIN flow_groups g ON g.id = s.flow_group_id JOIN projects p ON p.id = g.project_id
CROSS JOIN LATERAL (
    SELECT {row}
) AS shown
{where}
ORDER BY p.name, g.name, g.id, s.slug LIMIT {count}
"""


def list_schedules(query: ListSchedules, after: Key | None, count: int) -> Statement:
    conditions = Conditions()
    if query.schedule_id is not None:
        conditions.add("s.id = {}", parsed_uuid(query.schedule_id, kind="schedule id"))
    if query.project is not None:
        value = conditions.argument(query.project)
        conditions.clauses.append(f"(p.name = {value} OR p.id::text = {value})")
    if query.flow is not None:
        conditions.add("g.name = {}", query.flow)
    if query.flow_group_ids:
        ids = [parsed_uuid(each, kind="flow id") for each in query.flow_group_ids]
        conditions.add("g.id = ANY({}::uuid[])", ids)
    if query.slug is not None:
        conditions.add("s.slug = {}", query.slug)
    if not query.include_deleted:
        conditions.add("coalesce(s.set_by_user, s.registered) IS NOT NULL AND NOT g.deleted AND NOT p.deleted")
    if after is not None:
        conditions.add("(p.name, g.name, g.id, s.slug) > ({}, {}, {}, {})", *after)
    rows = conditions.argument(count)
    return Statement(_SCHEDULES.format(row=SCHEDULE_ROW, where=conditions.where, count=rows), tuple(conditions.arguments))


_BACKFILLS = """
SELECT row_to_json(shown)::text AS row, json_build_array(b.created_position)::text AS key
FROM backfills b JOIN flow_groups g ON g.id = b.flow_group_id JOIN projects p ON p.id = g.project_id
LEFT JOIN schedules s ON s.id = b.schedule_id
CROSS JOIN LATERAL (
    SELECT {row}
) AS shown
{where}
ORDER BY b.created_position DESC LIMIT {count}
"""


def list_backfills(query: ListBackfills, after: Key | None, count: int) -> Statement:
    conditions = Conditions()
    if query.backfill_id is not None:
        conditions.add("b.id = {}", parsed_uuid(query.backfill_id, kind="backfill id"))
    if query.schedule_id is not None:
        conditions.add("b.schedule_id = {}", parsed_uuid(query.schedule_id, kind="schedule id"))
    if query.flow_group_id is not None:
        conditions.add("b.flow_group_id = {}", parsed_uuid(query.flow_group_id, kind="flow id"))
    if after is not None:
        conditions.add("b.created_position < {}", *after)
    rows = conditions.argument(count)
    return Statement(_BACKFILLS.format(row=BACKFILL_ROW, where=conditions.where, count=rows), tuple(conditions.arguments))


_OUTCOMES = """
SELECT row_to_json(shown)::text AS row, json_build_array(o.position, o.ordinal)::text AS key
FROM schedule_outcomes o
CROSS JOIN LATERAL (
    SELECT {row}
) AS shown
{where}
ORDER BY o.position DESC, o.ordinal DESC LIMIT {count}
"""


def list_schedule_outcomes(query: ListScheduleOutcomes, after: Key | None, count: int) -> Statement:
    conditions = Conditions()
    conditions.add("o.schedule_id = {}", parsed_uuid(query.schedule_id, kind="schedule id"))
    if query.outcomes:
        conditions.add("o.outcome = ANY({}::text[])", list(query.outcomes))
    if query.since is not None:
        conditions.add("o.nominal >= {}", query.since)
    if query.until is not None:
        conditions.add("o.nominal <= {}", query.until)
    if after is not None:
        conditions.add("(o.position, o.ordinal) < ({}, {})", *after)
    rows = conditions.argument(count)
    return Statement(_OUTCOMES.format(row=SCHEDULE_OUTCOMES.select("o"), where=conditions.where, count=rows), tuple(conditions.arguments))

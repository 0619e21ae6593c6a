"""Questions about schedules."""

from __future__ import annotations

from headwater.core.errors import InvalidArgument
from headwater.core.queries import ListBackfills, ListScheduleDays, ListScheduleOutcomes, ListSchedules
from headwater.core.values.identifiers import parsed_uuid
from headwater.core.values.moments import assume_utc
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


DAYS_MAX = 400
_DAYS = """
SELECT row_to_json(shown)::text AS row, NULL AS key FROM (
    SELECT o.schedule_id, width_bucket(o.nominal, {starts}::timestamptz[]) - 1 AS day, o.outcome, o.because, r.state, count(*) AS count
    FROM schedule_outcomes o LEFT JOIN runs r ON r.id = o.run_id AND o.outcome = 'fired'
    {where}
    GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
) AS shown
"""


def list_schedule_days(query: ListScheduleDays, _: Key | None, __: int) -> Statement:
    """Return the statement that counts what became of times, by day.

    Raises:
        InvalidArgument: the days are too many, or none, or not in order.

    """
    starts = [assume_utc(each) for each in query.starts]
    if not 1 < len(starts) <= DAYS_MAX + 1 or starts != sorted(starts):
        raise InvalidArgument(f"The days must be in order, and from 1 to {DAYS_MAX}.")
    conditions = Conditions()
    bounds = conditions.argument(starts)
    conditions.add("o.schedule_id = ANY({}::uuid[])", [parsed_uuid(each, kind="schedule id") for each in query.schedule_ids])
    conditions.add("o.nominal >= {} AND o.nominal < {}", starts[0], starts[-1])
    return Statement(_DAYS.format(starts=bounds, where=conditions.where), tuple(conditions.arguments))

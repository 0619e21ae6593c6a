"""Questions about runs, their states, and how many there are."""

from __future__ import annotations

from datetime import timedelta

from headwater.core import hints
from headwater.core.errors import InvalidArgument
from headwater.core.queries import CountRuns, GetRun, ListRuns, ListRunStates
from headwater.core.values.identifiers import parsed_uuid
from headwater.core.values.moments import instant
from headwater.projections.queries.shown import BRIEF_RUN_ROW, RUN_ROW
from headwater.projections.queries.statement import Conditions, Key, Parent, Statement
from headwater.projections.tables import RUN_STATES as RUN_STATES_VIEW

RUN_STATES = ("Pending", "Scheduled", "Paused", "Submitted", "Running", "Cancelling", "Success", "Failed", "Cancelled")
"""Every state that a run can be in; listings go through them one by one, each along its index."""

_HINT = hints.hint("{} lists runs with their ids.", hints.ListRunsAction())

_ROW = """
SELECT row_to_json(shown)::text AS row, {key}::text AS key
FROM ({runs}) AS r
LEFT JOIN projects p ON p.id = r.project_id
CROSS JOIN LATERAL (
    SELECT {shown}
) AS shown
ORDER BY {order}
"""
_NEWEST_FIRST = {"key": "json_build_array(created_position)", "order": "created_position DESC"}
_SOONEST_FIRST = {
    "key": "json_build_array(r.scheduled_start_time, created_position)",
    "order": "r.scheduled_start_time, created_position",
}
# The newest of each state (and of each flow, project or queue asked for), then the newest of all: every part walks one index backwards
# and stops early, however many runs there are. The count is written out: a planner that does not know it would rather sort.
_NEWEST = """
SELECT newest.* FROM {drivers}unnest({states}::text[]) AS s (state)
CROSS JOIN LATERAL (
    SELECT * FROM runs WHERE {state} = s.state{conditions} ORDER BY created_position DESC LIMIT {count}
) AS newest
ORDER BY created_position DESC LIMIT {count}
"""
_STATE_OF_ALL = "runs.state || ''"
"""What the index of all runs is of; the others are of the state as it is."""

# Those that wait, by when they are due: an index of its own holds them alone.
_SOONEST = """
SELECT runs.* FROM {drivers}runs WHERE runs.state = 'Scheduled'{conditions}
ORDER BY runs.scheduled_start_time, created_position LIMIT {count}
"""

# An agent's runs, and those of a name, are few and lie together in an index of their own.
_FEW = """
SELECT runs.* FROM {drivers}runs WHERE runs.state = ANY({states}::text[]){conditions} ORDER BY runs.created_position DESC LIMIT {count}
"""

# The names that contain the text are found by their pieces, and the runs of each by its name. Where nothing else narrows the listing, the
# names with the newest runs are enough: each of them has one. Runs of flows that are called so are found as listings of a flow are.
_FOUND = """
SELECT found.* FROM (
    (SELECT newest.* FROM {drivers}(
        SELECT name FROM run_names WHERE name ILIKE {text}{pieces} ORDER BY newest_position DESC{names_limit}
    ) AS named
    CROSS JOIN LATERAL (
        SELECT * FROM runs WHERE runs.name = named.name AND runs.state = ANY ({states}::text[]){conditions}
        ORDER BY created_position DESC LIMIT {count}
    ) AS newest
    ORDER BY created_position DESC LIMIT {count})
    UNION ALL
    (SELECT newest.* FROM {drivers}(SELECT id FROM flow_groups WHERE name ILIKE {text}) AS called
    CROSS JOIN unnest({states}::text[]) AS s (state)
    CROSS JOIN LATERAL (
        SELECT * FROM runs WHERE runs.flow_group_id = called.id AND runs.state = s.state AND runs.name NOT ILIKE {text}{conditions}
        ORDER BY created_position DESC LIMIT {count}
    ) AS newest
    ORDER BY created_position DESC LIMIT {count})
) AS found
ORDER BY created_position DESC LIMIT {count}
"""


def list_runs(query: ListRuns, after: Key | None, count: int) -> Statement:
    unknown = [state for state in query.states if state not in RUN_STATES]
    if unknown:
        raise InvalidArgument(f"{unknown[0]!r} is not a state of a run.", hint=f"States are: {', '.join(RUN_STATES)}.")
    conditions = Conditions()
    states = "" if query.soonest else conditions.argument(list(query.states or RUN_STATES))
    drivers = _narrow(conditions, query)
    of_all = not conditions.clauses
    _narrow_times(conditions, query)
    if query.name is not None:
        conditions.add("runs.name = {}", query.name)
    if query.schedule_id is not None:
        conditions.add("runs.schedule_id = {}", parsed_uuid(query.schedule_id, kind="schedule id"))
    if query.agent_id is not None:
        conditions.add("runs.agent_id = {}", query.agent_id)
    shown = BRIEF_RUN_ROW if query.brief else RUN_ROW
    if query.search and query.soonest:
        conditions.add("runs.name || ' ' || runs.flow_name ILIKE {}", _containing(query.search))
    if query.soonest:
        if after is not None:
            conditions.add("(runs.scheduled_start_time, runs.created_position) > ({}::text::timestamptz, {})", *after)
        runs = _SOONEST.format(drivers=drivers, conditions=conditions.also, count=count)
        return Statement(_ROW.format(runs=runs, shown=shown, **_SOONEST_FIRST), tuple(conditions.arguments))
    if after is not None:
        conditions.add("runs.created_position < {}", after[0])
    if query.search:
        unfiltered = not conditions.clauses and not query.states
        text = conditions.argument(_containing(query.search))
        runs = _FOUND.format(
            text=text,
            pieces=f" AND grams(name) @> grams({conditions.argument(query.search)})" if len(query.search) > 1 else "",
            names_limit=f" LIMIT {count}" if unfiltered else "",
            drivers=drivers,
            states=states,
            conditions=conditions.also,
            count=count,
        )
        return Statement(_ROW.format(runs=runs, shown=shown, **_NEWEST_FIRST), tuple(conditions.arguments))
    listing = _FEW if query.agent_id is not None or query.schedule_id is not None or query.name is not None else _NEWEST
    state = _STATE_OF_ALL if of_all else "runs.state"
    runs = listing.format(drivers=drivers, states=states, state=state, conditions=conditions.also, count=count)
    return Statement(_ROW.format(runs=runs, shown=shown, **_NEWEST_FIRST), tuple(conditions.arguments))


def _narrow_times(conditions: Conditions, query: ListRuns) -> None:
    for column, bound in (("created", query.created_after), ("start_time", query.started_after)):
        if bound is not None:
            conditions.add(f"runs.{column} >= {{}}", instant(bound))
    if query.created_before is not None:
        conditions.add("runs.created < {}", instant(query.created_before))
    if query.scheduled_after is not None:
        conditions.add("runs.scheduled_start_time >= {}", instant(query.scheduled_after))
    if query.scheduled_before is not None:
        conditions.add("runs.scheduled_start_time < {}", instant(query.scheduled_before))


def _narrow(conditions: Conditions, query: ListRuns) -> str:
    """Add what narrows the listing most, as a table to go through in front of it where that takes several values."""
    driver = ""
    if query.flow_id is not None:
        conditions.add("runs.flow_id = {}", parsed_uuid(query.flow_id, kind="flow id"))
    if query.flow_group_id is not None:
        conditions.add("runs.flow_group_id = {}", parsed_uuid(query.flow_group_id, kind="flow id"))
    if query.flow is not None:
        groups = flow_groups(conditions, query.flow, query.project)
        driver = f"({groups}) AS g CROSS JOIN "
        conditions.clauses.append("runs.flow_group_id = g.id")
    elif query.project is not None:
        driver = f"({projects(conditions, query.project)}) AS p CROSS JOIN "
        conditions.clauses.append("runs.project_id = p.id")
    if query.labels and not driver and query.flow_id is None and query.flow_group_id is None:
        driver = f"(SELECT id FROM queues WHERE labels @> {conditions.argument(list(query.labels))}::text[]) AS q CROSS JOIN "
        conditions.clauses.append("runs.queue_id = q.id")
    elif query.labels:
        conditions.add("runs.labels @> {}::text[]", list(query.labels))
    return driver


def projects(conditions: Conditions, name_or_id: str) -> str:
    """Return a SELECT of the ids of the projects with this name or id."""
    value = conditions.argument(name_or_id)
    return f"SELECT id FROM projects WHERE name = {value} OR id::text = {value}"


def flow_groups(conditions: Conditions, flow: str, project: str | None) -> str:
    """Return a SELECT of the ids of the flow groups of this name, in this project where one is given."""
    of_project = "" if project is None else f" AND project_id IN ({projects(conditions, project)})"
    return f"SELECT id FROM flow_groups WHERE name = {conditions.argument(flow)}{of_project}"


def get_run(query: GetRun, _: Key | None, __: int) -> Statement:
    run_id = parsed_uuid(query.run_id, kind="run id")
    wanted = Parent("", (), "run", query.run_id, _HINT)
    row = _ROW.format(runs="SELECT * FROM runs WHERE id = $1", shown=RUN_ROW, **_NEWEST_FIRST)
    return Statement(row, (run_id,), one=wanted)


def the_run(run_id: str) -> Parent:
    """Return the demand that there is such a run."""
    return Parent("SELECT 1 FROM runs WHERE id = $1", (parsed_uuid(run_id, kind="run id"),), "run", run_id, _HINT)


_STATES = f"""
SELECT row_to_json(shown)::text AS row, json_build_array(s.position, s.seq)::text AS key
FROM run_states s
CROSS JOIN LATERAL (
    SELECT {RUN_STATES_VIEW.select("s")}
) AS shown
WHERE s.run_id = $1 AND (s.position, s.seq) > ($2, $3)
ORDER BY s.position, s.seq LIMIT $4
"""


def list_run_states(query: ListRunStates, after: Key | None, count: int) -> Statement:
    parent = the_run(query.run_id)
    return Statement(_STATES, (*parent.arguments, *(after or (0, 0)), count), parent)


_COUNTS = """
SELECT json_build_object('state', state, 'count', sum(count))::text AS row, NULL AS key
FROM ({counts}) AS c GROUP BY state HAVING sum(count) > 0 ORDER BY state
"""


def count_runs(query: CountRuns, _: Key | None, __: int) -> Statement:
    """Counts are kept by the hour of creation; only the hour in which `since` lies is counted run by run."""
    conditions = Conditions()
    groups = _counted_groups(conditions, query)
    counts = "SELECT state, count FROM run_counts WHERE hour = '-infinity'" + groups
    if query.since is not None:
        since = instant(query.since)
        next_hour = since.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        first, full = conditions.argument(since), conditions.argument(next_hour)
        counts = f"""
            SELECT state, count FROM run_counts WHERE hour >= {full}{groups}
            UNION ALL
            SELECT state, count(*) FROM runs WHERE created >= {first} AND created < {full}{groups} GROUP BY state
        """
    return Statement(_COUNTS.format(counts=counts), tuple(conditions.arguments))


def _counted_groups(conditions: Conditions, query: CountRuns) -> str:
    clauses = ""
    if query.flow_group_id is not None:
        clauses += f" AND flow_group_id = {conditions.argument(parsed_uuid(query.flow_group_id, kind='flow id'))}"
    if query.flow is not None:
        clauses += f" AND flow_group_id IN ({flow_groups(conditions, query.flow, query.project)})"
    elif query.project is not None:
        clauses += f" AND project_id IN ({projects(conditions, query.project)})"
    return clauses


def _containing(text: str) -> str:
    """Return the pattern of texts that contain this one."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"

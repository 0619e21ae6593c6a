"""Questions about projects, flows, agents and queues."""

from __future__ import annotations

from headwater.core import hints
from headwater.core.queries import GetFlow, ListAgents, ListFlowEdges, ListFlows, ListFlowTasks, ListKeyValues, ListProjects, ListQueues
from headwater.core.values.identifiers import parsed_uuid, split_flow_id
from headwater.projections.queries.shown import AGENT_ROW, FLOW_ROW, KEY_VALUE_ROW, PROJECT_ROW
from headwater.projections.queries.statement import Conditions, Key, Parent, Statement
from headwater.projections.tables import FLOW_EDGES, FLOW_TASKS, QUEUES

_PROJECTS = """
SELECT row_to_json(shown)::text AS row, json_build_array(p.name, p.id)::text AS key
FROM projects p
CROSS JOIN LATERAL (
    SELECT {row}
) AS shown
{where}
ORDER BY p.name, p.id LIMIT {count}
"""


def list_projects(query: ListProjects, after: Key | None, count: int) -> Statement:
    conditions = Conditions()
    if query.name is not None:
        conditions.add("p.name = {}", query.name)
    if query.project_id is not None:
        conditions.add("p.id = {}", parsed_uuid(query.project_id, kind="project id"))
    if not query.include_deleted:
        conditions.add("NOT p.deleted")
    if after is not None:
        conditions.add("(p.name, p.id) > ({}, {})", *after)
    rows = conditions.argument(count)
    return Statement(_PROJECTS.format(row=PROJECT_ROW, where=conditions.where, count=rows), tuple(conditions.arguments))


_KEY_VALUES = """
SELECT row_to_json(shown)::text AS row, json_build_array(p.name, kv.project_id, kv.key)::text AS key
FROM key_values kv JOIN projects p ON p.id = kv.project_id
CROSS JOIN LATERAL (
    SELECT {row}
) AS shown
{where}
ORDER BY p.name, kv.project_id, kv.key COLLATE "C" LIMIT {count}
"""


def list_key_values(query: ListKeyValues, after: Key | None, count: int) -> Statement:
    conditions = Conditions()
    if query.project_id is not None:
        conditions.add("kv.project_id = {}", parsed_uuid(query.project_id, kind="project id"))
    if query.key is not None:
        conditions.add("kv.key = {}", query.key)
    if after is not None:
        conditions.add('(p.name, kv.project_id, kv.key COLLATE "C") > ({}, {}, {})', *after)
    rows = conditions.argument(count)
    return Statement(_KEY_VALUES.format(row=KEY_VALUE_ROW, where=conditions.where, count=rows), tuple(conditions.arguments))


_FLOW_ROW = f"""
CROSS JOIN LATERAL (
    SELECT {FLOW_ROW}
) AS shown
"""
_FLOWS = """
SELECT row_to_json(shown)::text AS row, json_build_array(p.name, g.name, g.id, -v.version)::text AS key
FROM flow_groups g JOIN projects p ON p.id = g.project_id {versions}
{row}
{where}
ORDER BY p.name, g.name, g.id, -v.version LIMIT {count}
"""
_EVERY_VERSION = "JOIN flow_versions v ON v.flow_group_id = g.id"
_NEWEST_VERSION = """
CROSS JOIN LATERAL (
    SELECT * FROM flow_versions f WHERE f.flow_group_id = g.id {active} ORDER BY f.version DESC LIMIT 1
) AS v
"""


def list_flows(query: ListFlows, after: Key | None, count: int) -> Statement:
    conditions = Conditions()
    if query.name is not None:
        conditions.add("g.name = {}", query.name)
    if query.project is not None:
        value = conditions.argument(query.project)
        conditions.clauses.append(f"(p.name = {value} OR p.id::text = {value})")
    if query.flow_group_id is not None:
        conditions.add("g.id = {}", parsed_uuid(query.flow_group_id, kind="flow id"))
    if query.version is not None:
        conditions.add("v.version = {}", query.version)
    if not query.include_deleted:
        conditions.add("NOT g.deleted AND NOT p.deleted")
    if after is not None:
        conditions.add("(p.name, g.name, g.id, -v.version) > ({}, {}, {}, {})", *after)
    rows = conditions.argument(count)
    every = query.all_versions or query.version is not None
    newest = _NEWEST_VERSION.format(active="" if query.include_archived or query.include_deleted else "AND NOT f.archived")
    sql = _FLOWS.format(versions=_EVERY_VERSION if every else newest, row=_FLOW_ROW, where=conditions.where, count=rows)
    return Statement(sql, tuple(conditions.arguments))


_FLOW = """
SELECT row_to_json(shown)::text AS row, NULL AS key
FROM flow_versions v JOIN flow_groups g ON g.id = v.flow_group_id JOIN projects p ON p.id = g.project_id
{row}
WHERE v.id = ({version})
"""
_HINT = hints.hint("{} lists flows with their ids.", hints.ListFlowsAction(all_versions=True))


def _version(flow_id: str) -> Parent:
    """Return a SELECT of the id of the flow version that is meant, which must be there."""
    group_id, version = split_flow_id(flow_id)
    if version:
        return Parent("SELECT id FROM flow_versions WHERE id = $1", (parsed_uuid(flow_id, kind="flow id"),), "flow", flow_id, _HINT)
    newest = "SELECT id FROM flow_versions WHERE flow_group_id = $1 ORDER BY archived, version DESC LIMIT 1"
    return Parent(newest, (parsed_uuid(group_id, kind="flow id"),), "flow", flow_id, _HINT)


def get_flow(query: GetFlow, _: Key | None, __: int) -> Statement:
    version = _version(query.flow_id)
    return Statement(_FLOW.format(row=_FLOW_ROW, version=version.sql), version.arguments, one=version)


_TASKS = """
SELECT row_to_json(shown)::text AS row, json_build_array(t.ordinal)::text AS key
FROM flow_tasks t
CROSS JOIN LATERAL (
    SELECT {row}
) AS shown
WHERE t.flow_id = ({version}) AND t.ordinal > $2
ORDER BY t.ordinal LIMIT $3
"""


def list_flow_tasks(query: ListFlowTasks, after: Key | None, count: int) -> Statement:
    version = _version(query.flow_id)
    return Statement(
        _TASKS.format(row=FLOW_TASKS.select("t"), version=version.sql), (*version.arguments, *(after or (-1,)), count), version
    )


_EDGES = """
SELECT row_to_json(shown)::text AS row, json_build_array(e.ordinal)::text AS key
FROM flow_edges e
CROSS JOIN LATERAL (SELECT {row}) AS shown
WHERE e.flow_id = ({version}) AND e.ordinal > $2
ORDER BY e.ordinal LIMIT $3
"""


def list_flow_edges(query: ListFlowEdges, after: Key | None, count: int) -> Statement:
    version = _version(query.flow_id)
    return Statement(
        _EDGES.format(row=FLOW_EDGES.select("e"), version=version.sql), (*version.arguments, *(after or (-1,)), count), version
    )


_AGENTS = """
SELECT row_to_json(shown)::text AS row, json_build_array(a.created_position)::text AS key
FROM agents a
CROSS JOIN LATERAL (
    SELECT {row}
) AS shown
{where}
ORDER BY a.created_position DESC LIMIT {count}
"""


def list_agents(query: ListAgents, after: Key | None, count: int) -> Statement:
    conditions = Conditions()
    if query.status is not None:
        conditions.add("a.status = {}", query.status)
    if after is not None:
        conditions.add("a.created_position < {}", *after)
    rows = conditions.argument(count)
    return Statement(_AGENTS.format(row=AGENT_ROW, where=conditions.where, count=rows), tuple(conditions.arguments))


_QUEUES = """
SELECT row_to_json(shown)::text AS row, json_build_array(q.labels, q.id)::text AS key
FROM queues q
CROSS JOIN LATERAL (
    SELECT {row}, (SELECT count(*) FROM runs r WHERE r.queue_id = q.id AND r.state = 'Scheduled') AS scheduled_runs
) AS shown
{where}
ORDER BY q.labels, q.id LIMIT {count}
"""


def list_queues(_: ListQueues, after: Key | None, count: int) -> Statement:
    conditions = Conditions()
    if after is not None:
        conditions.add("(q.labels, q.id) > ({}::text[], {})", *after)
    rows = conditions.argument(count)
    return Statement(_QUEUES.format(row=QUEUES.select("q"), where=conditions.where, count=rows), tuple(conditions.arguments))

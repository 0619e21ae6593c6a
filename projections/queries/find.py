"""Rows by conditions of the asker's own making, over columns we name: what GraphQL's `where` and `order_by` become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from headwater.core.errors import InvalidArgument
from headwater.core.identifiers import parsed_uuid
from headwater.core.queries import CountRows, FindRows
from headwater.projections.queries.statement import Conditions, Key, Statement

ROWS_MAX = 1000
CONDITIONS_MAX = 200
_DEPTH_MAX = 20


@dataclass(frozen=True)
class Table:
    """What can be found: its rows, the type of each column that conditions may name, and the order where none is asked for."""

    rows: str
    columns: Mapping[str, str]
    order: str


_RUN_COLUMNS = """r.id, r.name, r.state, r.state_message, r.flow_id, r.flow_group_id, r.flow_name, r.project_id,
    coalesce(p.name, r.project_name) AS project_name, r.version, r.labels, r.parameters, r.context, r.run_config, r.created, r.created_by,
    r.scheduled_start_time, r.start_time, r.end_time, r.attempt, r.agent_id, r.agent_name, r.cancel_requested, r.failure, r.queue_id,
    r.idempotency_key, r.position"""

TABLES = {
    "projects": Table(
        """SELECT p.id, p.name, p.description, p.created, p.created_by, p.deleted,
            (SELECT count(*) FROM flow_groups g WHERE g.project_id = p.id AND NOT g.deleted) AS flow_count, p.position
        FROM projects p""",
        {"id": "uuid", "name": "text", "description": "text", "created": "timestamptz", "created_by": "text", "deleted": "boolean"},
        "name, id",
    ),
    "key_values": Table(
        """SELECT kv.id, kv.project_id, p.name AS project_name, kv.key, kv.value, kv.created, kv.updated, kv.updated_by, kv.position
        FROM key_values kv JOIN projects p ON p.id = kv.project_id""",
        {
            "id": "uuid",
            "project_id": "uuid",
            "project_name": "text",
            "key": "text",
            "created": "timestamptz",
            "updated": "timestamptz",
            "updated_by": "text",
        },
        "project_name, project_id, key",
    ),
    "flows": Table(
        """SELECT v.id, v.flow_group_id, g.project_id, p.name AS project_name, g.name, v.version, v.archived,
            g.deleted OR p.deleted AS deleted, v.created, v.created_by, v.labels, v.parameters, v.storage, v.run_config, v.schedule,
            v.environment, v.serialized_hash, v.idempotency_key, v.task_count, v.edge_count, v.position,
            g.description, g.labels AS group_labels, g.default_parameters
        FROM flow_versions v JOIN flow_groups g ON g.id = v.flow_group_id JOIN projects p ON p.id = g.project_id""",
        {
            "id": "uuid",
            "flow_group_id": "uuid",
            "project_id": "uuid",
            "project_name": "text",
            "name": "text",
            "version": "bigint",
            "archived": "boolean",
            "deleted": "boolean",
            "created": "timestamptz",
            "labels": "text[]",
            "serialized_hash": "text",
        },
        "project_name, name, version DESC",
    ),
    "flow_groups": Table(
        """SELECT g.id, g.project_id, p.name AS project_name, g.name, g.description, g.labels, g.default_parameters,
            g.deleted OR p.deleted AS deleted FROM flow_groups g JOIN projects p ON p.id = g.project_id""",
        {
            "id": "uuid",
            "project_id": "uuid",
            "project_name": "text",
            "name": "text",
            "description": "text",
            "labels": "text[]",
            "deleted": "boolean",
        },
        "project_name, name, id",
    ),
    "runs": Table(
        f"SELECT {_RUN_COLUMNS} FROM runs r LEFT JOIN projects p ON p.id = r.project_id",
        {
            "id": "uuid",
            "name": "text",
            "state": "text",
            "state_message": "text",
            "flow_id": "uuid",
            "flow_group_id": "uuid",
            "flow_name": "text",
            "project_id": "uuid",
            "project_name": "text",
            "version": "bigint",
            "labels": "text[]",
            "created": "timestamptz",
            "scheduled_start_time": "timestamptz",
            "start_time": "timestamptz",
            "end_time": "timestamptz",
            "attempt": "integer",
            "agent_id": "text",
            "created_by": "text",
            "idempotency_key": "text",
        },
        "created DESC",
    ),
    "task_runs": Table(
        """SELECT t.run_id, t.slug, t.map_index, coalesce(t.name, f.name, t.slug) AS name, coalesce(f.name, t.slug) AS task_name,
            t.state, t.state_message, coalesce(t.run_count, 0) AS run_count, t.start_time, t.end_time, t.retry_at, t.child_count,
            t.result, t.failure, t.attempt, t.position
        FROM task_runs t JOIN runs r ON r.id = t.run_id LEFT JOIN flow_tasks f ON f.flow_id = r.flow_id AND f.slug = t.slug""",
        {
            "run_id": "uuid",
            "slug": "text",
            "map_index": "integer",
            "name": "text",
            "task_name": "text",
            "state": "text",
            "state_message": "text",
            "run_count": "integer",
            "start_time": "timestamptz",
            "end_time": "timestamptz",
        },
        "run_id, slug, map_index",
    ),
    "artifacts": Table(
        """SELECT a.id, a.run_id, a.slug, a.map_index, a.task_run_id, a.kind, a.data, a.created, a.updated, a.position FROM artifacts a""",
        {
            "id": "text",
            "run_id": "uuid",
            "slug": "text",
            "map_index": "integer",
            "task_run_id": "text",
            "kind": "text",
            "created": "timestamptz",
            "updated": "timestamptz",
        },
        "created, id",
    ),
    "tasks": Table(
        """SELECT t.flow_id, t.slug, t.name, t.type, t.tags, t.max_retries, t.retry_delay_seconds, t.timeout_seconds, t.trigger, t.mapped,
            t.reference, t.settings FROM flow_tasks t""",
        {
            "flow_id": "uuid",
            "slug": "text",
            "name": "text",
            "type": "text",
            "tags": "text[]",
            "max_retries": "integer",
            "trigger": "text",
            "mapped": "boolean",
            "reference": "boolean",
        },
        "flow_id, slug",
    ),
    "logs": Table(
        """SELECT l.run_id, l.attempt, l.at, l.level, l.logger, l.message, l.task, l.map_index, l.position, l.line
        FROM headwater.log_lines l""",
        {
            "run_id": "uuid",
            "at": "timestamptz",
            "level": "integer",
            "logger": "text",
            "message": "text",
            "task": "text",
            "map_index": "integer",
        },
        "position, line",
    ),
    "agents": Table(
        """SELECT a.id, a.name, a.kind, a.labels, a.hostname, a.pid, a.version, a.run_limit AS "limit", a.status, a.status_reason,
            a.created, a.ended, (SELECT count(*) FROM runs r WHERE r.agent_id = a.id AND r.held) AS held_runs, a.position FROM agents a""",
        {"id": "text", "name": "text", "kind": "text", "labels": "text[]", "status": "text", "created": "timestamptz", "version": "text"},
        "created DESC",
    ),
}

_COMPARISONS = {"_eq": "=", "_neq": "<>", "_gt": ">", "_gte": ">=", "_lt": "<", "_lte": "<="}
_PATTERNS = {"_like": "LIKE", "_nlike": "NOT LIKE", "_ilike": "ILIKE", "_nilike": "NOT ILIKE"}
_PYTHON = {"text": str, "boolean": bool, "integer": int, "bigint": int}
_BIGGEST = 2**63 - 1


def find_rows(query: FindRows, after: Key | None, count: int) -> Statement:
    """Return the statement that finds the rows.

    Raises:
        InvalidArgument: a table, column, operator or value is none that is known.

    """
    table = _table(query.table)
    if not 0 <= query.limit <= ROWS_MAX:
        raise InvalidArgument(f"A limit is a number from 0 to {ROWS_MAX}, not {query.limit}.", hint="Use offset to go on.")
    if not 0 <= query.offset <= _BIGGEST:
        raise InvalidArgument(f"The offset {query.offset} is none.")
    conditions = _Where(table.columns)
    where = conditions.all_of(query.where, depth=0)
    order = [f'"{column}" {_direction(direction)}' for column, direction in query.order_by if conditions.known(column)]
    first = query.offset if after is None else _place(after)
    sql = f"""
        SELECT row_to_json(shown)::text AS row, json_build_array({first} + row_number() OVER ())::text AS key FROM (
            SELECT * FROM ({table.rows}) AS all_rows WHERE {where}
            ORDER BY {", ".join([*order, table.order])} LIMIT {count} OFFSET {first}
        ) AS shown
    """
    return Statement(sql, tuple(conditions.arguments))


def count_rows(query: CountRows, _: Key | None, __: int) -> Statement:
    """Return the statement that counts the rows. Raises as `find_rows`."""
    table = _table(query.table)
    conditions = _Where(table.columns)
    where = conditions.all_of(query.where, depth=0)
    sql = f"SELECT json_build_object('count', count(*))::text AS row, NULL AS key FROM ({table.rows}) AS all_rows WHERE {where}"
    return Statement(sql, tuple(conditions.arguments))


def _table(name: str) -> Table:
    if name not in TABLES:
        raise InvalidArgument(f"{name!r} is nothing that can be found.", hint=f"There are: {', '.join(TABLES)}.")
    return TABLES[name]


def _place(after: Key) -> int:
    """Return where a page ended: rows found are not kept, so going on means counting again."""
    place = after[0]
    if not isinstance(place, int) or not 0 <= place <= _BIGGEST:
        raise InvalidArgument("The cursor is not one that a page came with.")
    return place


_DIRECTIONS = {
    "asc": "ASC NULLS LAST",
    "desc": "DESC NULLS FIRST",
    "asc_nulls_first": "ASC NULLS FIRST",
    "asc_nulls_last": "ASC NULLS LAST",
    "desc_nulls_first": "DESC NULLS FIRST",
    "desc_nulls_last": "DESC NULLS LAST",
}


def _direction(name: str) -> str:
    if name not in _DIRECTIONS:
        raise InvalidArgument(f"{name!r} is no order.", hint=f"Orders are: {', '.join(_DIRECTIONS)}.")
    return _DIRECTIONS[name]


class _Where(Conditions):
    """Turns nested conditions into SQL."""

    def __init__(self, columns: Mapping[str, str]) -> None:
        super().__init__()
        self._columns = columns
        self._count = 0

    def known(self, column: str) -> bool:
        if column not in self._columns:
            raise InvalidArgument(f"There is no column {column!r} to ask for.", hint=f"There are: {', '.join(self._columns)}.")
        return True

    def all_of(self, where: Mapping[str, Any], *, depth: int) -> str:
        if depth > _DEPTH_MAX:
            raise InvalidArgument("The conditions are nested too deeply.")
        parts = [self._part(name, value, depth) for name, value in where.items()]
        return f"({' AND '.join(parts)})" if parts else "true"

    def _part(self, name: str, value: Any, depth: int) -> str:
        self._count += 1
        if self._count > CONDITIONS_MAX:
            raise InvalidArgument(f"There are more than {CONDITIONS_MAX} conditions.")
        match name, value:
            case (("_and" | "_or"), list()):
                parts = [self.all_of(_mapping(each), depth=depth + 1) for each in value]
                word = " AND " if name == "_and" else " OR "
                return f"({word.join(parts)})" if parts else ("true" if name == "_and" else "false")
            case "_not", dict():
                return f"NOT {self.all_of(value, depth=depth + 1)}"
            case _, dict() if self.known(name):
                tests = [self._test(name, operator, operand) for operator, operand in value.items()]
                return f"({' AND '.join(tests)})" if tests else "true"
            case _:
                raise InvalidArgument(f"{name!r} takes conditions, not {value!r}.")

    def _test(self, column: str, operator: str, operand: Any) -> str:
        kind = self._columns[column]
        if operator == "_is_null":
            return f'"{column}" IS {"" if operand else "NOT "}NULL'
        if operator in _COMPARISONS:
            return f'"{column}" {_COMPARISONS[operator]} {self.argument(_converted(operand, kind, column))}::{kind}'
        if operator in {"_in", "_nin"} and isinstance(operand, list) and not kind.endswith("[]"):
            values = self.argument([_converted(each, kind, column) for each in operand])
            return f'"{column}" {"= ANY" if operator == "_in" else "<> ALL"}({values}::{kind}[])'
        if operator in _PATTERNS and kind == "text":
            return f'"{column}" {_PATTERNS[operator]} {self.argument(_converted(operand, kind, column))}'
        if operator == "_contains" and kind == "text[]":
            return f'"{column}" @> {self.argument(_converted(operand, kind, column))}::text[]'
        raise InvalidArgument(f"Column {column!r} cannot be asked for by {operator}.")


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InvalidArgument(f"{value!r} is not a condition.")
    return value


def _converted(value: Any, kind: str, column: str) -> Any:
    """Return the value as the database takes it."""
    match kind:
        case "uuid":
            return parsed_uuid(value, kind=column)
        case "timestamptz":
            return _time(value, column)
        case "text[]":
            if not isinstance(value, Sequence) or isinstance(value, str) or not all(isinstance(each, str) for each in value):
                raise InvalidArgument(f"The value for {column!r} must be a list of texts, not {value!r}.")
            return [_text(each) for each in value]
        case _:
            if not isinstance(value, _PYTHON[kind]) or (isinstance(value, bool) and kind != "boolean"):
                raise InvalidArgument(f"The value for {column!r} must be of type {kind}, not {value!r}.")
            if isinstance(value, int) and abs(value) > (_BIGGEST if kind == "bigint" else 2**31 - 1):
                raise InvalidArgument(f"The value {value} for {column!r} is out of range.")
            return _text(value) if isinstance(value, str) else value


def _text(value: str) -> str:
    """Return text that can be asked for: no stored text holds the character NUL."""
    return value.replace("\0", "\ufffd")


def _time(value: Any, column: str) -> datetime:
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise InvalidArgument(f"The value for {column!r} is not a time: {value!r}.", hint="Write it like 2026-11-22T08:30:00Z.") from None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)

"""Rows by conditions of the asker's own making, over columns we name: what GraphQL's `where` and `order_by` become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from headwater.core.errors import InvalidArgument
from headwater.core.queries import CountRows, FindRows
from headwater.core.values.identifiers import parsed_uuid
from headwater.core.values.moments import assume_utc
from headwater.projections.queries.findable import TABLES, Table
from headwater.projections.queries.statement import Conditions, Key, Statement

ROWS_MAX = 1000
CONDITIONS_MAX = 200
_DEPTH_MAX = 20


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
            SELECT * FROM ({table.select}) AS all_rows WHERE {where}
            ORDER BY {", ".join([*order, table.order])} LIMIT {count} OFFSET {first}
        ) AS shown
    """
    return Statement(sql, tuple(conditions.arguments))


def count_rows(query: CountRows, _: Key | None, __: int) -> Statement:
    """Return the statement that counts the rows. Raises as `find_rows`."""
    table = _table(query.table)
    conditions = _Where(table.columns)
    where = conditions.all_of(query.where, depth=0)
    sql = f"SELECT json_build_object('count', count(*))::text AS row, NULL AS key FROM ({table.select}) AS all_rows WHERE {where}"
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
        raise InvalidArgument(f"{name!r} is not an order.", hint=f"Orders are: {', '.join(_DIRECTIONS)}.")
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
    return assume_utc(at)

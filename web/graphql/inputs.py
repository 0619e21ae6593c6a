"""The inputs of queries: conditions and orders, made from the tables of columns, and their translation into questions."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias

import strawberry
from strawberry import UNSET

from headwater.core.errors import InvalidArgument
from headwater.core.values.identifiers import parsed_task_run_id, task_run_address
from headwater.web.graphql import columns
from headwater.web.graphql.columns import Columns
from headwater.web.graphql.scalars import Identifier

_COMPARED = ("_eq", "_neq", "_gt", "_gte", "_lt", "_lte")
_LISTED = ("_in", "_nin")
_NAMING = ("_eq", "_neq", *_LISTED)
_MATCHED = ("_like", "_nlike", "_ilike", "_nilike")


@strawberry.enum(name="order_by")
class Order(Enum):
    """In which direction, and where what has no value goes."""

    asc = "asc"
    desc = "desc"
    asc_nulls_first = "asc_nulls_first"
    asc_nulls_last = "asc_nulls_last"
    desc_nulls_first = "desc_nulls_first"
    desc_nulls_last = "desc_nulls_last"


def _input(name: str, fields: Mapping[str, Any]) -> Any:
    """Make an input type whose fields are all optional. Names that Python cannot have, such as `_in`, are kept in GraphQL."""
    attributes = {_attribute(field): strawberry.field(name=field, default=UNSET) for field in fields}
    made = type(name, (), {**attributes, "__annotations__": {_attribute(field): kind | None for field, kind in fields.items()}})
    return strawberry.input(made, name=name)


def _attribute(field: str) -> str:
    return f"op{field}" if field.startswith("_") else field


def _comparison(name: str, kind: Any, operators: Iterable[str], **more: Any) -> Any:
    fields = {operator: list[kind] if operator in _LISTED else kind for operator in operators}
    return _input(f"{name}_comparison_exp", {**fields, "_is_null": bool, **more})


_TEXT_COMPARISON = _comparison("String", str, (*_COMPARED, *_LISTED, *_MATCHED))
_COMPARISONS = {
    "uuid": _comparison("uuid", Identifier, (*_COMPARED, *_LISTED)),
    "text": _TEXT_COMPARISON,
    "task run": _TEXT_COMPARISON,
    "level": _comparison("Level", str, (*_COMPARED, *_LISTED)),
    "int": _comparison("Int", int, (*_COMPARED, *_LISTED)),
    "bool": _comparison("Boolean", bool, ("_eq", "_neq")),
    "time": _comparison("timestamptz", datetime, (*_COMPARED, *_LISTED)),
    "text[]": _comparison("labels", list[str], ("_eq", "_neq"), _contains=list[str]),
}


def _conditions(table: Columns) -> Any:
    """Make the `where` input of a type, with those of its relations."""
    name = f"{table.name}_bool_exp"
    fields: dict[str, Any] = {column: _COMPARISONS[kind] for column, (kind, _) in table.own.items()}
    fields |= {relation: _conditions(other) for relation, other in table.relations.items()}
    own: Any = strawberry.LazyType(name, __name__)  # a condition holds conditions of its own type
    combined = {"_and": list[own], "_or": list[own], "_not": own}
    made = _input(name, {**fields, **combined})
    globals()[name] = made
    return made


def _orders(table: Columns) -> Any:
    return _input(f"{table.name}_order_by", dict.fromkeys(table.own, Order))


if TYPE_CHECKING:
    ProjectWhere: TypeAlias = Any
    KeyValueWhere: TypeAlias = Any
    FlowWhere: TypeAlias = Any
    FlowGroupWhere: TypeAlias = Any
    FlowRunWhere: TypeAlias = Any
    TaskRunWhere: TypeAlias = Any
    ArtifactWhere: TypeAlias = Any
    TaskWhere: TypeAlias = Any
    LogWhere: TypeAlias = Any
    AgentWhere: TypeAlias = Any
    ProjectOrder: TypeAlias = Any
    KeyValueOrder: TypeAlias = Any
    FlowOrder: TypeAlias = Any
    FlowGroupOrder: TypeAlias = Any
    FlowRunOrder: TypeAlias = Any
    TaskRunOrder: TypeAlias = Any
    ArtifactOrder: TypeAlias = Any
    TaskOrder: TypeAlias = Any
    LogOrder: TypeAlias = Any
    AgentOrder: TypeAlias = Any
    ScheduleWhere: TypeAlias = Any
    ScheduleOrder: TypeAlias = Any
    BackfillWhere: TypeAlias = Any
    BackfillOrder: TypeAlias = Any
else:
    ProjectWhere, ProjectOrder = _conditions(columns.PROJECT), _orders(columns.PROJECT)
    KeyValueWhere, KeyValueOrder = _conditions(columns.KEY_VALUE), _orders(columns.KEY_VALUE)
    FlowWhere, FlowOrder = _conditions(columns.FLOW), _orders(columns.FLOW)
    FlowGroupWhere, FlowGroupOrder = _conditions(columns.FLOW_GROUP), _orders(columns.FLOW_GROUP)
    FlowRunWhere, FlowRunOrder = _conditions(columns.FLOW_RUN), _orders(columns.FLOW_RUN)
    TaskRunWhere, TaskRunOrder = _conditions(columns.TASK_RUN), _orders(columns.TASK_RUN)
    ArtifactWhere, ArtifactOrder = _conditions(columns.ARTIFACT), _orders(columns.ARTIFACT)
    TaskWhere, TaskOrder = _conditions(columns.TASK), _orders(columns.TASK)
    LogWhere, LogOrder = _conditions(columns.LOG), _orders(columns.LOG)
    AgentWhere, AgentOrder = _conditions(columns.AGENT), _orders(columns.AGENT)
    ScheduleWhere, ScheduleOrder = _conditions(columns.SCHEDULE), _orders(columns.SCHEDULE)
    BackfillWhere, BackfillOrder = _conditions(columns.BACKFILL), _orders(columns.BACKFILL)


def where_of(given: Any, table: Columns) -> dict[str, Any]:
    """Return the conditions as the views take them.

    Raises:
        InvalidArgument: a value is null, or a level none that is known.

    """
    parts: list[dict[str, Any]] = []
    for name, value in _given(given):
        if name in {"_and", "_or"}:
            parts.append({name: [where_of(each, table) for each in value]})
        elif name == "_not":
            parts.append({"_not": where_of(value, table)})
        elif name in table.relations:
            parts.append(where_of(value, table.relations[name]))
        else:
            kind, column = table.own[name]
            tests = {operator: _operand(operator, operand, kind) for operator, operand in _given(value)}
            if tests:
                parts.append({column: tests})
    return parts[0] if len(parts) == 1 else {"_and": parts} if parts else {}


def _given(value: Any) -> list[tuple[str, Any]]:
    """Return what was given of an input, by GraphQL's names."""
    if value is None or value is UNSET:
        return []
    found = []
    for name, content in vars(value).items():
        if content is UNSET:
            continue
        if content is None:
            raise InvalidArgument(f"{name.removeprefix('op')} was given as null.", hint="Leave it away, or ask with _is_null.")
        found.append((name.removeprefix("op") if name.startswith("op_") else name, content))
    return found


def _operand(operator: str, operand: Any, kind: str) -> Any:
    read: Callable[[Any], Any] = _plain
    if kind == "level" and operator != "_is_null":
        read = _level
    elif kind == "task run" and operator in _NAMING:
        read = _as_stored
    return [read(each) for each in operand] if isinstance(operand, list) else read(operand)


def _as_stored(task_run_id: str) -> str:
    """Return the id of a task run in the form in which the views hold it, whichever of the two it has. What is none names none."""
    try:
        return task_run_address(*parsed_task_run_id(task_run_id))
    except InvalidArgument:
        return task_run_id


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _level(name: str) -> int:
    number = logging.getLevelNamesMapping().get(name.upper())
    if number is None:
        raise InvalidArgument(f"{name!r} is not a level.", hint="Levels are: DEBUG, INFO, WARNING, ERROR, CRITICAL.")
    return number


def order_of(given: list[Any] | None, table: Columns) -> tuple[tuple[str, str], ...]:
    """Return the orders as the views take them."""
    return tuple((table.own[name][1], order.value) for each in given or [] for name, order in _given(each))

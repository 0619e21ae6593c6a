"""A view, declared once: its columns, the type of each and how its value is made; and the statements that follow from that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from headwater.projections.copied_table import CopiedTable

Source = TypeVar("Source")


@dataclass(frozen=True)
class Column(Generic[Source]):
    """A column: its name, PostgreSQL's type, and how its value is made of what its row shows.

    `value` None: its `default` fills it, until a statement of its own does. `changes`: written again when its row is. `findable`: the
    conditions of `where` may name it. `shown`: answers have it under its name.
    """

    name: str
    type: str
    value: Callable[[Source], Any] | None = None
    null: bool = False
    default: str = ""
    changes: bool = False
    findable: bool = False
    shown: bool = True

    @property
    def ddl(self) -> str:
        return f"{self.name} {self.type}{'' if self.null else ' NOT NULL'}{f' DEFAULT {self.default}' if self.default else ''}"


@dataclass(frozen=True)
class View(Generic[Source]):
    """A table that is folded from the log; `Source` is what a row of it shows. Every statement names its columns."""

    name: str
    columns: tuple[Column[Source], ...]
    key: tuple[str, ...]
    indexes: tuple[str, ...] = ()
    """Each as it follows CREATE INDEX: `name ON table (columns)`."""
    unique: tuple[str, ...] = ()
    options: str = ""
    comment: str = ""
    index_comment: str = ""

    @cached_property
    def _made(self) -> tuple[Column[Source], ...]:
        return tuple(column for column in self.columns if column.value is not None)

    @cached_property
    def _changing(self) -> tuple[Column[Source], ...]:
        return tuple(column for column in self._made if column.name in self.key or column.changes)

    @cached_property
    def _values(self) -> tuple[Callable[[Source], Any], ...]:
        return tuple(column.value for column in self.columns if column.value is not None)

    @cached_property
    def _changing_values(self) -> tuple[Callable[[Source], Any], ...]:
        return tuple(column.value for column in self._changing if column.value is not None)

    @cached_property
    def copied(self) -> CopiedTable:
        return CopiedTable(self.name, tuple(column.name for column in self._made))

    def row(self, source: Source) -> tuple[Any, ...]:
        """Return the values of a new row."""
        return tuple(value(source) for value in self._values)

    def values(self, sources: Sequence[Source]) -> list[list[Any]]:
        """Return the values of many new rows, column by column."""
        return [list(map(value, sources)) for value in self._values]

    async def copy(self, db: Any, sources: Sequence[Source]) -> None:
        """Write new rows in bulk, in the transaction that is open on the connection."""
        if sources:
            await self.copied.copy(db, zip(*(map(value, sources) for value in self._values), strict=True))

    async def upsert(self, db: Any, sources: Sequence[Source]) -> None:
        """Write rows in bulk: those that are there are changed."""
        if sources:
            await db.execute(f"{self.insert_many_statement} {self.on_conflict}", *self.values(sources))

    async def change(self, db: Any, sources: Sequence[Source]) -> None:
        """Change rows that are there, in bulk."""
        if sources:
            await db.execute(self.update_statement, *(list(map(value, sources)) for value in self._changing_values))

    @cached_property
    def ddl(self) -> str:
        """The statements that make the table, as `schema.sql` holds them."""
        lines = [column.ddl for column in self.columns]
        if len(self.key) == 1:
            lines = [f"{column.name} {column.type} PRIMARY KEY" if column.name in self.key else column.ddl for column in self.columns]
        else:
            lines.append(f"PRIMARY KEY ({', '.join(self.key)})")
        if self.unique:
            lines.append(f"UNIQUE ({', '.join(self.unique)})")
        body = ",\n".join(f"    {line}" for line in lines)
        table = f"{_comment(self.comment)}CREATE TABLE {self.name} (\n{body}\n){f' WITH ({self.options})' if self.options else ''};\n"
        return table + _comment(self.index_comment) + "".join(f"CREATE INDEX {index};\n" for index in self.indexes)

    @cached_property
    def insert_statement(self) -> str:
        """INSERT of one row, its values as arguments in the order of `row`."""
        values = ", ".join(f"${number}" for number, _ in enumerate(self._made, 1))
        return f"INSERT INTO {self.name} ({_names(self._made)}) VALUES ({values})"

    @cached_property
    def insert_many_statement(self) -> str:
        """INSERT of many rows, each argument the values of a column."""
        return f"INSERT INTO {self.name} ({_names(self._made)}) SELECT {_names(self._made, 'n')} FROM {_unnested(self._made)}"

    @cached_property
    def on_conflict(self) -> str:
        """What stands behind an INSERT so that it changes rows that are there."""
        changes = ", ".join(f"{column.name} = excluded.{column.name}" for column in self._made if column.changes)
        return f"ON CONFLICT ({', '.join(self.key)}) DO UPDATE SET {changes}"

    @cached_property
    def update_statement(self) -> str:
        """UPDATE of many rows, each argument the values of a column, the key and what changes."""
        changes = ", ".join(f"{column.name} = n.{column.name}" for column in self._changing if column.changes)
        same = " AND ".join(f"t.{name} = n.{name}" for name in self.key)
        return f"UPDATE {self.name} AS t SET {changes} FROM {_unnested(self._changing)} WHERE {same}"

    @cached_property
    def changing(self) -> str:
        """The names of the key and of what changes, for a SELECT of what is known of a row."""
        return _names(self._changing)

    def select(self, alias: str, **instead: str) -> str:
        """Return what a SELECT lists to answer with a row: every column that is shown, or the expression that is given for it."""
        shown = [column.name for column in self.columns if column.shown]
        return ", ".join(f"{instead[name]} AS {name}" if name in instead else f"{alias}.{name}" for name in shown)

    def select_values(self, values: dict[str, str]) -> str:
        """Return what a SELECT lists to stand in for a row that is not there: these expressions, and NULL for the others."""
        shown = [column for column in self.columns if column.shown]
        return ", ".join(f"{values.get(column.name, f'NULL::{column.type}')} AS {column.name}" for column in shown)

    @cached_property
    def findable(self) -> dict[str, str]:
        """The columns that conditions may name, with their types."""
        return {column.name: column.type for column in self.columns if column.findable}


def _names(columns: Sequence[Column[Any]], alias: str = "") -> str:
    return ", ".join(f"{alias}.{column.name}" if alias else column.name for column in columns)


def _unnested(columns: Sequence[Column[Any]]) -> str:
    arrays = ", ".join(f"${number}::{column.type}[]" for number, column in enumerate(columns, 1))
    return f"unnest({arrays}) AS n ({_names(columns)})"


def _comment(words: str) -> str:
    return "".join(f"-- {line}\n" for line in words.splitlines())

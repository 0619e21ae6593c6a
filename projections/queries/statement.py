"""The statement of a query: one whose rows come as JSON, in pages by keyset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from headwater.core.hints import Hint

Key = Sequence[Any]
"""Where a page ended: the values of the ordering columns of its last row."""


@dataclass(frozen=True)
class Parent:
    """What must be there for the question to make sense, such as the run whose task runs are asked for."""

    sql: str
    arguments: tuple[Any, ...]
    kind: str
    name: str
    hint: Hint | str | None = None


@dataclass(frozen=True)
class Statement:
    """A SELECT of two columns: `row`, the row as JSON text, and `key`, its key as a JSON array (null where there is one page).

    `parent`, or a first row where `one` is set, must be found.
    """

    sql: str
    arguments: tuple[Any, ...]
    parent: Parent | None = None
    one: Parent | None = None


@dataclass
class Conditions:
    """Grows a WHERE clause and its arguments together: no value is ever written into SQL."""

    arguments: list[Any] = field(default_factory=list)
    clauses: list[str] = field(default_factory=list)

    def argument(self, value: Any) -> str:
        """Return the placeholder of a new argument."""
        self.arguments.append(value)
        return f"${len(self.arguments)}"

    def add(self, clause: str, *values: Any) -> None:
        """Demand this; each `{}` in it stands for one of the values."""
        self.clauses.append(clause.format(*(self.argument(value) for value in values)))

    @property
    def where(self) -> str:
        return f"WHERE {' AND '.join(self.clauses)}" if self.clauses else ""

    @property
    def also(self) -> str:
        """The clauses as they follow a condition that stands before them."""
        return "".join(f" AND {clause}" for clause in self.clauses)

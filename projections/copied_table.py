"""Writing new rows in bulk, by the names of their columns: in which order the schema has them does not matter."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple


class CopiedTable(NamedTuple):
    """A table whose rows come by COPY. Its declaration stands beside what makes the rows: `columns` are in the order of their values."""

    name: str
    columns: tuple[str, ...]
    schema: str | None = None
    """The schema that it lies in; None: the one that the connection's search path names."""

    async def copy(self, db: Any, rows: Iterable[tuple[Any, ...]]) -> None:
        """Write the rows on this connection, in the transaction that is open there."""
        await db.copy_records_to_table(self.name, records=rows, columns=self.columns, schema_name=self.schema)

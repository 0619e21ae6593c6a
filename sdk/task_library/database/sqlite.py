"""Tasks that work with an SQLite database, in a file where the flow runs. Arguments of `run` are stronger than those of the task."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from headwater.sdk.language.decorators import defaults_from_attrs
from headwater.sdk.language.task import Task
from headwater.sdk.task_library.files.paths import AnyPath

_Data = Sequence[Any] | Mapping[str, Any]


class SQLiteQuery(Task):
    """Executes one statement of SQL, and returns its rows as a list of tuples. What it changes is there when the task has ended.

    Args:
        db: the path of the database; it is made where it is not there.
        query: the statement.
        data: the values for its `?`, or a mapping for its `:name`.
        settings: the settings of every task.

    """

    def __init__(self, db: AnyPath | None = None, query: str | None = None, data: _Data = (), **settings: Any) -> None:
        self.db = db
        self.query = query
        self.data = data
        super().__init__(**settings)

    @defaults_from_attrs("db", "query", "data")
    def run(self, db: AnyPath | None = None, query: str | None = None, data: _Data = ()) -> list[Any]:
        """Execute the statement; raise ValueError where something is missing, and `sqlite3.Error` where it fails."""
        path, statement = _given(db, "db"), _given(query, "query")
        if "?" in statement and not data:
            raise ValueError("The query has a '?', and data has no values; give SQLiteQuery data=(value, ...).")
        with closing(sqlite3.connect(path)) as connection, connection:
            return connection.execute(statement, data).fetchall()


class SQLiteScript(Task):
    """Executes a script of several statements of SQL, such as one that makes tables; it returns nothing.

    Args:
        db: the path of the database; it is made where it is not there.
        script: the statements.
        settings: the settings of every task.

    """

    def __init__(self, db: AnyPath | None = None, script: str | None = None, **settings: Any) -> None:
        self.db = db
        self.script = script
        super().__init__(**settings)

    @defaults_from_attrs("db", "script")
    def run(self, db: AnyPath | None = None, script: str | None = None) -> None:
        """Execute the script; raise ValueError where something is missing, and `sqlite3.Error` where it fails."""
        path, statements = _given(db, "db"), _given(script, "script")
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(statements)


def _given(value: Any, argument: str) -> Any:
    if value is None:
        raise ValueError(f"No {argument} was given; give it when the task is made or when it is called.")
    return value

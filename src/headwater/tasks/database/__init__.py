"""Tasks that work with databases in files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.sdk.task_library.database import SQLiteQuery, SQLiteScript

if TYPE_CHECKING:  # at run time each is imported when it is first used
    from headwater.tasks.database import sqlite as sqlite

__all__ = ["SQLiteQuery", "SQLiteScript"]

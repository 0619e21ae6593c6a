"""Tasks that work with databases in files."""

from __future__ import annotations

from headwater.tasks.database.sqlite import SQLiteQuery, SQLiteScript

__all__ = ["SQLiteQuery", "SQLiteScript"]

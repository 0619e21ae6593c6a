"""Tasks that work with databases in files."""

from __future__ import annotations

from headwater.sdk.task_library.database.sqlite import SQLiteQuery, SQLiteScript

__all__ = ["SQLiteQuery", "SQLiteScript"]

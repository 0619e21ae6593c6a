"""The public path of what is in `headwater.sdk.task_library.database.sqlite`."""

from __future__ import annotations

from headwater.sdk.task_library.database.sqlite import SQLiteQuery, SQLiteScript

__all__ = ["SQLiteQuery", "SQLiteScript"]

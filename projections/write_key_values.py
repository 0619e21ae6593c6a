"""Writing what a batch changes of the keys of projects."""

from __future__ import annotations

from typing import Any

from headwater.projections.fold.changes import Changes
from headwater.projections.tables import KEY_VALUES

_SET_KEYS = f"{KEY_VALUES.insert_many_statement} JOIN projects p ON p.id = n.project_id AND NOT p.deleted {KEY_VALUES.on_conflict}"


async def write_key_values(db: Any, changes: Changes) -> None:
    """Write the last value of each key. Keys that were deleted meanwhile go first: one that was set again has a new time of creation."""
    if changes.deleted_keys:
        await db.execute("DELETE FROM key_values WHERE id = ANY($1::uuid[])", list(changes.deleted_keys))
    if changes.key_values:
        await db.execute(_SET_KEYS, *KEY_VALUES.values(list(changes.key_values.values())))
    if changes.deleted_projects:
        await db.execute("DELETE FROM key_values WHERE project_id = ANY($1::uuid[])", list(changes.deleted_projects))

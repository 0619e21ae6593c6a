"""Writing what a batch changes of the keys of projects."""

from __future__ import annotations

from typing import Any

from headwater.projections.fold.changes import Changes

_SET_KEYS = """
INSERT INTO key_values AS kv (id, project_id, key, value, created, updated, updated_by, position)
SELECT n.* FROM unnest(
    $1::uuid[], $2::uuid[], $3::text[], $4::json[], $5::timestamptz[], $6::timestamptz[], $7::text[], $8::bigint[]
) AS n (id, project_id, key, value, created, updated, updated_by, position)
JOIN projects p ON p.id = n.project_id AND NOT p.deleted
ON CONFLICT (id) DO UPDATE SET
    value = excluded.value, updated = excluded.updated, updated_by = excluded.updated_by, position = excluded.position
"""


async def write_key_values(db: Any, changes: Changes) -> None:
    """Write the last value of each key. Keys that were deleted meanwhile go first: one that was set again has a new time of creation."""
    if changes.deleted_keys:
        await db.execute("DELETE FROM key_values WHERE id = ANY($1::uuid[])", list(changes.deleted_keys))
    if changes.key_values:
        await db.execute(_SET_KEYS, *zip(*changes.key_values.values(), strict=True))
    if changes.deleted_projects:
        await db.execute("DELETE FROM key_values WHERE project_id = ANY($1::uuid[])", list(changes.deleted_projects))

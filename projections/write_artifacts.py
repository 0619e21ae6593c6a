"""Writing what a batch changes of artifacts."""

from __future__ import annotations

from typing import Any

from headwater.projections.fold.changes import Changes

# A stranger may write the id of an artifact twice; the last one counts, as it does for those who fold one by one.
_CREATE = """
INSERT INTO artifacts (id, run_id, slug, map_index, task_run_id, kind, data, created, updated, position)
SELECT * FROM unnest(
    $1::text[], $2::uuid[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::json[], $8::timestamptz[], $9::timestamptz[],
    $10::bigint[]
)
ON CONFLICT (id) DO UPDATE SET
    slug = excluded.slug, map_index = excluded.map_index, task_run_id = excluded.task_run_id, kind = excluded.kind,
    data = excluded.data, created = excluded.created, updated = excluded.updated, position = excluded.position
"""
_CHANGE = """
UPDATE artifacts a SET data = n.data, updated = n.updated, position = n.position
FROM unnest($1::text[], $2::json[], $3::timestamptz[], $4::bigint[]) AS n (id, data, updated, position) WHERE a.id = n.id
"""


async def write_artifacts(db: Any, changes: Changes) -> None:
    """Delete, change and create, in this order: an id that was deleted and created again has only what came last."""
    if changes.deleted_artifacts:
        await db.execute("DELETE FROM artifacts WHERE id = ANY($1::text[])", list(changes.deleted_artifacts))
    if changes.changed_artifacts:
        await db.execute(_CHANGE, *zip(*changes.changed_artifacts.values(), strict=True))
    if changes.artifacts:
        await db.execute(_CREATE, *zip(*changes.artifacts.values(), strict=True))

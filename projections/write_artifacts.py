"""Writing what a batch changes of artifacts."""

from __future__ import annotations

from typing import Any

from headwater.projections.fold.changes import Changes
from headwater.projections.tables import ARTIFACTS

_UPDATE = """
UPDATE artifacts a SET data = n.data, updated = n.updated, position = n.position
FROM unnest($1::text[], $2::json[], $3::timestamptz[], $4::bigint[]) AS n (id, data, updated, position) WHERE a.id = n.id
"""


async def write_artifacts(db: Any, changes: Changes) -> None:
    """Delete, change and create, in this order: an id that was deleted and created again has only what came last.

    A stranger may write the id of an artifact twice; the last one counts, as it does for those who fold one by one.
    """
    if changes.deleted_artifacts:
        await db.execute("DELETE FROM artifacts WHERE id = ANY($1::text[])", list(changes.deleted_artifacts))
    if changes.updated_artifacts:
        await db.execute(_UPDATE, *zip(*changes.updated_artifacts.values(), strict=True))
    await ARTIFACTS.upsert(db, list(changes.artifacts.values()))

"""The fold over the keys of projects. Many may be set in one batch, so they are gathered, and only the last value of each is written."""

from __future__ import annotations

from headwater.core.events import KeyValueDeleted, KeyValueSet
from headwater.core.log.commit import Commit, Position
from headwater.projections.fold.changes import Changes
from headwater.projections.tables import ShownKeyValue


def fold_key_value(changes: Changes, pair_id: str, position: Position, commit: Commit, event: KeyValueSet | KeyValueDeleted) -> None:
    if isinstance(event, KeyValueDeleted):
        changes.key_values.pop(pair_id, None)
        changes.deleted_keys.add(pair_id)
        return
    before = changes.key_values.get(pair_id)
    changes.key_values[pair_id] = ShownKeyValue(pair_id, event, commit.at if before is None else before.created_at, commit, position)

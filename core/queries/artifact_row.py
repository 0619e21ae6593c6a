"""The row of an artifact."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from headwater.core.log.commit import Position
from headwater.core.queries.rows import Row


class ArtifactRow(Row, frozen=True, kw_only=True):
    """An artifact of a task run. `data` is what its kind shows: a `link`, a text in `markdown`, or the `columns` and `rows` of a table."""

    id: str
    run_id: str
    slug: str
    map_index: int
    task_run_id: str
    kind: str
    data: dict[str, Any]
    created: datetime
    updated: datetime
    position: Position

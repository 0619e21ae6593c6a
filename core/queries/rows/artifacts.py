"""The row of an artifact."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from headwater.core.log.commit import Position
from headwater.core.queries.rows.row import Row


class ArtifactRow(Row, frozen=True, kw_only=True):
    """An artifact of a task run. `data` is what its kind shows: a `link`, a text in `markdown`, or the `columns` and `rows` of a table."""

    id: str
    """`<run id>:<its own id>`."""
    run_id: str
    """The run."""
    slug: str
    """The slug of the task."""
    map_index: int
    """The child's index, from 0 on; -1: it is not one."""
    task_run_id: str
    """The id of the task run, in GraphQL's form."""
    kind: str
    """`link`, `markdown` or `table`."""
    data: dict[str, Any]
    """What it shows: `link`, `markdown`, or `columns` and `rows`; at most 64 KB as JSON."""
    created: datetime
    """When it was created."""
    updated: datetime
    """When it was changed last; as `created` where it was not."""
    position: Position
    """The log's position of the last commit on it."""

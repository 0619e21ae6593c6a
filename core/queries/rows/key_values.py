"""The row of a key of a project."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from headwater.core.log.commit import Position
from headwater.core.queries.rows.row import Row


class KeyValueRow(Row, frozen=True, kw_only=True):
    """A key of a project with its value. `created` is when it was set first, `updated` when and `updated_by` by whom it was set last."""

    id: str
    """The same for the same key of the same project."""
    project_id: str
    """The id of its project, a UUID."""
    project_name: str
    """The name of its project."""
    key: str
    """1 to 255 printable characters, unique in the project."""
    value: Any
    """JSON of at most 10 KB."""
    created: datetime
    """When it was set first."""
    updated: datetime
    """When it was set last."""
    updated_by: str
    """Who set it last, such as `client:ana@host`."""
    position: Position
    """The log's position of the last commit on it."""

"""The row of a key of a project."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from headwater.core.log.commit import Position
from headwater.core.queries.rows import Row


class KeyValueRow(Row, frozen=True, kw_only=True):
    """A key of a project with its value. `created` is when it was set first, `updated` when and `updated_by` by whom it was set last."""

    id: str
    project_id: str
    project_name: str
    key: str
    value: Any
    created: datetime
    updated: datetime
    updated_by: str
    position: Position

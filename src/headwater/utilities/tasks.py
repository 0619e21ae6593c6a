"""The public path of what is in `headwater.sdk.language.decorators` and `headwater.sdk.language.inputs`."""

from __future__ import annotations

from headwater.sdk.language.decorators import apply_map, defaults_from_attrs, pause_task, tags, task
from headwater.sdk.language.inputs import as_task, holds_tasks

__all__ = ["apply_map", "as_task", "defaults_from_attrs", "holds_tasks", "pause_task", "tags", "task"]

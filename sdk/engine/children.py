"""The runs that tasks created in this process, which end with theirs where that is cancelled."""

from __future__ import annotations

children_of_this_run: set[str] = set()
"""Their ids. What a task that has ended created, its result in the log says too; this is about those that still wait."""

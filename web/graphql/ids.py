"""Ids of what has none of its own: a task is known by its flow and slug, a task run by its run, slug and index."""

from __future__ import annotations

from headwater.core.values.identifiers import task_run_address


def task_id(flow_id: str, slug: str) -> str:
    return f"{flow_id}:{slug}"


def task_run_id(run_id: str, slug: str, map_index: int) -> str:
    return task_run_address(run_id, slug, map_index)

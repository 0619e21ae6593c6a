"""What changed between two versions of a flow, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from headwater.core.calendar.phrases import schedule_phrase
from headwater.core.queries import FlowEdgeRow, FlowRow, FlowTaskRow

Version = tuple[FlowRow, Sequence[FlowTaskRow], Sequence[FlowEdgeRow]]

_OF_THE_FLOW = ("labels", "parameters", "storage", "run_config", "schedule", "environment")
_OF_A_TASK = tuple(name for name in FlowTaskRow.__struct_fields__ if name not in {"flow_id", "slug"})


def changes_between(before: Version, after: Version) -> list[str]:
    """Return what is different in `after`, one sentence each; nothing where both say the same."""
    return [*_flow_changes(before[0], after[0]), *_task_changes(before[1], after[1]), *_edge_changes(before[2], after[2])]


def _flow_changes(before: FlowRow, after: FlowRow) -> Iterable[str]:
    for name in _OF_THE_FLOW:
        old, new = msgspec.to_builtins(getattr(before, name)), msgspec.to_builtins(getattr(after, name))
        if old != new and name == "schedule":
            yield f"Schedule: {_times(old)} became {_times(new)}."
        elif old != new:
            yield f"{_words(name).capitalize()}: {_shown(old)} became {_shown(new)}."


def _task_changes(before: Sequence[FlowTaskRow], after: Sequence[FlowTaskRow]) -> Iterable[str]:
    old, new = {task.slug: task for task in before}, {task.slug: task for task in after}
    for slug in new.keys() - old.keys():
        yield f"Task {slug} is new."
    for slug in old.keys() - new.keys():
        yield f"Task {slug} is gone."
    for slug, task in new.items():
        if slug in old:
            for name in _OF_A_TASK:
                was, now = getattr(old[slug], name), getattr(task, name)
                if was != now:
                    yield f"Task {slug}: {_words(name)} {_shown(was)} became {_shown(now)}."


def _edge_changes(before: Sequence[FlowEdgeRow], after: Sequence[FlowEdgeRow]) -> Iterable[str]:
    old, new = {_edge(edge) for edge in before}, {_edge(edge) for edge in after}
    for edge in sorted(new - old):
        yield f"Edge {edge} is new."
    for edge in sorted(old - new):
        yield f"Edge {edge} is gone."


def _edge(edge: FlowEdgeRow) -> str:
    how = f" as {edge.key}" if edge.key else ""
    return f"{edge.upstream} → {edge.downstream}{how}{' (mapped)' if edge.mapped else ''}{' (flattened)' if edge.flattened else ''}"


def _times(registered: dict[str, Any] | None) -> str:
    return "none" if not registered else schedule_phrase(registered)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _shown(value: object) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 200 else f"{text[:200]}…"  # noqa: PLR2004 - as long as a line can be

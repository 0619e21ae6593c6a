"""What happened to a task run, in words."""

from __future__ import annotations

from typing import Any

from headwater.core import events as e
from headwater.core.events import AnyEvent, event_type
from headwater.core.values.phrases import because, shorten


def describe(event: AnyEvent) -> str | None:
    """Return what the event says, for people; None where it is none of a task run."""
    return f"{_task(event)} {_what_happened(event)}" if isinstance(event, e.TaskRunEvent) else None


def _what_happened(event: e.TaskRunEvent) -> str:  # noqa: C901, PLR0912 - one arm per event
    match event:
        case e.TaskRunStarted():
            words = "started" if event.run_count == 1 else f"started, execution {event.run_count}"
        case e.TaskRunSucceeded():
            words = "succeeded"
        case e.TaskRunFailed() | e.TaskRunValidationFailed():
            words = f"failed{_failure(event.failure)}"
        case e.TaskRunTimedOut():
            words = "took too long"
        case e.TaskRunTriggerFailed():
            words = "was not run, its trigger failed"
        case e.TaskRunRetryScheduled():
            words = f"failed{_failure(event.failure)} and is tried again at {event.due_at:%H:%M:%S %Z}"
        case e.TaskRunSkipped():
            words = "was skipped"
        case e.TaskRunCached():
            words = "was served from an earlier result"
        case e.TaskRunMapped():
            words = f"became {event.child_count} task runs"
        case e.TaskRunLooped():
            words = f"asked to run again, loop {event.loop_count}"
        case e.TaskRunPaused():
            words = "waits to be resumed" if event.due_at is None else f"waits until {event.due_at:%H:%M:%S %Z}"
        case e.TaskRunResumed():
            words = f"was resumed{because(event.message)}"
        case e.TaskRunCancelled():
            words = "was cancelled"
        case e.TaskRunStateSet():
            words = f"was set manually from {event.before} to {event.state}{because(event.message)}"
        case e.TaskRunArtifactCreated():
            words = f"made the {event.kind} artifact {_artifact(event.data)}"
        case e.TaskRunArtifactUpdated():
            words = f"changed an artifact to {_artifact(event.data)}"
        case e.TaskRunArtifactDeleted():
            words = f"deleted the artifact {event.artifact_id}"
        case e.TaskRunNamed():
            words = f"is named {event.name!r}"
        case _:
            words = event_type(event)
    return words


def _task(event: e.TaskRunEvent) -> str:
    return f"task {event.slug}" if event.map_index < 0 else f"task {event.slug}[{event.map_index}]"


def _artifact(data: dict[str, Any]) -> str:
    """Return what an artifact shows, on one line: its text, or how large the table is."""
    if "rows" in data:
        return f"of {len(data['rows'])} rows"
    return shorten(repr(data.get("link") or data.get("markdown") or ""))


def _failure(failure: e.Failure | None) -> str:
    return f" ({failure.type}: {failure.message})" if failure else ""

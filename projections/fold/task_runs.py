"""The fold over what happened to task runs: most events of any log, so each kind has its own short function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headwater.core.events import (
    TaskRunCached,
    TaskRunFailed,
    TaskRunLooped,
    TaskRunMapped,
    TaskRunNamed,
    TaskRunPaused,
    TaskRunRetryScheduled,
    TaskRunStarted,
    TaskRunStateSet,
    TaskRunSucceeded,
    TaskRunValidationFailed,
)
from headwater.core.log.commit import Position
from headwater.core.runs.task_run import STATE_AFTER
from headwater.core.states import FINAL, StateName
from headwater.projections.copied_table import CopiedTable
from headwater.projections.fold.changes import json, optional_json, text
from headwater.projections.fold.task_run_patch import TaskRunPatch

Patches = dict[tuple[str, int], TaskRunPatch]
History = list[tuple[Any, ...]]


class Place:
    """The commit being folded: which run, which attempt of it, and where in the log."""

    __slots__ = ("attempt", "position", "run_id")

    def __init__(self, run_id: str, position: Position, attempt: int) -> None:
        self.run_id = run_id
        self.position = position
        self.attempt = attempt


Fold = Callable[[Any, Patches, History, Place, int], object]
"""Takes the event, the run's patches, the history to add to, the commit's place, and the event's number in the commit."""


TASK_RUN_STATES = CopiedTable(
    "task_run_states",
    ("run_id", "position", "seq", "slug", "map_index", "state", "message", "at", "attempt", "run_count", "failure"),
)
CACHED_RESULTS = CopiedTable(
    "cached_results",
    (
        "key",
        "position",
        "seq",
        "run_id",
        "slug",
        "map_index",
        "at",
        "expires_at",
        "result",
        "parameters",
        "hashed_inputs",
    ),
)


def _into_state(state: str, *, final: bool) -> Callable[..., TaskRunPatch]:
    """Return a function that brings a task run into this state and notes it in the history."""

    def into(
        event: Any, patches: Patches, history: History, place: Place, seq: int, *, run_count: int | None = None, failure: str | None = None
    ) -> TaskRunPatch:
        slug = event.slug
        index = event.map_index
        patch = patches.get((slug, index))
        if patch is None:
            patch = patches[slug, index] = TaskRunPatch()
        message = event.message
        if "\0" in message:
            message = text(message)
        at = event.at
        patch.state = state
        patch.message = message
        patch.end_time = at if final else None
        patch.retry_at = None
        patch.result = None
        patch.failure = failure
        attempt = patch.attempt = place.attempt
        position = patch.position = place.position
        history.append((place.run_id, position, seq, text(slug), index, state, message, at, attempt, run_count, failure))
        return patch

    return into


_into: dict[type, Callable[..., TaskRunPatch]] = {
    kind: _into_state(str(state), final=state in FINAL) for kind, state in STATE_AFTER.items()
}


def _started(event: TaskRunStarted, *where: Any) -> None:
    patch = _into[TaskRunStarted](event, *where, run_count=event.run_count)
    patch.run_count = event.run_count
    if patch.start_time is None:
        patch.start_time = event.at


def _with_result(event: TaskRunSucceeded | TaskRunCached | TaskRunLooped, *where: Any) -> None:
    patch = _into[type(event)](event, *where)
    if event.result is not None:
        patch.result = optional_json(event.result)


def cached_result(event: TaskRunCached, place: Place, seq: int) -> tuple[Any, ...]:
    """Return the row under which later runs find the result."""
    cache = event.cache
    return (
        text(str(cache.get("key", ""))),
        place.position,
        seq,
        place.run_id,
        text(event.slug),
        event.map_index,
        event.at,
        event.expires_at,
        optional_json(event.result),
        json(cache.get("parameters", {})),
        json(cache.get("hashed_inputs", {})),
    )


def _with_failure(event: TaskRunFailed | TaskRunValidationFailed, *where: Any) -> None:
    _into[type(event)](event, *where, failure=optional_json(event.failure))


def _retry_scheduled(event: TaskRunRetryScheduled, *where: Any) -> None:
    patch = _into[TaskRunRetryScheduled](event, *where, run_count=event.run_count, failure=optional_json(event.failure))
    patch.retry_at = event.start_time


def _paused(event: TaskRunPaused, *where: Any) -> None:
    _into[TaskRunPaused](event, *where).retry_at = event.start_time


def _state_set(event: TaskRunStateSet, *where: Any) -> None:
    patch = _set_to[event.state](event, *where)
    patch.end_time = event.ended_at
    patch.result = optional_json(event.result)


_set_to = {str(state): _into_state(str(state), final=state in FINAL) for state in StateName}


def _mapped(event: TaskRunMapped, *where: Any) -> None:
    _into[TaskRunMapped](event, *where).child_count = event.child_count


def _named(event: TaskRunNamed, patches: Patches, _: History, place: Place, __: int) -> None:
    patch = patches.setdefault((event.slug, event.map_index), TaskRunPatch())
    patch.name = text(event.name)
    patch.position = place.position


TASK_RUN_FOLDS: dict[type, Fold] = {
    **_into,
    TaskRunStarted: _started,
    TaskRunSucceeded: _with_result,
    TaskRunCached: _with_result,
    TaskRunLooped: _with_result,
    TaskRunFailed: _with_failure,
    TaskRunValidationFailed: _with_failure,
    TaskRunRetryScheduled: _retry_scheduled,
    TaskRunPaused: _paused,
    TaskRunMapped: _mapped,
    TaskRunStateSet: _state_set,
    TaskRunNamed: _named,
}
"""Event class → what it changes of the task run; every event of a task run is here."""

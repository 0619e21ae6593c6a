"""The rules of a task run inside its run: which change may follow which state, and what each change means."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from headwater.core.errors import IllegalTransition
from headwater.core.events import (
    Failure,
    ResultReference,
    TaskRunCached,
    TaskRunCancelled,
    TaskRunEvent,
    TaskRunFailed,
    TaskRunLooped,
    TaskRunMapped,
    TaskRunNamed,
    TaskRunPaused,
    TaskRunResumed,
    TaskRunRetryScheduled,
    TaskRunSkipped,
    TaskRunStarted,
    TaskRunStateSet,
    TaskRunSucceeded,
    TaskRunTimedOut,
    TaskRunTriggerFailed,
    TaskRunValidationFailed,
    event_type,
)
from headwater.core.states import FINAL, StateName

TaskRunKey = tuple[str, int]
"""A task's slug, and its index where it is a mapped child (else -1)."""

STATE_AFTER: dict[type[TaskRunEvent], StateName] = {
    TaskRunStarted: StateName.RUNNING,
    TaskRunSucceeded: StateName.SUCCESS,
    TaskRunFailed: StateName.FAILED,
    TaskRunTimedOut: StateName.TIMED_OUT,
    TaskRunTriggerFailed: StateName.TRIGGER_FAILED,
    TaskRunValidationFailed: StateName.VALIDATION_FAILED,
    TaskRunRetryScheduled: StateName.RETRYING,
    TaskRunSkipped: StateName.SKIPPED,
    TaskRunCached: StateName.CACHED,
    TaskRunMapped: StateName.MAPPED,
    TaskRunLooped: StateName.LOOPED,
    TaskRunPaused: StateName.PAUSED,
    TaskRunResumed: StateName.RESUME,
    TaskRunCancelled: StateName.CANCELLED,
}
"""The state each event brings a task run into. `task_run.named` brings it into none, `task_run.state_set` into the one it names."""

_UNFINISHED = frozenset(StateName) - FINAL
_ALLOWED_BEFORE: dict[type[TaskRunEvent], frozenset[StateName]] = {
    TaskRunStarted: _UNFINISHED - {StateName.RUNNING},
    TaskRunLooped: frozenset({StateName.RUNNING}),
    TaskRunResumed: frozenset({StateName.PAUSED}),
    TaskRunNamed: frozenset(StateName),
    TaskRunStateSet: frozenset(),
}
"""States an event may follow where that is less or more than every unfinished one."""


class _Effect(NamedTuple):
    """What an event of a type does to a task run: the state it brings it into, and which of its fields the task run takes over."""

    state: StateName
    final: bool
    has_result: bool
    has_due_at: bool
    has_failure: bool


# Looked up once for each event: asking for each field whether the event is of a type that has it takes three times as long.
_EFFECTS = {
    kind: _Effect(
        state,
        state in FINAL,
        kind in {TaskRunSucceeded, TaskRunCached, TaskRunLooped},
        kind in {TaskRunRetryScheduled, TaskRunPaused},
        kind in {TaskRunFailed, TaskRunValidationFailed, TaskRunRetryScheduled},
    )
    for kind, state in STATE_AFTER.items()
}


class TaskRun(msgspec.Struct, frozen=True, gc=False):
    """A task run as its events leave it."""

    state: StateName = StateName.PENDING
    run_count: int = 0
    message: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    result: ResultReference | None = None
    failure: Failure | None = None
    """What went wrong, where it failed or is tried again."""
    child_count: int | None = None
    """How many task runs it became, where it was mapped."""
    name: str = ""
    due_at: datetime | None = None
    """When it goes on, where it waits for that."""
    resumed: bool = False
    """Whether it went on after its last pause: what paused it lets it pass from here on."""
    set_manually: bool = False
    """Whether a user set the state that it is in."""
    loop_count: int = 0
    """Which round of its loop ended last, while the loop goes on; 0 where none did."""
    loop_result: ResultReference | None = None
    """Where that round left what it handed to the next, if it was kept."""


def check(task_run: TaskRun, event: TaskRunEvent) -> None:
    """Do nothing if the event may follow the task run's state.

    Raises:
        IllegalTransition: it may not; the sentence names both.

    """
    if task_run.state not in _ALLOWED_BEFORE.get(type(event), _UNFINISHED):
        raise IllegalTransition(
            f"Task run {event.slug!r} (index {event.map_index}) is {task_run.state}; {event_type(event)} cannot follow."
        )


def evolve(task_run: TaskRun, event: TaskRunEvent) -> TaskRun:
    kind = type(event)
    effect = _EFFECTS.get(kind)
    if effect is not None:
        return _changed(task_run, kind, event, effect)
    if isinstance(event, TaskRunStateSet):
        return _set_manually(task_run, event)
    return replace(task_run, name=event.name) if isinstance(event, TaskRunNamed) else task_run


def _changed(task_run: TaskRun, kind: type, event: Any, effect: _Effect) -> TaskRun:
    state, final, has_result, has_due_at, has_failure = effect
    return TaskRun(
        state=state,
        run_count=event.run_count if kind is TaskRunStarted else task_run.run_count,
        message=event.message,
        started_at=task_run.started_at or (event.at if kind is TaskRunStarted else None),
        ended_at=event.at if final else None,
        result=event.result if has_result else None,
        failure=event.failure if has_failure else None,
        child_count=event.child_count if kind is TaskRunMapped else task_run.child_count,
        name=task_run.name,
        due_at=event.due_at if has_due_at else None,
        resumed=_is_resumed(task_run, kind),
        loop_count=event.loop_count if kind is TaskRunLooped else 0 if final else task_run.loop_count,
        loop_result=event.result if kind is TaskRunLooped else None if final else task_run.loop_result,
    )


def _is_resumed(before: TaskRun, kind: type) -> bool:
    if kind is TaskRunStarted and before.state is StateName.PAUSED:
        return True  # its time had come
    return kind is TaskRunResumed or (before.resumed and kind is not TaskRunPaused and kind is not TaskRunLooped)


def _set_manually(before: TaskRun, event: TaskRunStateSet) -> TaskRun:
    state = StateName(event.state)
    return replace(
        before,
        state=state,
        message=event.message,
        ended_at=event.ended_at,
        result=event.result,
        failure=None,
        due_at=None,
        resumed=before.resumed and state in FINAL,
        loop_count=0,
        loop_result=None,
        set_manually=True,
    )

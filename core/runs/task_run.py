"""The rules of a task run inside its run: which change may follow which state, and what each change means."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec.structs import replace

from headwater.core.errors import IllegalTransition
from headwater.core.events import (
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

# As tuples: asking whether an event is of a union of types takes twice as long, and every task run is asked.
_WITH_RESULT = (TaskRunSucceeded, TaskRunCached, TaskRunLooped)
_WITH_START_TIME = (TaskRunRetryScheduled, TaskRunPaused)
_BEFORE_A_PAUSE = (TaskRunPaused, TaskRunLooped)


class TaskRun(msgspec.Struct, frozen=True):
    """A task run as its events leave it."""

    state: StateName = StateName.PENDING
    run_count: int = 0
    message: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    result: ResultReference | None = None
    name: str = ""
    due: datetime | None = None
    """When it goes on, where it waits for that."""
    resumed: bool = False
    """Whether it went on after its last pause: what paused it lets it pass from here on."""
    set_manually: bool = False
    """Whether somebody set the state that it is in."""
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
    if isinstance(event, TaskRunNamed):
        return replace(task_run, name=event.name)
    if isinstance(event, TaskRunStateSet):
        return _set_manually(task_run, event)
    state = STATE_AFTER[type(event)]
    final = state in FINAL
    loop_count, loop_result = (0, None) if final else (task_run.loop_count, task_run.loop_result)
    if isinstance(event, TaskRunLooped):
        loop_count, loop_result = event.loop_count, event.result
    return TaskRun(
        state=state,
        run_count=event.run_count if isinstance(event, TaskRunStarted) else task_run.run_count,
        message=event.message,
        started_at=task_run.started_at or (event.at if state is StateName.RUNNING else None),
        ended_at=event.at if final else None,
        result=event.result if isinstance(event, _WITH_RESULT) else None,
        name=task_run.name,
        due=event.start_time if isinstance(event, _WITH_START_TIME) else None,
        resumed=_is_resumed(task_run, event),
        loop_count=loop_count,
        loop_result=loop_result,
    )


def _is_resumed(before: TaskRun, event: TaskRunEvent) -> bool:
    if isinstance(event, TaskRunStarted) and before.state is StateName.PAUSED:
        return True  # its time had come
    return isinstance(event, TaskRunResumed) or (before.resumed and not isinstance(event, _BEFORE_A_PAUSE))


def _set_manually(before: TaskRun, event: TaskRunStateSet) -> TaskRun:
    state = StateName(event.state)
    return replace(
        before,
        state=state,
        message=event.message,
        ended_at=event.ended_at,
        result=event.result,
        due=None,
        resumed=before.resumed and state in FINAL,
        loop_count=0,
        loop_result=None,
        set_manually=True,
    )

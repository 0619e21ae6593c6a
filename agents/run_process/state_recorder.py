"""Turns the engine's changes of state into events, and answers what an earlier attempt finished already.

Lives in the thread that runs the flow; the attempt's writer takes the events from there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from headwater.agents.failures import cut, failure_of
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
    TaskRunSucceeded,
    TaskRunTimedOut,
    TaskRunTriggerFailed,
    TaskRunValidationFailed,
)
from headwater.core.runs import task_run as task_run_rules
from headwater.core.runs.task_run import TaskRun, TaskRunKey
from headwater.core.states import FINAL, SUCCESSFUL, StateName
from headwater.core.text import shown
from headwater.core.values.json_values import json_problem
from headwater.core.values.limits import INT32_MAX, NAME_CHARACTERS_MAX, TIME_MAX, TIME_MIN
from headwater.sdk.engine.recorder import PriorAttempt
from headwater.sdk.results import InlineResult, inline_problem
from headwater.sdk.states import state as states
from headwater.sdk.states.signals import RETRY
from headwater.sdk.states.state import State

_NEW = TaskRun()
_log = logging.getLogger(__name__)


def event_of(slug: str, map_index: int, new: State, run_count: int, *, at: datetime, with_source: bool = False) -> TaskRunEvent | None:
    """Return the event that a task run's change into `new` is; None where nothing happened that anybody must know."""
    for kind in type(new).__mro__:
        if kind in _EVENT_OF:
            event_type, more = _EVENT_OF[kind]
            details = more(_Change(new, max(1, run_count), at, with_source))
            return event_type(slug=slug, map_index=map_index, at=at, message=_words(new.message), **details)
    return None


class _Change(NamedTuple):
    state: Any
    run_count: int
    at: datetime
    with_source: bool

    @property
    def failure(self) -> Failure | None:
        error = self.state.result
        if isinstance(error, RETRY):
            return None  # the task asked for it: nothing failed
        return failure_of(error, with_source=self.with_source) if isinstance(error, BaseException) else None

    @property
    def result(self) -> ResultReference | None:
        """Where the value is kept, if it is: never the value itself, but for results that the user wanted inline."""
        try:
            return self._reference()
        except Exception as error:  # noqa: BLE001 - kinds of results may be the user's; the task has ended whatever they do
            _log.warning("Where a result is kept cannot be determined: %s", shown(error))
            return None

    def _reference(self) -> ResultReference | None:
        result = self.state._result  # noqa: SLF001 - the state's other half
        if isinstance(result, InlineResult):
            # Checked when it was written; one that was made some other way may hold anything.
            kept = result.reference()
            if inline_problem(kept["value"]) is not None:
                return None
            return ResultReference(type=kept["type"], value=kept["value"], serializer=kept.get("serializer"))
        if result.location is None or not result.keeps_values:
            return None
        told = result.reference()
        serializer = told.get("serializer")
        if json_problem(serializer) is not None:
            return None  # what does not say how its bytes are read is not at hand for anybody
        return ResultReference(type=told["type"], location=shown(told["location"], str), serializer=serializer)

    @property
    def cache(self) -> dict[str, Any]:
        """Under which key the result serves later runs, for which parameters and hashes of inputs; nothing where it is not new."""
        state = self.state
        if state.cache_key is None or self.result is None:
            return {}
        told = {"key": state.cache_key, "parameters": state.cached_parameters or {}, "hashed_inputs": state.hashed_inputs or {}}
        # A task may have changed the values of parameters in place; then they could not be compared.
        return told if json_problem(told) is None else {}


def _nothing(_: _Change) -> dict[str, Any]:
    return {}


_EVENT_OF: dict[type, tuple[type[TaskRunEvent], Callable[[_Change], dict[str, Any]]]] = {
    states.Running: (TaskRunStarted, lambda change: {"run_count": change.run_count}),
    states.Success: (TaskRunSucceeded, lambda change: {"result": change.result}),
    states.Cached: (
        TaskRunCached,
        lambda change: {"result": change.result, "expires_at": _moment(change.state.cached_result_expiration), "cache": change.cache},
    ),
    states.Mapped: (TaskRunMapped, lambda change: {"child_count": _count(change.state.n_map_states or 0)}),
    states.Skipped: (TaskRunSkipped, _nothing),
    states.Failed: (TaskRunFailed, lambda change: {"failure": change.failure}),
    states.TimedOut: (TaskRunTimedOut, _nothing),
    states.TriggerFailed: (TaskRunTriggerFailed, _nothing),
    states.ValidationFailed: (TaskRunValidationFailed, lambda change: {"failure": change.failure}),
    states.Cancelled: (TaskRunCancelled, _nothing),
    states.Looped: (TaskRunLooped, lambda change: {"loop_count": _count(change.state.loop_count or 1), "result": change.result}),
    states.Retrying: (
        TaskRunRetryScheduled,
        lambda change: {
            "due_at": _moment(change.state.start_time) or change.at,
            "run_count": change.run_count,
            "failure": change.failure,
        },
    ),
    states.Paused: (TaskRunPaused, lambda change: {"due_at": _moment(change.state.start_time)}),
    states.Resume: (TaskRunResumed, _nothing),
}
"""The event for each kind of state; kinds of the user's own count as what they derive from. Pending, Scheduled: none."""


def _words(message: object) -> str:
    return "" if message is None else cut(shown(message, str))


def _count(number: object) -> int:
    """Return a number of the user's as a count that every program can hold."""
    return min(max(number, 0), INT32_MAX) if isinstance(number, int) else 0


def _moment(moment: datetime | None) -> datetime | None:
    """Return a time of the user's as one that every program can hold."""
    if moment is None:
        return None
    try:
        return min(max(moment.astimezone(UTC), TIME_MIN), TIME_MAX)
    except OverflowError:  # the years 1 and 9999 have edges that UTC has not
        return TIME_MAX if moment.year > TIME_MIN.year else TIME_MIN


class StateRecorder:
    """The engine's recorder for one attempt of a run.

    `before` is what the log holds of the task runs when the attempt begins. What had ended there is not recorded again: a recorded
    success stays the only one, though the task may have to run again for its value. `record` takes each event; `needed` holds the
    slugs of the tasks whose values other tasks take; `resumed` returns the task runs that a user resumed since it was called last.
    """

    def __init__(
        self,
        record: Callable[[TaskRunEvent], None],
        before: Mapping[TaskRunKey, TaskRun],
        *,
        needed: Collection[str] = (),
        stopping: Callable[[], bool] = lambda: False,
        resumed: Callable[[], Collection[TaskRunKey]] = tuple,
        with_source: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._record = record
        self._before = before
        self._needed = frozenset(needed)
        self._stopping = stopping
        self._resumed = resumed
        self._with_source = with_source
        self._clock = clock
        self._ended = {key for key, found in before.items() if found.state in FINAL}
        self._names = {key: found.name for key, found in before.items() if found.name}
        self._now: dict[TaskRunKey, StateName] = {key: found.state for key, found in before.items()}
        self._resumed_now = {key for key, state in self._now.items() if state is StateName.RESUME}
        self._due = {key: found.due_at for key, found in before.items() if found.due_at is not None}

    def flow_run_changed(self, old: State, new: State) -> None:
        """Nothing: the run's own events are appended by the one that runs the attempt, each at its moment."""

    def task_run_changed(self, task_slug: str, map_index: int, old: State, new: State, run_count: int) -> None:  # noqa: ARG002 - the engine's seam
        """Record the change."""
        event = self.event_of_change(task_slug, map_index, new, run_count)
        if event is None:
            return
        key = (task_slug, map_index)
        self._enter(key, task_run_rules.STATE_AFTER[type(event)])
        if isinstance(event, TaskRunRetryScheduled | TaskRunPaused) and event.due_at is not None:
            self._due[key] = event.due_at
        self._record(event)

    def event_of_change(self, task_slug: str, map_index: int, new: State, run_count: int) -> TaskRunEvent | None:
        """Return the event that a change into `new` is now; None where it would not be recorded."""
        key = (task_slug, map_index)
        if key in self._ended:
            return None
        event = event_of(task_slug, map_index, new, run_count, at=self._clock(), with_source=self._with_source)
        if event is None:
            return None
        try:
            task_run_rules.check(TaskRun(self._now[key]) if key in self._now else _NEW, event)
        except IllegalTransition as illegal:
            # A state handler of the user's may return anything. The run goes on; the record keeps to what can have happened.
            _log.warning("Not recorded: %s", illegal)
            return None
        return event

    @property
    def next_due(self) -> datetime | None:
        """When the first of the task runs goes on that wait for a retry, or for the end of a pause; None where none does."""
        return min(self._due.values(), default=None)

    @property
    def first_due(self) -> TaskRunKey | None:
        """Which task run that is."""
        return min(self._due, key=lambda key: (self._due[key], key), default=None)

    @property
    def paused(self) -> list[TaskRunKey]:
        """The task runs that are paused."""
        return sorted(key for key, now in self._now.items() if now is StateName.PAUSED)

    @property
    def known_resumed(self) -> frozenset[TaskRunKey]:
        """The task runs of which this attempt knows that a user resumed them, and which did not go on since."""
        return frozenset(self._resumed_now)

    def task_run_named(self, task_slug: str, map_index: int, name: str) -> None:
        """Record the name, where it is a new one."""
        key = (task_slug, map_index)
        if key in self._ended or self._names.get(key) == name:
            return
        self._names[key] = name
        self._record(TaskRunNamed(slug=task_slug, map_index=map_index, at=self._clock(), name=cut(name, NAME_CHARACTERS_MAX)))

    def already_finished(self, task_slug: str, map_index: int) -> State | None:
        """Return the state in which an earlier attempt ended this task run, if it need not run again, or left it waiting.

        It must run again where it succeeded, its value is taken by other tasks, and was not kept; not where a user set it to Success.
        """
        found = self._before.get((task_slug, map_index))
        if found is None:
            return None
        if found.state not in FINAL:
            return _waiting_again(found)
        if found.state is StateName.CANCELLED:
            return None
        valueless = found.result is None and found.state in {StateName.SUCCESS, StateName.CACHED} and task_slug in self._needed
        if valueless and found.set_manually:
            return states.Success(found.message, result=None)
        if valueless or found.state is StateName.MAPPED:
            # What it waited for once it need not wait for again.
            return states.Resume(found.message) if found.resumed else None
        return _state_again(found)

    def prior_attempt(self, task_slug: str, map_index: int) -> PriorAttempt:
        """Return what the log holds of it."""
        found = self._before.get((task_slug, map_index), _NEW)
        if not found.loop_count:
            return PriorAttempt(found.run_count, found.resumed)
        # Each round of a loop has retries of its own; an execution that was lost is not one of them.
        run_count = 0 if found.state in {StateName.LOOPED, StateName.RUNNING} else found.run_count
        return PriorAttempt(run_count, found.resumed, _last_round(found))

    def resumed(self) -> Collection[TaskRunKey]:
        """Return the task runs that a user resumed since the last call."""
        keys = self._resumed()
        for key in keys:
            self._enter(key, StateName.RESUME)
        return keys

    def _enter(self, key: TaskRunKey, state: StateName) -> None:
        self._now[key] = state
        self._due.pop(key, None)
        if state is StateName.RESUME:
            self._resumed_now.add(key)
        else:
            self._resumed_now.discard(key)

    def should_stop(self) -> bool:
        """Tell whether the attempt is being stopped."""
        return self._stopping()


def _waiting_again(found: TaskRun) -> State | None:
    """Return the engine's state for a task run that waits; None for one that is to be executed."""
    match found.state:
        case StateName.RETRYING if found.due_at is not None:
            return states.Retrying(found.message, start_time=found.due_at, run_count=found.run_count)
        case StateName.PAUSED:
            return states.Paused(found.message, start_time=found.due_at)
        case StateName.RESUME:
            return states.Resume(found.message)
        case StateName.LOOPED | StateName.RUNNING if found.loop_count:
            return _last_round(found)
        case _:
            return None


def _last_round(found: TaskRun) -> states.Looped:
    """Return the last round of the task run's loop that ended, with where it left what the next one begins with, if anywhere."""
    result = None if found.loop_result is None else msgspec.to_builtins(found.loop_result)
    round_ = State.deserialize({"type": StateName.LOOPED.value, "loop_count": found.loop_count, "_result": result})
    assert isinstance(round_, states.Looped)
    return round_


def _state_again(found: TaskRun) -> State:
    """Return the engine's state for what the log holds."""
    kind = StateName.SUCCESS if found.state in SUCCESSFUL and found.state is not StateName.SKIPPED else found.state
    data: dict[str, Any] = {"type": kind.value, "message": found.message}
    if found.result is not None:
        data["_result"] = msgspec.to_builtins(found.result)
    return State.deserialize(data)

"""The life of one task run: whether it starts, with which inputs, and what comes of how its code ended.

Everything here happens in the thread that runs the flow; only `task_call.execute` happens where the executor says.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from itertools import chain
from typing import Any

from headwater.core.errors import HeadwaterError, InvalidArgument
from headwater.core.text import shown
from headwater.engine import rules
from headwater.engine.caching import Caches, cache_key_of, cached_again, caches_of_this_process, to_be_cached, usable
from headwater.engine.clock import Clock
from headwater.engine.interrupts import is_interrupt
from headwater.engine.plan import Step
from headwater.engine.recorder import Recorder
from headwater.engine.results import LocalResult, Result
from headwater.engine.runner import call_state_handlers
from headwater.engine.signals import StateSignal
from headwater.engine.state import Cached, Failed, Looped, Paused, Pending, Resume, Retrying, Running, State, Success, aware
from headwater.engine.task_call import TaskCall
from headwater.engine.templates import filled
from headwater.triggers import all_successful
from headwater.utilities.context import current_values
from headwater.utilities.logging import get_logger

PENDING = Pending("Task run created")
NO_CONTEXT: dict[str, Any] = {}
_OF_EACH_TASK = ("task_name", "task_full_name", "task_slug", "task_tags", "task_run_count", "map_index", "logger")


class TaskRun:
    """A step of the plan in one run of the flow, or one mapped child of it, and how far it is.

    `before` holds the states of the tasks before it, one for each edge of the step.
    """

    __slots__ = (
        "before",
        "caching",
        "children",
        "context",
        "followers",
        "loop_count",
        "loop_result",
        "map_index",
        "parent",
        "released",
        "resumed",
        "run_count",
        "state",
        "step",
        "unfinished",
        "waits_for",
    )

    def __init__(self, step: Step, before: Sequence[State] = (), *, map_index: int = -1, parent: TaskRun | None = None) -> None:
        self.step = step
        self.before = before
        self.map_index = map_index
        self.parent = parent
        self.state: State = PENDING
        self.run_count = 0
        self.resumed = False
        """Whether it went on after its last pause: what paused it lets it pass, also when it is tried again."""
        self.loop_count = 1
        self.loop_result: Any = None
        self.context = NO_CONTEXT
        self.caching: tuple[str, dict[str, Any]] | None = None
        """Under which key the result is to be remembered, and for which inputs."""
        self.children: Sequence[TaskRun] = ()
        self.unfinished = 0
        """How many children are not over yet."""
        self.released = False
        """Whether those that map over this mapped task have been let go before its children are over."""
        self.followers: list[TaskRun] | None = None
        """Children of other mapped tasks that take this child's result."""
        self.waits_for: list[tuple[int, TaskRun]] | None = None
        """Children of other mapped tasks that must be over first: the number of the edge, and which."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state.is_finished() and type(self.state) is not Looped

    @property
    def order(self) -> tuple[int, int, int]:
        """Which of several that could go on goes first: along a row of mapped tasks, rather than across."""
        return (self.step.root, self.map_index, self.step.position)

    @property
    def name(self) -> str:
        """The task's name, with the index of a mapped child: `load[3]`."""
        return self.step.task.name if self.map_index < 0 else f"{self.step.task.name}[{self.map_index}]"

    @property
    def due(self) -> datetime | None:
        """When it is to go on, if it waits for a time."""
        start_time = self.state.start_time if isinstance(self.state, Retrying | Paused) else None
        return aware(start_time) if isinstance(start_time, datetime) else None


class TaskRunner:
    """Moves the task runs of one run of a flow from state to state. One for each run, not for each task."""

    def __init__(
        self,
        context: dict[str, Any],
        recorder: Recorder | None,
        clock: Clock,
        result_kind: Result | None,
        caches: Caches = caches_of_this_process,
    ) -> None:
        # With room for what each task run has of its own: a copy that does not grow is made at once.
        self._context = {**context, **dict.fromkeys(_OF_EACH_TASK)}
        self._recorder = recorder
        self._clock = clock
        self._caches = caches
        self._flow_result = result_kind
        self._result_kind = result_kind if context.get("checkpointing") else None
        self._checkpointing = bool(context.get("checkpointing"))
        self._logger = get_logger("TaskRunner")
        self._logs_info = self._logger.isEnabledFor(logging.INFO)

    def begin(self, run: TaskRun) -> TaskCall | None:
        """Start a task run that is due. Returns the call to execute, or None if it entered another state than Running."""
        step = run.step
        token = current_values.set(self._context_of(run))
        try:
            if self._logs_info:
                self._logger.info("Task '%s': Starting task run...", run.name)
            refused = self._refusal(run)
            if refused is not None:
                self.conclude(run, refused)
                return None
            try:
                inputs = self._inputs(run)
                self._name_run(run, inputs)
                result_kind: Result | None = None
                cached: State | None = None
                task = step.task
                if self._checkpointing or task.target is not None or task.cache_for is not None:
                    result_kind = self._result_of(run, inputs)
                    cached = self._earlier_result(run, inputs, result_kind)
            except BaseException as error:  # a result that cannot be read, a name or a target that cannot be made
                if is_interrupt(error):
                    raise
                self._logger.exception("Task '%s': it could not be prepared.", run.name)
                what = str(error) if isinstance(error, HeadwaterError) else shown(error)
                self.conclude(run, Failed(f"The task could not be prepared: {what}", result=error))
                return None
            if cached is not None:
                self.conclude(run, cached)
                return None
            if type(run.state) is not Looped:  # the rounds of a loop are one execution; a retry within it is another
                run.run_count += 1
            run.context["task_run_count"] = run.run_count
            self._change(run, Running("Starting task run."))
            if type(run.state) is not Running:
                self.conclude(run, run.state, is_entered=True)
                return None
            return TaskCall(step.task, inputs, run.context, result_kind)
        finally:
            current_values.reset(token)

    def conclude(self, run: TaskRun, outcome: State, *, is_entered: bool = False) -> None:
        """Enter the state that follows from how the task's code ended, or from why it did not run.

        Afterwards the run is over, or due again (Retrying, Paused), or Looped and to be begun anew.
        """
        token = current_values.set(run.context)
        try:
            try:
                if type(outcome) is not Success:
                    outcome = self._after_trouble(run, outcome)
                elif run.caching is not None:
                    outcome = self._to_be_cached(run, outcome)
            except BaseException as error:  # settings, inputs and errors of the user's are asked here, and may raise anything
                if is_interrupt(error):
                    raise
                outcome = Failed(f"What follows the task's end could not be found out: {shown(error)}", result=error)
            if not is_entered:
                self._change(run, outcome)
            if self._logs_info:
                self._logger.info("Task '%s': Finished task run for task with final state: '%s'", run.name, type(run.state).__name__)
        finally:
            current_values.reset(token)

    def refuse_parent(self, run: TaskRun) -> bool:
        """Tell whether a mapped parent ends without children, as a task that is not mapped would without running."""
        token = current_values.set(self._context_of(run))
        try:
            if self._logs_info:
                self._logger.info("Task '%s': Starting task run...", run.name)
            refused = self._refusal(run)
            if refused is not None:
                self.conclude(run, refused)
            return refused is not None
        finally:
            current_values.reset(token)

    def _context_of(self, run: TaskRun) -> dict[str, Any]:
        step = run.step
        task = step.task
        context = self._context.copy()
        context["task_name"] = task.name
        context["task_full_name"] = task.name if run.map_index < 0 else run.name
        context["task_slug"] = step.slug
        context["task_tags"] = task.tags
        context["task_run_count"] = run.run_count + 1
        context["map_index"] = run.map_index
        context["logger"] = step.logger
        if run.loop_count > 1:  # also when it is tried again in the middle of the loop: then in the same round
            context["task_loop_count"] = run.loop_count
            context["task_loop_result"] = run.loop_result
        if run.resumed or isinstance(run.state, Paused | Resume):
            # Somebody let it go on, or its time has come: whatever paused it lets it go on now.
            context["resume"] = run.resumed = True
        run.context = context
        return context

    def _refusal(self, run: TaskRun) -> State | None:
        task = run.step.task
        if task.trigger is all_successful:
            for state in run.before:
                if type(state) is not Success:
                    break
            else:
                return None
        return rules.refusal(task, run.step.edges, run.before)

    def _inputs(self, run: TaskRun) -> dict[str, Any]:
        step = run.step
        inputs = dict(step.constants)
        for argument, edge, is_flattened in step.inputs:
            state = run.before[edge]
            result = state._result  # noqa: SLF001 - the state's other half, without a property for each input
            if result.value is None and result.location is not None:
                state.load_result(step.edges[edge].upstream_task.result or self._result_kind)
            value = state._result.value  # noqa: SLF001
            inputs[argument] = _flattened(argument, value) if is_flattened else value
        return inputs

    def _name_run(self, run: TaskRun, inputs: dict[str, Any]) -> None:
        template = run.step.task.task_run_name
        if template is not None:
            known = {**run.context, **inputs}
            name = filled("task_run_name", template, known)
            run.context["task_run_name"] = name
            if self._recorder is not None:
                self._recorder.task_run_named(run.step.slug, run.map_index, name)

    def _result_of(self, run: TaskRun, inputs: dict[str, Any]) -> Result | None:
        """Return where the value of the task is kept, if it is kept."""
        task = run.step.task
        if task.target is None and (not self._checkpointing or task.checkpoint is False):
            return None
        kind = task.result or self._flow_result
        if kind is None and (task.target is not None or task.cache_for is not None):
            kind = LocalResult()
        if kind is None or not kind.keeps_values:
            return None
        template = task.target if task.target is not None else kind.template
        if template is None:
            return kind
        known = {**(run.context.get("parameters") or {}), **run.context, **inputs}
        location = filled("location" if task.target is None else "target", template, known)
        # Locations are templates to results; this one is filled already, and its braces are braces.
        return kind.at(location.replace("{", "{{").replace("}", "}}"))

    def _earlier_result(self, run: TaskRun, inputs: dict[str, Any], kind: Result | None) -> State | None:
        """Return the state of a task that need not run, since its result is at its target, or remembered from before."""
        task = run.step.task
        if task.target is not None and kind is not None and kind.location is not None and kind.exists(kind.location):
            location = kind.location.format()
            return Cached(f"Result found at task target {location}.", kind.read(location))
        if task.cache_for is None or run.run_count:
            return None
        key = cache_key_of(task, run.step.slug, run.map_index, run.context)
        run.caching = (key, inputs)
        for found in usable(task, self._caches.states(key), inputs, run.context.get("parameters") or {}):
            result = found._result  # noqa: SLF001 - the state's other half
            if result.value is None and result.location is not None:
                try:
                    result = (result if result.keeps_values else kind or result).read(result.location)
                except BaseException as error:  # whatever keeps it from being read, the task can make it anew
                    if is_interrupt(error):
                        raise
                    self._logger.warning("Task '%s': the cached result at %s cannot be read: %s", run.name, result.location, shown(error))
                    continue
            return cached_again(found, result)
        return None

    def _to_be_cached(self, run: TaskRun, outcome: State) -> State:
        assert run.caching is not None
        key, inputs = run.caching
        try:
            cached = to_be_cached(run.step.task, outcome, inputs, run.context.get("parameters") or {}, key=key, now=self._clock.now())
        except BaseException as error:  # hashing inputs pickles them
            if is_interrupt(error):
                raise
            self._logger.warning("Task '%s': its result cannot serve later runs: %s", run.name, shown(error))
            return outcome
        self._caches.remember(key, cached)
        return cached

    def _after_trouble(self, run: TaskRun, outcome: State) -> State:
        """Return the state that follows a failure or a signal: as it is, or Retrying."""
        task = run.step.task
        if isinstance(outcome, Failed) and type(run.state) is Running:
            self._log_failure(run, outcome)
            again = rules.retry(task, outcome, run.run_count, self._clock.now())
            if again is None:
                return outcome
            # The user's handlers see the failure too; the record has it inside Retrying.
            handled = call_state_handlers(task.state_handlers, task, run.state, outcome, self._logger)
            return again if handled is outcome else handled
        if type(outcome) is Retrying:
            outcome.run_count = run.run_count
        elif isinstance(outcome, Paused):
            run.resumed = False
        elif type(outcome) is Looped:
            run.resumed = False
            if outcome.loop_count is None:
                outcome.loop_count = run.loop_count
            run.loop_count = outcome.loop_count + 1
            run.loop_result = outcome.result
        return outcome

    def _log_failure(self, run: TaskRun, outcome: State) -> None:
        cause = outcome.result
        try:
            if isinstance(cause, StateSignal):
                self._logger.info("Task '%s': %s signal raised: %s", run.name, type(cause).__name__, shown(cause))
            elif isinstance(cause, BaseException):
                self._logger.error("Task '%s': Exception encountered during task execution!", run.name, exc_info=cause)
        except BaseException as error:  # handlers of the user's may stumble over the words of the exception
            if is_interrupt(error):
                raise
            self._logger.error("Task '%s': Exception encountered during task execution, and it cannot be shown.", run.name)  # noqa: TRY400

    def _change(self, run: TaskRun, new: State) -> None:
        old = run.state
        if run.step.task.state_handlers:
            new = call_state_handlers(run.step.task.state_handlers, run.step.task, old, new, self._logger)
        run.state = new
        if self._recorder is not None:
            self._recorder.task_run_changed(run.step.slug, run.map_index, old, new, run.run_count)


def _flattened(argument: str, value: Any) -> list[Any]:
    try:
        return list(chain.from_iterable(value))
    except TypeError:
        raise InvalidArgument(
            f"Argument {argument!r} is flattened, and what it is given, a {type(value).__name__}, is no list of lists.",
            hint="Drop flatten(...), or let the task before return a list of lists.",
        ) from None

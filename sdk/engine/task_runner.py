"""The life of one task run: whether it starts, with which inputs, and what comes of how its code ended.

Everything here happens in the thread that runs the flow; only `task_call.execute` happens where the executor says.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from headwater.core.errors import HeadwaterError
from headwater.core.text import shown
from headwater.core.values.identifiers import task_run_path
from headwater.sdk.context.interrupts import is_interrupt
from headwater.sdk.context.logging import get_logger
from headwater.sdk.context.values import current_values
from headwater.sdk.engine import rules
from headwater.sdk.engine.caching import Caches, cache_key_of, cached_again, caches_of_this_process, valid_cached_results, with_expiry
from headwater.sdk.engine.clock import Clock
from headwater.sdk.engine.mapping import flattened_value, states_of_children
from headwater.sdk.engine.recorder import Recorder
from headwater.sdk.engine.runner import Handled, call_state_handlers
from headwater.sdk.engine.task_run import NO_CONTEXT, PENDING, TaskRun
from headwater.sdk.executors.task_call import EndedForGood, TaskCall
from headwater.sdk.language.task import Task
from headwater.sdk.language.triggers import all_successful
from headwater.sdk.results import LocalResult, Result
from headwater.sdk.results.templates import filled
from headwater.sdk.states.signals import StateSignal
from headwater.sdk.states.state import Cached, Failed, Looped, Mapped, Paused, Pending, Resume, Retrying, Running, Skipped, State, Success

_OF_EACH_TASK = (
    "task_name",
    "task_full_name",
    "task_slug",
    "task_id",
    "task_run_id",
    "task_tags",
    "task_run_count",
    "map_index",
    "logger",
)


class TaskRunner:
    """Moves the task runs of one run of a flow from state to state. One for each run, not for each task."""

    def __init__(
        self,
        context: dict[str, Any],
        recorder: Recorder | None,
        clock: Clock,
        result_kind: Result | None,
        caches: Caches = caches_of_this_process,
        *,
        task_contexts: Mapping[Task, Mapping[str, Any]] | None = None,
    ) -> None:
        # With room for what each task run has of its own: a copy that does not grow is made at once.
        self._context = {**context, **dict.fromkeys(_OF_EACH_TASK)}
        self._task_contexts = task_contexts or {}
        self._run_id = str(context.get("flow_run_id"))
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
                self.finish(run, refused)
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
                self.finish(run, Failed(f"The task could not be prepared: {what}", result=error))
                return None
            if cached is not None:
                self.finish(run, cached)
                return None
            run.run_count += 1
            run.context["task_run_count"] = run.run_count
            running: State = Running("Starting task run.")
            if step.task.state_handlers:
                old = run.state
                if type(old) is Looped:
                    old = Pending(f"Looping task (on loop index {run.loop_count - 1})")
                running = self._handled(run, old, running).state
                if type(running) is not Running:
                    self.finish(run, running, is_handled=True)
                    return None
            self._enter(run, running)
            return TaskCall(step.task, inputs, run.context, result_kind)
        finally:
            current_values.reset(token)

    def finish(self, run: TaskRun, outcome: State, *, is_handled: bool = False) -> None:
        """Enter the state that follows from how the task's code ended, or from why it did not run.

        Afterwards the run is over, or due again (Retrying, Paused), or Looped and to be begun again. `is_handled` says that the
        state handlers know of the state.
        """
        token = current_values.set(run.context)
        try:
            try:
                is_plain = type(outcome) is Success and run.caching is None and not run.step.task.state_handlers
                state = outcome if is_handled or is_plain else self._what_follows(run, outcome)
            except BaseException as error:  # settings, inputs and errors of the user's are asked here, and may raise anything
                if is_interrupt(error):
                    raise
                state = Failed(f"What follows the task's end could not be found out: {shown(error)}", result=error)
            self._enter(run, state)
            if self._logs_info:
                self._logger.info("Task '%s': Finished task run for task with final state: '%s'", run.name, type(state).__name__)
        finally:
            current_values.reset(token)

    def map(self, run: TaskRun, known_children: int | None = None) -> list[list[State]] | None:
        """Begin a mapped task, and return for each of its children the states before it; None if it ends, or waits, without any."""
        step = run.step
        token = current_values.set(self._context_of(run))
        try:
            if self._logs_info:
                self._logger.info("Task '%s': Starting task run...", run.name)
            refused = rules.refusal_of_parent(step.task, step.edges, run.before)
            children = states_of_children(step.edges, run.before, known_children) if refused is None else refused
            if isinstance(children, State):
                self.finish(run, children)
                return None
            # Until the children are over, their states are identified by their number: the children of others follow them one by one.
            self.finish(run, Mapped("Ready to proceed with mapping.", [], [PENDING] * len(children)))
            return children
        finally:
            current_values.reset(token)

    def is_valid(self, run: TaskRun, known: Cached) -> bool:
        """Tell whether a result that is known from before may serve this task run, by what the task's `cache_validator` says."""
        token = current_values.set(self._context_of(run))
        try:
            task = run.step.task
            if task.cache_for is None and task.cache_validator is None:
                return False
            return any(valid_cached_results(task, [known], self._inputs(run), run.context.get("parameters") or {}))
        except BaseException as error:  # a validator, and the equality of inputs, are the user's code
            if is_interrupt(error):
                raise
            self._logger.warning("Task '%s': whether its known result serves again cannot be determined: %s", run.name, shown(error))
            return False
        finally:
            current_values.reset(token)

    def _context_of(self, run: TaskRun) -> dict[str, Any]:
        step = run.step
        task = step.task
        context = self._context.copy()
        if self._task_contexts:
            context.update(self._task_contexts.get(task, NO_CONTEXT))
        context["task_name"] = task.name
        context["task_full_name"] = task.name if run.map_index < 0 else run.name
        context["task_slug"] = context["task_id"] = step.slug
        context["task_run_id"] = task_run_path(self._run_id, step.slug, run.map_index)
        context["task_tags"] = task.tags
        context["task_run_count"] = run.run_count + 1
        context["map_index"] = None if run.map_index < 0 else run.map_index
        context["logger"] = step.logger
        if run.loop_count > 1:  # also when it is tried again in the middle of the loop: then in the same round
            context["task_loop_count"] = run.loop_count
            context["task_loop_result"] = run.loop_result
        if run.resumed or isinstance(run.state, Paused | Resume):
            # A user let it go on, or its time has come: whatever paused it lets it go on now.
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
        return rules.refusal(task, run.step.edges, run.before, run.step.constants)

    def _inputs(self, run: TaskRun) -> dict[str, Any]:
        step = run.step
        inputs = dict(step.constants)
        for argument, edge, is_flattened in step.inputs:
            state = run.before[edge]
            result = state._result  # noqa: SLF001 - the state's other half, without a property for each input
            if result.value is None and result.location is not None:
                state.load_result(None if result.keeps_values else step.edges[edge].upstream_task.result or self._result_kind)
            value = state._result.value  # noqa: SLF001
            inputs[argument] = flattened_value(step.edges[edge], state) if is_flattened else value
        return inputs

    def _name_run(self, run: TaskRun, inputs: dict[str, Any]) -> None:
        template = run.step.task.task_run_name
        if template is not None:
            known = {**(run.context.get("parameters") or {}), **run.context, **inputs}
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
        for found in valid_cached_results(task, self._caches.states(key), inputs, run.context.get("parameters") or {}):
            result = found._result  # noqa: SLF001 - the state's other half
            if result.value is None and result.location is not None:
                try:
                    result = (result if result.keeps_values else kind or result).read(result.location)
                except BaseException as error:  # whatever keeps it from being read, the task can make it again
                    if is_interrupt(error):
                        raise
                    self._logger.warning("Task '%s': the cached result at %s cannot be read: %s", run.name, result.location, shown(error))
                    continue
            return cached_again(found, result)
        return None

    def _what_follows(self, run: TaskRun, outcome: State) -> State:
        """Return the state that follows: the outcome, or one that is remembered for later runs, or Retrying.

        The handlers are called for each step; the record holds the last one, with the failure inside Retrying.
        """
        is_last = isinstance(outcome, EndedForGood)
        if is_last:
            outcome = outcome.unwrapped()
        has_run = type(run.state) is Running
        if has_run and isinstance(outcome, Failed):
            self._log_failure(run, outcome)
        state, may_go_on = self._handled(run, run.state, outcome)
        if not has_run or is_last or not may_go_on:
            return state
        if run.caching is not None and isinstance(state, Success) and not isinstance(state, Skipped | Cached):
            cached = self._with_expiry(run, state)
            if cached is not None:
                state, may_go_on = self._handled(run, state, cached)
                if state is cached:
                    self._caches.remember(run.caching[0], cached)
        if may_go_on and isinstance(state, Failed):
            again = rules.retry(run.step.task, state, run.run_count, self._clock.now())
            if again is not None:
                state = self._handled(run, state, again).state
        return state

    def _with_expiry(self, run: TaskRun, state: State) -> Cached | None:
        assert run.caching is not None
        key, inputs = run.caching
        try:
            return with_expiry(run.step.task, state, inputs, run.context.get("parameters") or {}, key=key, now=self._clock.now())
        except BaseException as error:  # hashing inputs pickles them
            if is_interrupt(error):
                raise
            self._logger.warning("Task '%s': its result cannot serve later runs: %s", run.name, shown(error))
            return None

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

    def _handled(self, run: TaskRun, old: State, new: State) -> Handled:
        task = run.step.task
        return call_state_handlers(task.state_handlers, task, old, new, self._logger) if task.state_handlers else Handled(new)

    def _enter(self, run: TaskRun, new: State) -> None:
        """Let the task run be in this state, note what it means for the next execution, and have it recorded."""
        old, run.state = run.state, new
        kind = type(new)
        if kind is not Running and kind is not Success:
            if isinstance(new, Retrying):
                run.run_count = new.run_count
            elif isinstance(new, Paused):
                run.resumed = False
        if self._recorder is not None:
            self._recorder.task_run_changed(run.step.slug, run.map_index, old, new, run.run_count)
        if kind is Looped:
            # The next round has retries of its own.
            assert isinstance(new, Looped)
            run.resumed, run.run_count = False, 0
            run.loop_count, run.loop_result = new.loop_count + 1, new.result

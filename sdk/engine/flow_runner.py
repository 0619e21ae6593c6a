"""Running a flow once, from its first state to its last."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from headwater.core.text import shown
from headwater.sdk.context.interrupts import is_interrupt
from headwater.sdk.context.logging import LoggedStdout, get_logger
from headwater.sdk.context.values import current_values
from headwater.sdk.engine import rules
from headwater.sdk.engine.caching import Caches, caches_of_this_process
from headwater.sdk.engine.clock import Clock, SystemClock
from headwater.sdk.engine.known_states import KnownStates
from headwater.sdk.engine.recorder import Recorder
from headwater.sdk.engine.run_context import run_context
from headwater.sdk.engine.run_loop import RunLoop, slugs_with_readers
from headwater.sdk.engine.runner import as_state, call_state_handlers
from headwater.sdk.engine.task_runner import TaskRunner
from headwater.sdk.language.task import Task
from headwater.sdk.results.checkpoints import CONTEXT_KEY, Checkpoints
from headwater.sdk.states.signals import StateSignal
from headwater.sdk.states.state import Cancelled, Failed, Pending, Running, State

if TYPE_CHECKING:
    from headwater.sdk.executors import Executor
    from headwater.sdk.language.flow import Flow
    from headwater.sdk.results import Result


class FlowRunner:
    """Runs a flow once.

    Args:
        flow: the flow.
        recorder: notified of each change of state; none by default.
        executor: where tasks are executed; the flow's own executor by default, or one task after the other.
        clock: the time; that of this machine by default.
        longest_wait: retries and pauses further ahead than this are not waited for; the run is left Running with them
            for another process to take it up again. None waits for all.
        caches: remembers results of tasks with `cache_for`; in this process by default.

    """

    def __init__(
        self,
        flow: Flow,
        *,
        recorder: Recorder | None = None,
        executor: Executor | None = None,
        clock: Clock | None = None,
        longest_wait: timedelta | None = None,
        caches: Caches = caches_of_this_process,
    ) -> None:
        from headwater.sdk.executors.configured import configured_executor

        self.flow = flow
        self.executor = executor or flow.executor or configured_executor()
        self._recorder = recorder
        self._clock = clock or SystemClock()
        self._longest_wait = longest_wait
        self._caches = caches
        self._logger = get_logger("FlowRunner")

    def run(
        self,
        parameters: Mapping[str, Any] | None = None,
        *,
        context: Mapping[str, Any] | None = None,
        task_states: Mapping[Task, State] | None = None,
        state: State | None = None,
        executor: Executor | None = None,
        task_contexts: Mapping[Task, Mapping[str, Any]] | None = None,
        return_tasks: Iterable[Task] | None = None,
    ) -> State:
        """Run the flow and return its final state, whose result maps each task to its state.

        The state is Running where task runs are left that wait for a person, or for longer than `longest_wait`. It is
        Cancelled after Ctrl-C, and after the recorder said stop; the latter is not recorded, since who said so knows.

        Args:
            parameters: the values of the parameters; the others have their defaults.
            context: further values for `headwater.context`: `flow_run_id`, `flow_run_name`, `scheduled_start_time`, ...
            task_states: states of tasks: those that are over are not run again.
            state: the state the run is in; Pending by default. A run that is over is not run again.
            executor: where the tasks run, if not where this runner's do.
            task_contexts: further values for `headwater.context`, for single tasks.
            return_tasks: the tasks that the result is to have; all of them by default.

        Raises:
            InvalidFlow: `return_tasks` has a task that is not in the flow.

        """
        returned = None if return_tasks is None else {self.flow._known(task) for task in return_tasks}  # noqa: SLF001
        given = {} if context is None else context
        defaults = {parameter.name: parameter.default for parameter in self.flow.parameters() if not parameter.required}
        known = {**defaults, **given.get("parameters", {}), **(parameters or {})}
        values = run_context(self.flow.name, current_values.get(), given, known, self._clock.now())
        if values["checkpointing"] and given.get("running_with_backend"):
            # Another attempt may follow this one; what it needs not execute again it finds there.
            values[CONTEXT_KEY] = Checkpoints(slugs_with_readers(self.flow))
        token = current_values.set(values)
        self._state = Pending() if state is None else state.unwrapped()
        executor = executor or self.executor
        try:
            with self._redirected_prints(), executor.start():
                ended = self._run(executor, values, task_states or {}, task_contexts or {})
        finally:
            current_values.reset(token)
            if isinstance(kept := values.get(CONTEXT_KEY), Checkpoints):
                kept.close()
        if returned is not None and isinstance(ended.result, dict):
            ended.result = {task: found for task, found in ended.result.items() if task in returned}
        return ended

    def _run(
        self,
        executor: Executor,
        values: dict[str, Any],
        task_states: Mapping[Task, State],
        task_contexts: Mapping[Task, Mapping[str, Any]],
    ) -> State:
        if self._state.is_finished():
            self._logger.info("The run of flow '%s' is over already.", self.flow.name)
            return self._state
        self._logger.info("Beginning Flow run for '%s'", self.flow.name)
        if not self._state.is_running():
            self._change(Running("Running flow."))
        if not self._state.is_running():
            return self._state
        task_runner = TaskRunner(values, self._recorder, self._clock, _result_of(self.flow), self._caches, task_contexts=task_contexts)
        loop = RunLoop(
            self.flow,
            task_runner,
            executor,
            clock=self._clock,
            recorder=self._recorder,
            longest_wait=self._longest_wait,
            known_states=KnownStates(task_states),
        )
        try:
            stopped = not loop.advance()
        except KeyboardInterrupt:
            self._logger.warning("Interrupted: the flow run is cancelled.")
            loop.clean_up()
            self._change(Cancelled("Interrupt signal raised, cancelling Flow run.", result=loop.task_states()))
            return self._state
        states = loop.task_states()
        if stopped:
            loop.clean_up()
            return Cancelled("The flow run was told to stop.", result=states)
        self._finish(states)
        return self._state

    def _finish(self, states: dict[Task, State]) -> None:
        flow = self.flow
        references = [states[task] for task in flow.reference_tasks()]
        outcome = rules.flow_outcome(references, (states[task] for task in flow.terminal_tasks()))
        if flow.terminal_state_handler is not None and outcome.is_finished():
            try:
                handled = flow.terminal_state_handler(flow, outcome, set(references)) or outcome
                outcome = as_state(handled, "The terminal state handler returned")
            except StateSignal as signal:
                outcome = signal.state
            except BaseException as error:  # the handler is the user's code
                if is_interrupt(error):
                    raise
                self._logger.exception("Exception raised while calling the terminal state handler.")
                outcome = Failed("Exception raised while calling the terminal state handler.", result=error)
        outcome.result = states
        word = "SUCCESS" if outcome.is_successful() else type(outcome).__name__.upper()
        if outcome.is_finished():
            self._logger.info("Flow run %s: %s", word, _sentence(outcome.message))
            self._change(outcome)
        else:
            self._logger.info("Flow run RUNNING: terminal tasks are incomplete.")
            self._state.result = states

    def _change(self, new: State) -> None:
        old = self._state
        if self.flow.state_handlers:
            result = new._result  # noqa: SLF001
            new = call_state_handlers(self.flow.state_handlers, self.flow, old, new, self._logger).state
            if new.result is None:
                new.result = result
        self._state = new
        if self._recorder is not None:
            self._recorder.flow_run_changed(old, new)

    @contextmanager
    def _redirected_prints(self) -> Iterator[None]:
        if isinstance(sys.stdout, LoggedStdout) or not any(task.log_stdout for task in self.flow.tasks):
            yield
            return
        real = sys.stdout
        sys.stdout = LoggedStdout(real)
        try:
            yield
        finally:
            sys.stdout = real


def _result_of(flow: Flow) -> Result | None:
    return flow.result or (flow.storage.result if flow.storage is not None else None)


def _sentence(message: str | None) -> str:
    """Return the message as the end of a line: without its capital and its full stop."""
    text = "" if message is None else shown(message, str).rstrip(".")
    return text[:1].lower() + text[1:]

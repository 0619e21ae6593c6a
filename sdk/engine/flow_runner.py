"""Running a flow: which task run goes on next, until none is left."""

from __future__ import annotations

import heapq
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from headwater.core.text import shown
from headwater.engine import rules
from headwater.engine.caching import Caches, caches_of_this_process
from headwater.engine.checkpoints import CONTEXT_KEY, Checkpoints
from headwater.engine.clock import Clock, SystemClock
from headwater.engine.interrupts import is_interrupt
from headwater.engine.mapping import states_of_children
from headwater.engine.plan import plan_of
from headwater.engine.recorder import Recorder
from headwater.engine.runner import as_state, call_state_handlers
from headwater.engine.state import Cancelled, Failed, Looped, Mapped, Paused, Pending, Resume, Retrying, Running, State
from headwater.engine.task_call import TaskCall, execute
from headwater.engine.task_runner import NO_CONTEXT, PENDING, TaskRun, TaskRunner
from headwater.graph.task import Task
from headwater.utilities.configuration import config
from headwater.utilities.context import current_values
from headwater.utilities.logging import LoggedStdout, get_logger

if TYPE_CHECKING:
    from headwater.engine.results import Result
    from headwater.executors import Executor
    from headwater.graph.flow import Flow

STOP_CHECK_SECONDS = 1.0
SLEEP_SECONDS_MAX = 86_400.0
"""No wait at once is longer: what the operating system is asked to wait for has an end."""


class FlowRunner:
    """Runs a flow once.

    Args:
        flow: the flow.
        recorder: told of each change of state; nobody by default.
        executor: where tasks are executed; the flow's own executor by default, or one task after the other.
        clock: the time; that of this machine by default.
        longest_wait: retries and pauses further ahead than this are not waited for; the run is left Running with them
            for somebody to take it up again. None waits for all.
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
        from headwater.executors.configured import configured_executor

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
    ) -> State:
        """Run the flow and return its final state, whose result maps each task to its state.

        The state is Running where task runs are left that wait for somebody, or for longer than `longest_wait`. It is
        Cancelled after Ctrl-C, and after the recorder said stop; the latter is not recorded, since who said so knows.

        Args:
            parameters: the values of the parameters, as `engine.parameters.run_parameters` returns them.
            context: further values for `headwater.context`: `flow_run_id`, `flow_run_name`, `scheduled_start_time`, ...
            task_states: states of tasks that are over already and are not run again.
            state: the state the run is in; Pending by default.

        """
        values = self._context(parameters, context)
        if values["checkpointing"] and context is not None and context.get("running_with_backend"):
            # Another attempt may follow this one; what it needs not execute again it finds there.
            values[CONTEXT_KEY] = Checkpoints(_slugs_with_readers(self.flow))
        token = current_values.set(values)
        self._state = state or Pending()
        try:
            with self._redirected_prints(), self.executor.start():
                return self._run(values, task_states or {})
        finally:
            current_values.reset(token)
            if isinstance(kept := values.get(CONTEXT_KEY), Checkpoints):
                kept.close()

    def _run(self, values: dict[str, Any], task_states: Mapping[Task, State]) -> State:
        self._logger.info("Beginning Flow run for '%s'", self.flow.name)
        self._change(Running("Running flow."))
        if not self._state.is_running():
            return self._state
        work = _Work(self, values, task_states)
        try:
            stopped = not work.go_on()
        except KeyboardInterrupt:
            self._logger.warning("Interrupted: the flow run is cancelled.")
            work.clean_up()
            self._change(Cancelled("Interrupt signal raised, cancelling Flow run.", result=work.task_states()))
            return self._state
        states = work.task_states()
        if stopped:
            work.clean_up()
            return Cancelled("The flow run was told to stop.", result=states)
        self._conclude(states)
        return self._state

    def _conclude(self, states: dict[Task, State]) -> None:
        flow = self.flow
        references = [states[task] for task in flow.reference_tasks()]
        outcome = rules.flow_outcome(references, (states[task] for task in flow.terminal_tasks()))
        if flow.terminal_state_handler is not None and outcome.is_finished():
            try:
                handled = flow.terminal_state_handler(flow, outcome, set(references)) or outcome
                outcome = as_state(handled, "The terminal state handler returned")
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
            new = call_state_handlers(self.flow.state_handlers, self.flow, old, new, self._logger)
            if new.result is None:
                new.result = result
        self._state = new
        if self._recorder is not None:
            self._recorder.flow_run_changed(old, new)

    def _context(self, parameters: Mapping[str, Any] | None, context: Mapping[str, Any] | None) -> dict[str, Any]:
        now = self._clock.now()
        day = timedelta(days=1)
        values = {name: value for name, value in current_values.get().items() if name not in ("flow", "tags", "made_tasks", CONTEXT_KEY)}
        values = {**config["context"].to_dict(), "config": config, "checkpointing": bool(config["flows"]["checkpointing"]), **values}
        values |= {"date": now, "flow_name": self.flow.name, "flow_run_id": str(uuid4()), "scheduled_start_time": now}
        for name, moment in (("today", now), ("yesterday", now - day), ("tomorrow", now + day)):
            values[name] = f"{moment:%Y-%m-%d}"
            values[f"{name}_nodash"] = f"{moment:%Y%m%d}"
        given = dict(context or {})
        return {**values, **given, "parameters": {**given.get("parameters", {}), **(parameters or {})}}

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


class _Work:
    """What is left to do of one run of a flow."""

    def __init__(self, runner: FlowRunner, context: dict[str, Any], task_states: Mapping[Task, State]) -> None:
        self._recorder = runner._recorder  # noqa: SLF001 - the other half of the runner
        self._clock = runner._clock  # noqa: SLF001
        self._longest_wait = runner._longest_wait  # noqa: SLF001
        self._executor = runner.executor
        self._task_runner = TaskRunner(context, self._recorder, self._clock, _result_of(runner.flow), runner._caches)  # noqa: SLF001
        self._known_states = task_states
        self._flow_result = runner.flow.result
        self._slugs_with_readers = _slugs_with_readers(runner.flow) if self._recorder is not None else frozenset()
        self._runs = [TaskRun(step) for step in plan_of(runner.flow)]
        self._blockers = [run.step.before_count for run in self._runs]
        self._ready: list[tuple[tuple[int, int, int], TaskRun]] = [(run.order, run) for run in self._runs if not run.step.before_count]
        self._waiting: list[tuple[datetime, tuple[int, int, int], TaskRun]] = []
        self._paused: dict[tuple[str, int], TaskRun] = {}
        self._in_flight = 0

    def task_states(self) -> dict[Task, State]:
        return {run.step.task: run.state for run in self._runs}

    def go_on(self) -> bool:
        """Run until nothing is left that can. Returns False if the recorder said stop."""
        should_stop = None if self._recorder is None else self._recorder.should_stop
        capacity = self._executor.capacity
        while True:
            if should_stop is not None and should_stop():
                return False
            if self._paused:
                self._take_resumed()
            while self._ready and self._in_flight < capacity:
                self._start(heapq.heappop(self._ready)[1])
            if self._in_flight:
                self._take_outcome()
            elif not self._ready and not self._wait():
                return True
            self._wake()

    def clean_up(self) -> None:
        """Clean up behind the resources that were set up, since the run ends in the middle of it: what was not over never will be."""
        for run in self._runs:
            step = run.step
            if not step.task.cleans_up or run.state is not PENDING:
                continue
            before = [self._runs[source].state for source in step.sources]
            if not all(state.is_successful() for state, edge in zip(before, step.edges, strict=True) if edge.key is not None):
                continue
            run.before = [state if state.is_finished() else Cancelled("Its run was interrupted.") for state in before]
            try:
                call = self._task_runner.begin(run)
                if call is not None:
                    self._task_runner.conclude(run, execute(call))
            except KeyboardInterrupt:  # what is cleaned up may have been interrupted, too, and say so
                get_logger("FlowRunner").warning("Task '%s' was interrupted.", run.name)

    def _start(self, run: TaskRun) -> None:
        step = run.step
        if run.map_index < 0 and step.sources and not run.before:
            runs = self._runs
            run.before = [runs[source].state for source in step.sources]
        if run.state is PENDING and self._take_up(run):
            self._settle(run)
        elif step.is_mapped and run.map_index < 0:
            self._map(run)
        else:
            call = self._task_runner.begin(run)
            if call is None:
                self._settle(run)
            else:
                self._submit(run, call)

    def _submit(self, run: TaskRun, call: TaskCall) -> None:
        try:
            self._executor.begin(run, call)
        except BaseException as error:  # no process or thread can be started, the cluster is gone, ...
            if is_interrupt(error):
                raise
            self._task_runner.conclude(run, Failed(f"The executor could not take the task: {shown(error)}", result=error))
            self._settle(run)
        else:
            self._in_flight += 1

    def _take_up(self, run: TaskRun) -> bool:
        """Put a task run where an earlier attempt left it, if one did; tell whether it is over or waits there."""
        left: State | None = None
        if self._known_states and run.map_index < 0:
            left = self._known_states.get(run.step.task)
        if left is None and self._recorder is not None:
            left = self._recorder.already_finished(run.step.slug, run.map_index)
            if isinstance(left, Mapped) and run.step.is_mapped and run.map_index < 0:
                return False  # it is not over before its children are; each of these is asked for
            if left is not None and (not left.is_finished() or not self._is_at_hand(left, run)):
                earlier = self._recorder.earlier(run.step.slug, run.map_index)
                run.run_count, run.resumed = earlier.run_count, run.resumed or earlier.resumed
                left = None if left.is_finished() else left
        if left is None:
            return False
        run.state = left
        if isinstance(left, Retrying):
            run.run_count = left.run_count
        return not isinstance(left, Resume)

    def _is_at_hand(self, left: State, run: TaskRun) -> bool:
        """Tell whether what an earlier attempt left can be had here: its value, if others take it, may lie on another machine."""
        if left._result.location is None or run.step.slug not in self._slugs_with_readers:  # noqa: SLF001
            return True
        try:
            left.load_result(run.step.task.result or self._flow_result)
        except BaseException as error:  # however reading it fails, the task can be executed again
            if is_interrupt(error):
                raise
            get_logger("FlowRunner").warning("Task '%s' is executed again: its result cannot be read (%s).", run.name, shown(error))
            return False
        return True

    def _map(self, parent: TaskRun) -> None:
        if self._task_runner.refuse_parent(parent):
            self._settle(parent)
            return
        children = states_of_children(parent.step.edges, parent.before)
        if isinstance(children, Failed):
            self._task_runner.conclude(parent, children)
            self._settle(parent)
            return
        parent.children = [TaskRun(parent.step, before, map_index=index, parent=parent) for index, before in enumerate(children)]
        if parent.resumed:
            for child in parent.children:  # who lets a mapped task go on means all of it
                child.resumed = True
        parent.unfinished = len(children)
        # Until they are over, their states are told by their number: the children of others follow them one by one.
        states: list[State] = [PENDING] * len(children)
        self._task_runner.conclude(parent, Mapped("Ready to proceed with mapping.", [], states, n_map_states=len(children)))
        if not children or not isinstance(parent.state, Mapped):
            self._settle(parent)
        elif parent.step.early:
            parent.released = True
            for follower in parent.step.early:
                self._unblock(follower)
        unfinished = [(number, self._runs[source]) for number, source in enumerate(parent.step.sources) if self._runs[source].released]
        for child in parent.children:
            if unfinished:
                self._follow(child, unfinished)
            if not child.waits_for:
                heapq.heappush(self._ready, (child.order, child))

    def _follow(self, child: TaskRun, sources: list[tuple[int, TaskRun]]) -> None:
        """Let a child wait for the children of other mapped tasks whose results it takes."""
        before = list(child.before)
        for number, source in sources:
            edge = child.step.edges[number]
            if not edge.mapped or edge.flattened:
                continue
            taken = source.children[child.map_index]
            if taken.is_over:
                before[number] = taken.state
                continue
            child.waits_for = [*(child.waits_for or ()), (number, taken)]
            taken.followers = [*(taken.followers or ()), child]
        child.before = before

    def _let_follow(self, run: TaskRun) -> None:
        for follower in run.followers or ():
            # Gone already, where it takes two results of the same child.
            if follower.waits_for is not None and all(taken.is_over for _, taken in follower.waits_for):
                follower.before = list(follower.before)
                for number, taken in follower.waits_for:
                    follower.before[number] = taken.state
                follower.waits_for = None
                heapq.heappush(self._ready, (follower.order, follower))
        run.followers = None

    def _take_outcome(self) -> None:
        seconds = min(self._seconds_until_next(), SLEEP_SECONDS_MAX) if self._waiting else None
        if self._paused and self._recorder is not None:
            seconds = STOP_CHECK_SECONDS if seconds is None else min(seconds, STOP_CHECK_SECONDS)
        taken = self._executor.next_outcome(seconds)
        if taken is None:
            return
        run, outcome = taken
        assert isinstance(run, TaskRun)
        self._in_flight -= 1
        self._task_runner.conclude(run, outcome)
        self._settle(run)

    def _settle(self, run: TaskRun) -> None:
        """Let what waited for this task run go on, if it is over; else note when it goes on itself."""
        # Nobody asks for these any more; kept for each of many tasks, they would be most of a run's memory.
        run.context = NO_CONTEXT
        state = run.state
        step = run.step
        if type(state) is Looped:
            heapq.heappush(self._ready, (run.order, run))
        elif not state.is_finished():
            if isinstance(state, Paused):
                self._paused[step.slug, run.map_index] = run
            if run.due is not None:
                heapq.heappush(self._waiting, (run.due, run.order, run))
        elif run.parent is not None:
            if run.followers is not None:
                self._let_follow(run)
            self._child_is_over(run.parent)
        else:
            for follower in step.after:
                if not (run.released and follower in step.early):
                    self._unblock(follower)

    def _unblock(self, position: int) -> None:
        self._blockers[position] -= 1
        if not self._blockers[position]:
            run = self._runs[position]
            heapq.heappush(self._ready, (run.order, run))

    def _child_is_over(self, parent: TaskRun) -> None:
        parent.unfinished -= 1
        if parent.unfinished or not isinstance(parent.state, Mapped):
            return
        states = [child.state for child in parent.children]
        # Known from here on, and no change that anybody has to hear of: the parent is Mapped since its children exist.
        parent.state = Mapped(parent.state.message, [state.result for state in states], map_states=states)
        self._settle(parent)

    def _seconds_until_next(self) -> float:
        return max(0.0, (self._waiting[0][0] - self._clock.now()).total_seconds())

    def _wake(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._clock.now():
            _, order, run = heapq.heappop(self._waiting)
            self._paused.pop((run.step.slug, run.map_index), None)
            heapq.heappush(self._ready, (order, run))

    def _take_resumed(self) -> None:
        """Let those paused task runs go on that somebody resumed meanwhile."""
        if self._recorder is None:
            return
        for key in self._recorder.resumed():
            run = self._paused.pop(key, None)
            if run is None:
                continue
            if run.due is not None:
                self._waiting = [entry for entry in self._waiting if entry[2] is not run]
                heapq.heapify(self._waiting)
            run.state = Resume("Somebody let it go on.")
            heapq.heappush(self._ready, (run.order, run))

    def _wait(self) -> bool:
        """Wait for the next task run that is due, or for a moment; False if there is none to wait for here."""
        if not self._waiting:
            return False
        seconds = self._seconds_until_next()
        if self._longest_wait is not None and seconds > self._longest_wait.total_seconds():
            return False
        self._clock.wait(min(seconds, SLEEP_SECONDS_MAX if self._recorder is None else STOP_CHECK_SECONDS))
        return True


def _result_of(flow: Flow) -> Result | None:
    return flow.result or (flow.storage.result if flow.storage is not None else None)


def _slugs_with_readers(flow: Flow) -> frozenset[str]:
    """Return the slugs of the tasks whose values other tasks take."""
    return frozenset(flow.slugs[edge.upstream_task] for edge in flow.edges if edge.key is not None)


def _sentence(message: str | None) -> str:
    """Return the message as the end of a line: without its capital and its full stop."""
    text = "" if message is None else shown(message, str).rstrip(".")
    return text[:1].lower() + text[1:]

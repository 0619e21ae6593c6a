"""The loop of one run: which task run goes on next, until none is left."""

from __future__ import annotations

import heapq
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from headwater.core.text import shown
from headwater.sdk.context.interrupts import is_interrupt
from headwater.sdk.context.logging import get_logger
from headwater.sdk.engine.clock import Clock
from headwater.sdk.engine.known_states import KnownStates
from headwater.sdk.engine.plan import plan_of
from headwater.sdk.engine.recorder import PriorAttempt, Recorder
from headwater.sdk.engine.task_run import NO_CONTEXT, PENDING, TaskRun
from headwater.sdk.engine.task_runner import TaskRunner
from headwater.sdk.executors.task_call import TaskCall, execute
from headwater.sdk.language.task import Task
from headwater.sdk.results import NoResult
from headwater.sdk.states.state import Cached, Cancelled, Failed, Looped, Mapped, Paused, Resume, Retrying, Running, State

if TYPE_CHECKING:
    from headwater.sdk.executors import Executor
    from headwater.sdk.language.flow import Flow

STOP_CHECK_SECONDS = 1.0
SLEEP_SECONDS_MAX = 86_400.0
"""No wait at once is longer: what the operating system is asked to wait for has an end."""


class RunLoop:
    """Runs the tasks of one run of a flow: which goes on next, until none is left that can."""

    def __init__(
        self,
        flow: Flow,
        task_runner: TaskRunner,
        executor: Executor,
        *,
        clock: Clock,
        recorder: Recorder | None,
        longest_wait: timedelta | None,
        known_states: KnownStates,
    ) -> None:
        self._task_runner = task_runner
        self._executor = executor
        self._clock = clock
        self._recorder = recorder
        self._longest_wait = longest_wait
        self._known_states = known_states
        # A local run that is given no states: no task run has to be looked for, which counts where there are many.
        self._nothing_is_known = recorder is None and not known_states
        self._flow_result = flow.result
        self._slugs_with_readers = slugs_with_readers(flow) if recorder is not None else frozenset()
        self._runs = [TaskRun(step) for step in plan_of(flow)]
        self._blockers = [run.step.before_count for run in self._runs]
        self._ready: list[tuple[tuple[int, int, int], TaskRun]] = [(run.order, run) for run in self._runs if not run.step.before_count]
        self._waiting: list[tuple[datetime, tuple[int, int, int], TaskRun]] = []
        self._paused: dict[tuple[str, int], TaskRun] = {}
        self._in_flight = 0

    def task_states(self) -> dict[Task, State]:
        return {run.step.task: run.state for run in self._runs}

    def advance(self) -> bool:
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
                    self._task_runner.finish(run, execute(call))
            except KeyboardInterrupt:  # what is cleaned up may have been interrupted, too, and say so
                get_logger("FlowRunner").warning("Task '%s' was interrupted.", run.name)

    def _start(self, run: TaskRun) -> None:
        step = run.step
        if run.map_index < 0 and step.sources and not run.before:
            runs = self._runs
            run.before = [runs[source].state for source in step.sources]
        if not self._nothing_is_known and run.state is PENDING and self._restore(run):
            self._complete(run)
        elif step.is_mapped and run.map_index < 0:
            self._map(run)
        else:
            call = self._task_runner.begin(run)
            if call is None:
                self._complete(run)
            else:
                self._submit(run, call)

    def _submit(self, run: TaskRun, call: TaskCall) -> None:
        try:
            self._executor.begin(run, call)
        except BaseException as error:  # no process or thread can be started, the cluster is gone, ...
            if is_interrupt(error):
                raise
            self._task_runner.finish(run, Failed(f"The executor could not take the task: {shown(error)}", result=error))
            self._complete(run)
        else:
            self._in_flight += 1

    def _restore(self, run: TaskRun) -> bool:
        """Put a task run where an earlier attempt, or the caller, left it, if one did; tell whether it is over or waits there."""
        left = self._known_states.of(run.step.task, run.map_index)
        if left is None and self._recorder is not None:
            left = self._left_by_earlier_attempt(self._recorder, run)
        if left is None or (isinstance(left, Mapped) and run.step.is_mapped and run.map_index < 0):
            return False  # a mapped task is not over before its children are; each of these is asked for
        if isinstance(left, Cached) and run.step.task.target is None and not self._task_runner.is_valid(run, left):
            return False
        run.state = left
        if isinstance(left, Retrying):
            run.run_count = left.run_count
        return left.is_finished() or run.due is not None or isinstance(left, Paused | Running)

    def _left_by_earlier_attempt(self, recorder: Recorder, run: TaskRun) -> State | None:
        left = recorder.already_finished(run.step.slug, run.map_index)
        if left is None or isinstance(left, Mapped):
            return left
        if left.is_finished() and not isinstance(left, Looped) and self._is_at_hand(left, run):
            return left
        self._continue_from(recorder.prior_attempt(run.step.slug, run.map_index), run)
        return None if left.is_finished() else left

    def _continue_from(self, prior: PriorAttempt, run: TaskRun) -> None:
        """Let a task run that is executed again, or goes on, count on from where an earlier attempt left it."""
        run.resumed = run.resumed or prior.resumed
        if prior.loop is None:
            run.run_count = prior.run_count
        elif prior.loop._result is not NoResult and self._is_at_hand(prior.loop, run, is_read=True):  # noqa: SLF001
            run.run_count = prior.run_count
            run.loop_count, run.loop_result = prior.loop.loop_count + 1, prior.loop.result
        # Else the loop begins again, with all of its retries: what its rounds came to is not there.

    def _is_at_hand(self, left: State, run: TaskRun, *, is_read: bool = False) -> bool:
        """Tell whether what an earlier attempt left can be had here: its value, if it is read, may lie on another machine."""
        known = left._result  # noqa: SLF001 - the state's other half
        if known.location is None or not (is_read or run.step.slug in self._slugs_with_readers):
            return True
        try:
            left.load_result(None if known.keeps_values else run.step.task.result or self._flow_result)
        except BaseException as error:  # however reading it fails, the task can be executed again
            if is_interrupt(error):
                raise
            get_logger("FlowRunner").warning("Task '%s' is executed again: its result cannot be read (%s).", run.name, shown(error))
            return False
        return True

    def _map(self, parent: TaskRun) -> None:
        states_before = self._task_runner.map(parent, self._known_states.number_of_children(parent.step.task))
        if not states_before or not isinstance(parent.state, Mapped):
            self._complete(parent)
            return
        parent.children = [TaskRun(parent.step, before, map_index=index, parent=parent) for index, before in enumerate(states_before)]
        parent.unfinished = len(parent.children)
        if parent.resumed:
            for child in parent.children:  # who lets a mapped task go on means all of it
                child.resumed = True
        if parent.step.early:
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
        self._task_runner.finish(run, outcome)
        self._complete(run)

    def _complete(self, run: TaskRun) -> None:
        """Let what waited for this task run go on, if it is over; else note when it goes on itself."""
        # Nothing asks for these any more; kept for each of many tasks, they would be most of a run's memory.
        run.context = NO_CONTEXT
        state = run.state
        step = run.step
        if type(state) is Looped:
            heapq.heappush(self._ready, (run.order, run))
        elif not state.is_finished():
            if isinstance(state, Paused):
                self._paused[step.slug, run.map_index] = run
            if isinstance(state, Resume):  # a handler let it go on
                heapq.heappush(self._ready, (run.order, run))
            elif run.due is not None:
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
        # Known from here on, and not a change that anything has to hear of: the parent is Mapped since its children exist.
        results = [state.result for state in states]
        parent.state = Mapped(parent.state.message, results, map_states=states, context=parent.state.context)
        self._complete(parent)

    def _seconds_until_next(self) -> float:
        return max(0.0, (self._waiting[0][0] - self._clock.now()).total_seconds())

    def _wake(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._clock.now():
            _, order, run = heapq.heappop(self._waiting)
            self._paused.pop((run.step.slug, run.map_index), None)
            heapq.heappush(self._ready, (order, run))

    def _take_resumed(self) -> None:
        """Let those paused task runs go on that a user resumed meanwhile."""
        if self._recorder is None:
            return
        for key in self._recorder.resumed():
            run = self._paused.pop(key, None)
            if run is None:
                continue
            if run.due is not None:
                self._waiting = [entry for entry in self._waiting if entry[2] is not run]
                heapq.heapify(self._waiting)
            run.state = Resume("A user let it go on.")
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


def slugs_with_readers(flow: Flow) -> frozenset[str]:
    """Return the slugs of the tasks whose values other tasks take."""
    return frozenset(flow.slugs[edge.upstream_task] for edge in flow.edges if edge.key is not None)

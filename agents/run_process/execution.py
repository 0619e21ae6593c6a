"""The execution of one attempt by the main thread of its process: the flow is loaded and run, and how that ended is recorded."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from datetime import UTC, timedelta
from types import FrameType
from typing import TYPE_CHECKING, Any

import msgspec

from headwater.agents.attempt_protocol import (
    FindCachedResults,
    FindRegisteredSlugs,
    FinishAttempt,
    LeftOver,
    RefuseAttempt,
    StartAttempt,
    StopAttempt,
    SuspendAttempt,
)
from headwater.agents.attempt_spec import AttemptSpec, wants_source
from headwater.agents.errors import AttemptFenced
from headwater.agents.failures import cut, failure_of
from headwater.agents.run_process import flow_loading
from headwater.agents.run_process.artifact_recorder import ArtifactRecorder
from headwater.agents.run_process.log_handler import LogLineHandler
from headwater.agents.run_process.result_caches import ResultCaches
from headwater.agents.run_process.run_exit import say
from headwater.agents.run_process.state_recorder import StateRecorder
from headwater.agents.run_process.supervisor_link import SupervisorGone, SupervisorLink
from headwater.agents.run_process.time_limits import AnnouncedTimeLimits
from headwater.core.errors import HeadwaterError
from headwater.core.program.line_format import LINE_FORMAT, TIME_FORMAT
from headwater.core.program.settings import RETRY_IN_PROCESS_SECONDS
from headwater.core.queries.rows import CachedResultRow
from headwater.core.runs.resume import format_task_run_key
from headwater.core.runs.state import Run
from headwater.core.runs.task_run import TaskRunKey
from headwater.core.text import shown
from headwater.sdk.context.context import context
from headwater.sdk.context.interrupts import is_interrupt
from headwater.sdk.context.logging import LineFormatter, StdoutHandler, add_handler, get_logger
from headwater.sdk.engine.children import children_of_this_run
from headwater.sdk.environments.errors import EnvironmentFailed
from headwater.sdk.executors import timeouts
from headwater.sdk.executors.artifacts import record_artifacts_with

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow
    from headwater.sdk.states.state import State

_NAMED_MAX = 3
_decode_slugs = msgspec.json.Decoder(list[str] | None).decode
_decode_results = msgspec.json.Decoder(list[CachedResultRow]).decode
_decode_left_over = msgspec.json.Decoder(LeftOver).decode


class Interruption:
    """What SIGTERM does: it ends the flow's code as Ctrl-C would, once, and never while the end is being recorded."""

    def __init__(self) -> None:
        self.came = False
        self._held_off = False
        self._forking = threading.local()
        signal.signal(signal.SIGTERM, self._on_signal)

    def spare_children(self) -> None:
        """Let SIGTERM end the processes that the flow's code forks from here on, as it ends others: none of them is the run."""
        os.register_at_fork(before=self._hold_back, after_in_parent=self._let_through, after_in_child=self._let_end)

    def _hold_back(self) -> None:
        # One that reached the child before it has let go of this handler would be lost.
        self._forking.mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    def _let_through(self) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._forking.mask)

    def _let_end(self) -> None:
        if signal.getsignal(signal.SIGTERM) == self._on_signal:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        self._let_through()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        first, self.came = not self.came, True
        if first and not self._held_off:
            raise KeyboardInterrupt

    def hold_off(self) -> None:
        """From here on only take note."""
        self._held_off = True


class Execution:
    """The execution of one attempt by the main thread. `load` returns the flow; by default what is stored is loaded."""

    def __init__(
        self, spec: AttemptSpec, link: SupervisorLink, run: Run, interruption: Interruption, *, load: Callable[[], Flow] | None = None
    ) -> None:
        self._spec = spec
        self._link = link
        self._attempt_run = run
        self._created = run.created
        self._interruption = interruption
        self._load = load or self._load_stored
        self._with_source = wants_source()
        if spec.show_logs:
            shown = StdoutHandler()
            shown.setFormatter(LineFormatter(LINE_FORMAT, TIME_FORMAT))
            add_handler(shown)
        add_handler(LogLineHandler(link.log, with_source=self._with_source))
        self._logger = get_logger("FlowRunner")

    def execute(self) -> bool:
        """Run the flow and record how it ended; tell whether that was done: where it was interrupted, others record that.

        Raises:
            AttemptFenced: the run is not this attempt's any more.

        """
        start = self._link.ask(StartAttempt())  # it is recorded while the flow is loaded
        try:
            flow = self._load()
        except BaseException as error:
            if is_interrupt(error) or isinstance(error, SupervisorGone | AttemptFenced):
                raise
            self._link.answer(start)
            return self._refuse(error)
        self._link.answer(start)
        return self._run(flow)

    def _load_stored(self) -> Flow:
        from headwater.sdk.storage.stored_code import load_to_execute

        created = self._created
        slugs = None if flow_loading.is_sealed(created.storage) else _decode_slugs(self._link.call(FindRegisteredSlugs()))
        return load_to_execute(flow_loading.reference_of(created.storage), slugs, flow_run_id=created.run_id)

    def _refuse(self, error: BaseException) -> bool:
        """Fail the run with the reason why it cannot be started."""
        message = f"The flow could not be loaded: {shown(error, str)}"
        if isinstance(error, HeadwaterError) and error.hint:
            message = f"{message} {error.hint}"
        cause = error.__cause__ or error if isinstance(error, HeadwaterError) else error
        self._logger.error("%s", message, exc_info=None if isinstance(cause, HeadwaterError) else cause)
        self._interruption.hold_off()
        message = cut(message)
        return self._end(RefuseAttempt(message, failure_of(cause, with_source=self._with_source)))

    def _run(self, flow: Flow) -> bool:
        from headwater.sdk.engine.flow_runner import FlowRunner

        link = self._link
        recorder = StateRecorder(
            link.record,
            self._attempt_run.task_runs,
            needed={flow.slugs[edge.upstream_task] for edge in flow.edges if edge.key is not None},
            stopping=lambda: self._interruption.came or link.is_gone,
            resumed=link.take_resumed,
            with_source=self._with_source,
        )
        record_artifacts_with(ArtifactRecorder(link.record, self._attempt_run.artifacts).take)
        timeouts.listen_to_time_limits(AnnouncedTimeLimits(self._created.run_id, flow, recorder, link))
        try:
            caches = ResultCaches(lambda key: _decode_results(link.call(FindCachedResults(key))))
            longest = timedelta(seconds=RETRY_IN_PROCESS_SECONDS.value())
            runner = FlowRunner(flow, recorder=recorder, caches=caches, longest_wait=longest)
            state = self._in_environment(flow, lambda: runner.run(self._created.parameters, context=self._context()))
        except SupervisorGone:
            raise
        except EnvironmentFailed as failed:
            self._logger.exception("What the environment of the flow calls raised an error.")
            if not self._interruption.came:
                return self._finish(failed=True, message=str(failed), error=failed.__cause__)
        except BaseException as error:
            if is_interrupt(error):
                raise
            self._logger.exception("The flow run ended by an unexpected error.")
            return self._finish(failed=True, message=f"Unexpected error while running the flow: {shown(error)}", error=error)
        finally:
            timeouts.listen_to_time_limits(None)
        if link.is_gone:
            raise SupervisorGone
        if self._interruption.came:
            self._interruption.hold_off()
            self._end(StopAttempt(tuple(children_of_this_run)))
            return False
        if state.is_finished():
            message = "" if state.message is None else shown(state.message, str)
            return self._finish(failed=not state.is_successful(), message=message)
        if recorder.next_due is not None or recorder.paused:
            return self._suspend(recorder)
        return self._finish(failed=True, message=_left_waiting(flow, state))

    def _in_environment(self, flow: Flow, run: Callable[[], State]) -> State:
        """Run, with what the flow's environment calls before and after it."""
        if flow.environment is None:
            return run()
        with context(self._context()):
            return flow.environment.around(run)

    def _suspend(self, recorder: StateRecorder) -> bool:
        """Leave the run until a task's retry is due, or a user resumes a task: no process waits for hours."""
        due, paused = recorder.next_due, recorder.paused
        if due is None:
            message = f"Paused: {_named(paused)} {'waits' if len(paused) == 1 else 'wait'} for a user to resume {_it(paused)}."
        else:
            first = recorder.first_due
            what = (
                f"the end of the pause of {format_task_run_key(first)}" if first is not None and first in paused else "the retry of a task"
            )
            message = f"Waiting for {what} at {due.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC."
        self._logger.info("%s This process ends; the run goes on in another one then.", message)
        self._interruption.hold_off()
        return self._end(SuspendAttempt(due, message, tuple(sorted(recorder.known_resumed))))

    def _finish(self, *, failed: bool, message: str, error: BaseException | None = None) -> bool:
        self._interruption.hold_off()
        failure = None if error is None else failure_of(error, with_source=self._with_source)
        return self._end(FinishAttempt(failed, cut(message), failure))

    def _end(self, request: FinishAttempt | SuspendAttempt | RefuseAttempt | StopAttempt) -> bool:
        """Have the end of the attempt stored, and say, where the agent shows it, what of the attempt never will be; return True."""
        left = _decode_left_over(self._link.call(request))
        for count, what in ((left.events, "changes of states"), (left.lines, "log lines")):
            if count:
                say(f"{count} {what} of this attempt could not be stored.")
        return True

    def _context(self) -> dict[str, Any]:
        created, run = self._created, self._attempt_run
        return {
            **created.context,
            "flow_id": created.flow_id,
            "flow_run_id": created.run_id,
            "flow_run_name": run.name,
            "flow_run_version": created.flow_version,
            "scheduled_start_time": run.scheduled_for,
            "project_id": created.project_id,
            "project_name": created.project_name,
            "attempt": self._spec.attempt,
            "running_with_backend": True,
            "checkpointing": True,
        }


def _left_waiting(flow: Flow, state: State) -> str:
    """Say which task runs a state handler, or a pause that cannot be recorded, left without an end."""
    results = state.result if isinstance(state.result, dict) else {}
    waiting = sorted(flow.slugs[task] for task, found in results.items() if not found.is_finished())
    return f"Task runs were left in states that nothing follows: {', '.join(waiting)}."


def _named(keys: list[TaskRunKey]) -> str:
    shown = ", ".join(format_task_run_key(key) for key in keys[:_NAMED_MAX])
    return f"{shown} and {len(keys) - _NAMED_MAX} more" if len(keys) > _NAMED_MAX else shown


def _it(keys: list[TaskRunKey]) -> str:
    return "it" if len(keys) == 1 else "them"

"""The process of one attempt of one run: `python -m headwater.agents.run_process`, or forked from a zygote.

The main thread loads the flow and runs it; a second thread talks to the log (`backstage`). The process ends with status 0 when the
attempt's end is recorded, or was none of its business; with another status the agent reads the log and decides.
"""

from __future__ import annotations

import atexit
import io
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from importlib import import_module
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec
from anyio.from_thread import BlockingPortal

from headwater.agents import flow_loading
from headwater.agents.attempt import AttemptOrder, wants_source
from headwater.agents.backstage import Backstage, open_backstage
from headwater.agents.beginning import ignore_terminals, report_not_begun, with_second_thread
from headwater.agents.bridge import BackstageGone
from headwater.agents.errors import AttemptFenced
from headwater.agents.failures import failure_of
from headwater.agents.launch_wire import LIFELINE_DESCRIPTOR, REPORT_DESCRIPTOR
from headwater.agents.launching import NO_THREAD, STATUS_INTERRUPTED, STATUS_NOT_BEGUN, Report
from headwater.agents.recorder import AttemptRecorder
from headwater.agents.result_caches import ResultCaches
from headwater.core.errors import HeadwaterError
from headwater.core.json_bytes import json_bytes
from headwater.core.rules.resume import spoken
from headwater.core.rules.task_run import TaskRunKey
from headwater.core.settings import RETRY_IN_PROCESS_SECONDS
from headwater.core.states import StateName
from headwater.core.text import shown
from headwater.engine import interrupts, timeouts
from headwater.engine.children import children_of_this_run
from headwater.engine.interrupts import is_interrupt
from headwater.utilities.configuration import config
from headwater.utilities.context import context
from headwater.utilities.logging import LINE_FORMAT, TIME_FORMAT, LineFormatter, StdoutHandler, add_handler, get_logger

if TYPE_CHECKING:
    from headwater.engine.state import State
    from headwater.graph.flow import Flow

STATUS_FAILED = 70
STATUS_UNREACHABLE = 75
_NAMED_MAX = 3
EXIT_SECONDS = 30
"""How long functions that the user's code registered for the end of the program may take."""

_NEEDED_LATER = (
    "anyio._backends._asyncio",
    "cloudpickle",
    "concurrent.futures.thread",
    "encodings.idna",
    "headwater.core.log.jetstream",
    "headwater.engine.cache_validators",
    "headwater.engine.flow_runner",
    "headwater.engine.serializers",
    "headwater.executors",
    "headwater.graph.flow",
    "headwater.run_configs",
    "headwater.storage.loading",
    "headwater.tasks.control_flow",
    "headwater.tasks.core.collections",
    "headwater.tasks.core.constants",
    "headwater.tasks.core.function",
    "headwater.tasks.core.operators",
    "headwater.tasks.core.parameter",
    "headwater.triggers",
    "headwater.utilities.pickling",
    "headwater.utilities.tasks",
    "tomllib",
)


def warm_up() -> None:
    """Import all that `main` will need, and connect to nothing."""
    for module in _NEEDED_LATER:
        import_module(module)


class Interruption:
    """What SIGTERM does: it ends the flow's code as Ctrl-C would, once, and never while the end is being recorded."""

    def __init__(self) -> None:
        self.came = False
        self._held_off = False
        signal.signal(signal.SIGTERM, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        first, self.came = not self.came, True
        if first and not self._held_off:
            raise KeyboardInterrupt

    def hold_off(self) -> None:
        """From here on only take note."""
        self._held_off = True


def main() -> int:
    """Execute the attempt that the environment names, and return the process's exit status."""
    return with_second_thread(execute)


def execute(portal: BlockingPortal) -> int:
    """Execute the attempt that the environment names, with its second thread in the portal; return the process's exit status."""
    started = datetime.now(UTC)
    order = AttemptOrder.from_environment()
    # A zygote may have read it before this run's own variables were set.
    config.forget()
    _prepare_process(order)
    interruption = Interruption()
    interrupts.tell_apart(lambda: interruption.came)
    process_id = os.getpid()
    try:
        with portal.wrap_async_context_manager(open_backstage(order, on_stop=_end_the_flow)) as backstage:
            try:
                report = _Attempt(order, backstage, interruption).execute()
            except BackstageGone as gone:
                _abandon(gone, backstage, process_id)
            if report is None:
                return STATUS_INTERRUPTED
            # All is in the log: taking the thread and the connection down in order would only cost time.
            _tell_what_is_lost(backstage)
            _hand_in(report, order, started)
            leave(0)
    except AttemptFenced as fenced:
        _hand_in(Report(fenced=True, message=str(fenced)), order, started)
        return 0
    except KeyboardInterrupt:
        return STATUS_INTERRUPTED
    except HeadwaterError as error:
        _say(str(error))
        return STATUS_UNREACHABLE
    except RuntimeError as error:
        if NO_THREAD not in str(error):
            raise
        report_not_begun(error)  # the name of the server cannot be looked up without one; what the flow does is judged elsewhere
        return STATUS_NOT_BEGUN


def _abandon(gone: BackstageGone, backstage: Backstage, process_id: int) -> NoReturn:
    """End this process, whose other thread is gone: waiting for that one would have no end."""
    if os.getpid() != process_id:
        os._exit(STATUS_FAILED)  # a child that a task forked, and that came back from it as if it were the run
    _tell_what_is_lost(backstage)
    _say(str(gone))
    leave(STATUS_FAILED)


def _hand_in(report: Report, order: AttemptOrder, started: datetime) -> None:
    if order.supervised:
        duration = (datetime.now(UTC) - started).total_seconds()
        # Without a report, which needs a descriptor that the flow's code may have closed, the agent reads the log.
        with suppress(OSError):
            os.write(REPORT_DESCRIPTOR, json_bytes(msgspec.structs.replace(report, duration_seconds=duration)) + b"\n")


def _tell_what_is_lost(backstage: Backstage) -> None:
    """Say, where the agent shows it, what never came into the log."""
    for left, what in ((backstage.record.left, "changes of states"), (backstage.shipper.left, "log lines")):
        if left:
            _say(f"{left} {what} of this attempt could not be stored.")


def _say(sentence: str) -> None:
    """Write a sentence for the agent's output. The flow's code may have closed or replaced what Python writes to."""
    with suppress(OSError):
        os.write(2, f"{sentence}\n".encode(errors="backslashreplace"))


class _Attempt:
    """One attempt, seen from the main thread."""

    def __init__(self, order: AttemptOrder, backstage: Backstage, interruption: Interruption) -> None:
        self._order = order
        self._call = backstage.bridge.call
        self._backstage = backstage
        self._interruption = interruption
        self._with_source = wants_source()
        if order.show_logs:
            shown = StdoutHandler()
            shown.setFormatter(LineFormatter(LINE_FORMAT, TIME_FORMAT))
            add_handler(shown)
        add_handler(backstage.shipper)
        self._logger = get_logger("FlowRunner")

    def execute(self) -> Report | None:
        """Run the flow and record how it ended; None where it was interrupted and others record that.

        Raises:
            AttemptFenced: the run is not this attempt's any more.

        """
        try:
            flow = self._load()
        except BaseException as error:
            if is_interrupt(error) or isinstance(error, BackstageGone | AttemptFenced):
                raise
            return self._refuse(error)
        self._call(self._backstage.start)
        return self._run(flow)

    def _load(self) -> Flow:
        from headwater.storage.loading import load_flow

        created = self._backstage.created
        slugs = None if flow_loading.is_sealed(created.storage) else self._call(self._backstage.registered_slugs)
        with context({"flow_run_id": created.run_id}):
            return load_flow(flow_loading.reference_of(created.storage), slugs)

    def _refuse(self, error: BaseException) -> Report:
        """Fail the run with the reason why it cannot be started."""
        message = f"The flow could not be loaded: {shown(error, str)}"
        if isinstance(error, HeadwaterError) and error.hint:
            message = f"{message} {error.hint}"
        cause = error.__cause__ or error if isinstance(error, HeadwaterError) else error
        self._logger.error("%s", message, exc_info=None if isinstance(cause, HeadwaterError) else cause)
        self._interruption.hold_off()
        self._call(self._backstage.refuse, message, failure_of(cause, with_source=self._with_source))
        return Report(state=StateName.FAILED.value, message=message)

    def _run(self, flow: Flow) -> Report | None:
        from headwater.engine.flow_runner import FlowRunner

        backstage = self._backstage
        recorder = AttemptRecorder(
            backstage.record.record,
            backstage.run.task_runs,
            needed={flow.slugs[edge.upstream_task] for edge in flow.edges if edge.key is not None},
            stopping=lambda: backstage.record.stopping or self._interruption.came or backstage.bridge.is_gone(),
            resumed=backstage.resumptions.take,
            with_source=self._with_source,
        )
        timeouts.on_stuck(lambda context, seconds: self._end_stuck(flow, recorder, context, seconds))
        try:
            caches = ResultCaches(lambda key: self._call(backstage.cached_results, key))
            longest = timedelta(seconds=RETRY_IN_PROCESS_SECONDS.value())
            runner = FlowRunner(flow, recorder=recorder, caches=caches, longest_wait=longest)
            state = runner.run(backstage.created.parameters, context=self._context())
        except BackstageGone:
            raise
        except BaseException as error:
            if is_interrupt(error):
                raise
            self._logger.exception("The flow run ended by an unexpected error.")
            return self._finish(failed=True, message=f"Unexpected error while running the flow: {shown(error)}", error=error)
        if backstage.bridge.is_gone():
            raise BackstageGone
        if backstage.record.stopping or self._interruption.came:
            self._interruption.hold_off()
            if children_of_this_run:
                self._call(backstage.cancel_children, frozenset(children_of_this_run))
            self._call(backstage.flush)
            return None
        if state.is_finished():
            return self._finish(failed=not state.is_successful(), message=state.message or "")
        if recorder.next_due is not None or recorder.paused:
            return self._park(recorder)
        return self._finish(failed=True, message=_left_waiting(flow, state))

    def _end_stuck(self, flow: Flow, recorder: AttemptRecorder, context: dict[str, Any], seconds: float) -> NoReturn:
        """End this process, in whose main thread a task has run out of time and cannot be interrupted; others of the run go on in another.

        Called in a thread of its own.
        """
        from headwater.engine import rules
        from headwater.engine.state import Running, TimedOut

        slug, run_count = context["task_slug"], context["task_run_count"]
        task = next(task for task, known in flow.slugs.items() if known == slug)
        message = (
            f"Task {context['task_full_name']!r} took longer than {seconds:g} s and could not be interrupted, so its process was ended."
        )
        _say(message)
        self._logger.error("%s", message)
        timed_out = TimedOut(message)
        state = rules.retry(task, timed_out, run_count, datetime.now(UTC)) or timed_out
        try:
            recorder.task_run_changed(slug, context["map_index"], Running(), state, run_count)
            self._interruption.hold_off()
            self._call(self._backstage.park, datetime.now(UTC), message, recorder.known_resumed)
            _hand_in(Report(message=message), self._order, datetime.now(UTC))
            os._exit(0)
        finally:
            os._exit(STATUS_FAILED)

    def _park(self, recorder: AttemptRecorder) -> Report:
        """Leave the run until a task's retry is due, or somebody resumes a task: no process waits for hours."""
        due, paused = recorder.next_due, recorder.paused
        if due is None:
            message = f"Paused: {_named(paused)} {'waits' if len(paused) == 1 else 'wait'} for somebody to resume {_it(paused)}."
        else:
            first = recorder.first_due
            what = f"the end of the pause of {spoken(first)}" if first is not None and first in paused else "the retry of a task"
            message = f"Waiting for {what} at {due.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC."
        self._logger.info("%s This process ends; the run goes on in another one then.", message)
        self._interruption.hold_off()
        self._call(self._backstage.park, due, message, recorder.known_resumed)
        return Report(message=message)

    def _finish(self, *, failed: bool, message: str, error: BaseException | None = None) -> Report:
        self._interruption.hold_off()
        failure = None if error is None else failure_of(error, with_source=self._with_source)

        async def finish() -> None:
            await self._backstage.finish(failed=failed, message=message, failure=failure)

        self._call(finish)
        return Report(state=(StateName.FAILED if failed else StateName.SUCCESS).value, message=message)

    def _context(self) -> dict[str, Any]:
        created, run = self._backstage.created, self._backstage.run
        return {
            **created.context,
            "flow_id": created.flow_id,
            "flow_run_id": created.run_id,
            "flow_run_name": run.name,
            "flow_run_version": created.version,
            "scheduled_start_time": run.start_time,
            "project_id": created.project_id,
            "project_name": created.project_name,
            "attempt": self._order.attempt,
            "running_with_backend": True,
            "checkpointing": True,
        }


def _left_waiting(flow: Flow, state: State) -> str:
    """Say which task runs a state handler, or a pause that nobody can hear of, left without an end."""
    results = state.result if isinstance(state.result, dict) else {}
    waiting = sorted(flow.slugs[task] for task, found in results.items() if not found.is_finished())
    return f"Task runs were left in states that nothing follows: {', '.join(waiting)}."


def _named(keys: list[TaskRunKey]) -> str:
    shown = ", ".join(spoken(key) for key in keys[:_NAMED_MAX])
    return f"{shown} and {len(keys) - _NAMED_MAX} more" if len(keys) > _NAMED_MAX else shown


def _it(keys: list[TaskRunKey]) -> str:
    return "it" if len(keys) == 1 else "them"


def _end_the_flow() -> None:
    """Interrupt the main thread, wherever it is."""
    os.kill(os.getpid(), signal.SIGTERM)


def _prepare_process(order: AttemptOrder) -> None:
    if order.supervised:
        for descriptor in (LIFELINE_DESCRIPTOR, REPORT_DESCRIPTOR):
            os.set_inheritable(descriptor, False)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # into a pipe, lines would wait for thousands of others
    if not os.environ.get("PYTHONSAFEPATH"):
        # As `python -m` does it, unless Python was told not to: modules in the working directory are found first.
        sys.path.insert(0, os.getcwd())  # noqa: PTH109 - a text


def leave(status: int) -> NoReturn:
    """End this process now, with what must be done at exit done. Threads the flow left behind are not waited for."""
    finish: Callable[[], object]
    for finish in (_end_in_any_case, atexit._run_exitfuncs, lambda: sys.stdout.flush(), lambda: sys.stderr.flush()):  # noqa: SLF001, PLW0108 - nothing public runs them early; what there is to flush is the user's
        try:
            finish()
        except BaseException:  # noqa: BLE001 - the user's own exit functions; the process ends all the same
            with suppress(BaseException):
                sys.excepthook(*sys.exc_info())
    os._exit(status)


def _end_in_any_case() -> None:
    """Have the kernel end this process soon, whatever the functions do that the user's code registered for its end."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
    signal.alarm(EXIT_SECONDS)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    ignore_terminals()
    leave(main())

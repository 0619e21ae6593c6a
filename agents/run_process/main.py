"""The process of one attempt of one run: `python -m headwater.agents.run_process`, or forked from a zygote.

The main thread loads the flow and runs it; a second thread talks to the log (`session`). The process ends with status 0 when the
attempt's end is recorded, or was not its own to record; with another status the agent reads the log and decides.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from datetime import UTC, datetime
from importlib import import_module
from types import ModuleType

from anyio.from_thread import BlockingPortal

from headwater.agents.attempt_spec import AttemptSpec
from headwater.agents.errors import AttemptFenced
from headwater.agents.launcher import NO_THREAD, STATUS_INTERRUPTED, STATUS_NOT_BEGUN, AttemptReport
from headwater.agents.launcher_protocol import LIFELINE_DESCRIPTOR, REPORT_DESCRIPTOR
from headwater.agents.run_process.bridge import RunSessionGone
from headwater.agents.run_process.execution import Execution, Interruption
from headwater.agents.run_process.run_exit import abandon, hand_in, leave, say, tell_what_is_lost
from headwater.agents.run_process.run_session import open_run_session
from headwater.agents.run_process.run_start import report_not_begun, with_second_thread
from headwater.core.errors import HeadwaterError
from headwater.sdk.context import interrupts
from headwater.sdk.context.configuration import config

STATUS_UNREACHABLE = 75

_NEEDED_LATER = (
    "anyio._backends._asyncio",
    "cloudpickle",
    "concurrent.futures.thread",
    "encodings.idna",
    "headwater.core.log.jetstream",
    "headwater.core.operations.run_creation",
    "headwater.core.operations.runs",
    "headwater.sdk.context.pickling",
    "headwater.sdk.engine.flow_runner",
    "headwater.sdk.executors",
    "headwater.sdk.executors.configured",
    "headwater.sdk.language.cache_validators",
    "headwater.sdk.language.collections",
    "headwater.sdk.language.conditional",
    "headwater.sdk.language.constants",
    "headwater.sdk.language.decorators",
    "headwater.sdk.language.flow",
    "headwater.sdk.language.function",
    "headwater.sdk.language.operator_tasks",
    "headwater.sdk.language.parameter",
    "headwater.sdk.language.triggers",
    "headwater.sdk.results.serializers",
    "headwater.sdk.run_configs",
    "headwater.sdk.storage.stored_code",
    "tomllib",
)


def warm_up() -> None:
    """Import all that `main` will need, and connect to nothing."""
    for module in _NEEDED_LATER:
        import_module(module)


def main() -> int:
    """Execute the attempt that the environment names, and return the process's exit status."""
    return with_second_thread(execute)


def execute(portal: BlockingPortal) -> int:
    """Execute the attempt that the environment names, with its second thread in the portal; return the process's exit status."""
    started = datetime.now(UTC)
    spec = AttemptSpec.from_environment()
    # A zygote may have read it before this run's own variables were set.
    config.reload()
    _prepare_process(spec)
    interruption = Interruption()
    interruption.spare_children()
    interrupts.tell_apart(lambda: interruption.came)
    process_id = os.getpid()
    try:
        with portal.wrap_async_context_manager(open_run_session(spec, on_stop=_end_the_flow)) as session:
            try:
                report = Execution(spec, session, interruption).execute()
            except RunSessionGone as gone:
                abandon(gone, session, process_id)
            if report is None:
                return STATUS_INTERRUPTED
            # All is in the log: taking the thread and the connection down in order would only cost time.
            tell_what_is_lost(session)
            hand_in(report, spec, started)
            leave(0)
    except AttemptFenced as fenced:
        hand_in(AttemptReport(fenced=True, message=str(fenced)), spec, started)
        return 0
    except KeyboardInterrupt:
        return STATUS_INTERRUPTED
    except HeadwaterError as error:
        say(str(error))
        return STATUS_UNREACHABLE
    except RuntimeError as error:
        if NO_THREAD not in str(error):
            raise
        report_not_begun(error)  # the name of the server cannot be looked up without one; what the flow does is judged elsewhere
        return STATUS_NOT_BEGUN


def _end_the_flow() -> None:
    """Interrupt the main thread, wherever it is."""
    os.kill(os.getpid(), signal.SIGTERM)


def _prepare_process(spec: AttemptSpec) -> None:
    if spec.supervised:
        for descriptor in (LIFELINE_DESCRIPTOR, REPORT_DESCRIPTOR):
            os.set_inheritable(descriptor, False)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # into a pipe, lines would wait for thousands of others
    # Not the program of the zygote's: processes that a task starts would execute it, and scripts would read its arguments.
    sys.modules["__main__"] = ModuleType("__main__")
    sys.argv[1:] = []
    if not os.environ.get("PYTHONSAFEPATH"):
        # As `python -m` does it, unless Python was told not to: modules in the working directory are found first.
        sys.path.insert(0, os.getcwd())  # noqa: PTH109 - a text

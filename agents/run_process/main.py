"""The process of one attempt of one run: `python -m headwater.agents.run_process`, or forked from a zygote.

Its main thread loads the flow and runs it; what is to be recorded goes to its supervisor (`supervisor_link`). The process ends with
status 0 when the attempt's end is recorded, or was not its own to record; with another status the agent reads the log and decides.
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from importlib import import_module
from types import ModuleType

from headwater.agents.attempt_channel import channel_of
from headwater.agents.attempt_protocol import SESSION_DESCRIPTOR
from headwater.agents.attempt_spec import AttemptSpec
from headwater.agents.errors import AttemptFenced
from headwater.agents.launcher import STATUS_INTERRUPTED
from headwater.agents.run_process.briefed_run import run_in
from headwater.agents.run_process.execution import Execution, Interruption
from headwater.agents.run_process.run_exit import STATUS_FAILED, leave, say
from headwater.agents.run_process.supervised_log import SupervisedLog
from headwater.agents.run_process.supervisor_link import SupervisorGone, SupervisorLink
from headwater.core.errors import HeadwaterError
from headwater.core.log.protocol import Log
from headwater.core.program.settings import ConnectionSettings
from headwater.sdk.client import log_source
from headwater.sdk.context import interrupts
from headwater.sdk.context.configuration import config

STATUS_UNREACHABLE = 75

_NEEDED_LATER = (
    "anyio._backends._asyncio",
    "cloudpickle",
    "concurrent.futures.thread",
    "encodings.idna",
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
    spec = AttemptSpec.from_environment()
    # A zygote may have read it before this run's own variables were set.
    config.reload()
    _prepare_process()
    interruption = Interruption()
    interruption.spare_children()
    interrupts.tell_apart(lambda: interruption.came)
    process_id = os.getpid()
    try:
        link = SupervisorLink(channel_of(SESSION_DESCRIPTOR))
        log_source.take_logs_from(lambda settings: _log_of(settings, spec, link))
        run = run_in(link.begin())
        if not run.held or run.attempt != spec.attempt:
            return 0  # its supervisor knows
        is_recorded = Execution(spec, link, run, interruption).execute()
    except SupervisorGone as gone:
        if os.getpid() == process_id:
            say(str(gone))
            leave(STATUS_FAILED)
        os._exit(STATUS_FAILED)  # a child that a task forked, and that came back from it as if it were the run
    except AttemptFenced:
        return 0
    except KeyboardInterrupt:
        return STATUS_INTERRUPTED
    except (HeadwaterError, OSError) as error:
        say(str(error))
        return STATUS_UNREACHABLE
    return 0 if is_recorded else STATUS_INTERRUPTED


def _log_of(settings: ConnectionSettings, spec: AttemptSpec, link: SupervisorLink) -> Log | None:
    """Return the log that the supervisor has, to those who want that one. A process that a task forked has no supervisor."""
    if link.is_gone or (settings.nats_url, settings.key) != (spec.nats_url, spec.key):
        return None
    return SupervisedLog(link, settings.nats_url)


def _prepare_process() -> None:
    with suppress(OSError):  # there is none, as is said later
        os.set_inheritable(SESSION_DESCRIPTOR, False)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # into a pipe, lines would wait for thousands of others
    # Not the program of the zygote's: processes that a task starts would execute it, and scripts would read its arguments.
    sys.modules["__main__"] = ModuleType("__main__")
    sys.argv[1:] = []
    if not os.environ.get("PYTHONSAFEPATH"):
        # As `python -m` does it, unless Python was told not to: modules in the working directory are found first.
        sys.path.insert(0, os.getcwd())  # noqa: PTH109 - a text

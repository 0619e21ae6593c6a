"""How the process of a run ends: what it tells its agent, what it says of what was lost, and its exit, which nothing holds up."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import NoReturn

import msgspec

from headwater.agents.attempt_spec import AttemptSpec
from headwater.agents.launcher import AttemptReport
from headwater.agents.launcher_protocol import REPORT_DESCRIPTOR
from headwater.agents.run_process.bridge import RunSessionGone
from headwater.agents.run_process.run_session import RunSession
from headwater.core.values.json_bytes import json_bytes

STATUS_FAILED = 70
EXIT_SECONDS = 30
"""How long functions that the user's code registered for the end of the program may take."""


def abandon(gone: RunSessionGone, session: RunSession, process_id: int) -> NoReturn:
    """End this process, whose other thread is gone: waiting for that one would have no end."""
    if os.getpid() != process_id:
        os._exit(STATUS_FAILED)  # a child that a task forked, and that came back from it as if it were the run
    tell_what_is_lost(session)
    say(str(gone))
    leave(STATUS_FAILED)


def hand_in(report: AttemptReport, spec: AttemptSpec, started: datetime) -> None:
    """Tell the agent how the attempt ended, where there is one."""
    if spec.supervised:
        duration = (datetime.now(UTC) - started).total_seconds()
        # Without a report, which needs a descriptor that the flow's code may have closed, the agent reads the log.
        with suppress(OSError):
            os.write(REPORT_DESCRIPTOR, json_bytes(msgspec.structs.replace(report, duration_seconds=duration)) + b"\n")


def tell_what_is_lost(session: RunSession) -> None:
    """Say, where the agent shows it, what never came into the log."""
    for left, what in ((session.record.left, "changes of states"), (session.shipper.left, "log lines")):
        if left:
            say(f"{left} {what} of this attempt could not be stored.")


def say(sentence: str) -> None:
    """Write a sentence for the agent's output. The flow's code may have closed or replaced what Python writes to."""
    with suppress(OSError):
        os.write(2, f"{sentence}\n".encode(errors="backslashreplace"))


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

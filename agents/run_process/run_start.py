"""The start of a run's process: it ignores the signals of terminals and starts its second thread, or ends.

Where no thread is to be had, nothing of the attempt begins: the process says so to its agent, who gives the run back.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import ExitStack, suppress

import msgspec
from anyio.from_thread import BlockingPortal, start_blocking_portal

from headwater.agents.attempt_spec import AttemptSpec
from headwater.agents.launcher import STATUS_NOT_BEGUN, AttemptReport
from headwater.agents.launcher_protocol import REPORT_DESCRIPTOR
from headwater.agents.shortages import shortage
from headwater.core.errors import HeadwaterError

TERMINAL_SIGNALS = (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
"""What a terminal sends to all that was started in it. Whether its runs end is for the agent to say, and it says so by SIGTERM."""


def ignore_terminals() -> None:
    """Do nothing on signals of terminals. Programs that are started from here have what is usual for them."""
    for number in TERMINAL_SIGNALS:
        signal.signal(number, lambda _number, _frame: None)  # what is ignored by SIG_IGN stays ignored in a new program


def with_second_thread(work: Callable[[BlockingPortal], int]) -> int:
    """Do the work with a second thread, in which an event loop runs, and return its exit status; STATUS_NOT_BEGUN without that thread."""
    with ExitStack() as stack:
        try:
            portal = stack.enter_context(start_blocking_portal())
        except (RuntimeError, OSError, MemoryError) as error:
            report_not_begun(error)
            return STATUS_NOT_BEGUN
        return work(portal)


def report_not_begun(error: BaseException) -> None:
    """Tell the agent that nothing of the attempt has begun, and what was missing."""
    with suppress(HeadwaterError, OSError):  # no agent's process, or a spare one that has no order yet
        if AttemptSpec.from_environment().supervised:
            os.write(REPORT_DESCRIPTOR, msgspec.json.encode(AttemptReport(not_begun=shortage(error))) + b"\n")

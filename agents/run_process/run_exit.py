"""How the process of a run ends: what it says last, and its exit, which nothing holds up."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

STATUS_FAILED = 70
EXIT_SECONDS = 30
"""How long functions that the user's code registered for the end of the program may take."""


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

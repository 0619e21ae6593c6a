"""The start of a run's process: it ignores the signals of terminals."""

from __future__ import annotations

import signal

TERMINAL_SIGNALS = (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
"""What a terminal sends to all that was started in it. Whether its runs end is for the agent to say, and it says so by SIGTERM."""


def ignore_terminals() -> None:
    """Do nothing on signals of terminals. Programs that are started from here have what is usual for them."""
    for number in TERMINAL_SIGNALS:
        signal.signal(number, lambda _number, _frame: None)  # what is ignored by SIG_IGN stays ignored in a new program

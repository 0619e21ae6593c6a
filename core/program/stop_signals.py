"""The signals that tell a server or an agent to stop."""

from __future__ import annotations

import signal


def stop_signals() -> list[signal.Signals]:
    """Return the signals that tell this process to stop. A closed terminal does, unless its parent had that ignored (`nohup`)."""
    hang_up = [signal.SIGHUP] if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN else []
    return [signal.SIGINT, signal.SIGTERM, *hang_up]

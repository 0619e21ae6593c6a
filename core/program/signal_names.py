"""The names of signals, as messages show them."""

from __future__ import annotations

import signal


def signal_name(number: int) -> str:
    """Return the name of the signal. Most real-time signals have none of their own."""
    return signal.Signals(number).name if number in set(signal.Signals) else "a real-time signal"

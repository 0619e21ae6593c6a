"""How long an agent that ends waits for a log that takes nothing: a while, and never for ever. What is not recorded then, leases settle."""

from __future__ import annotations

import time

import anyio

SHUTDOWN_SECONDS = 5.0
"""How long the last words of an agent may take."""


class ShutdownDeadline:
    """The end of an agent's patience. It begins when nothing is executed here any more and the agent is to end, and is over in seconds."""

    def __init__(self) -> None:
        self._deadline: float | None = None
        self._changed = anyio.Event()

    def begin(self, seconds: float = SHUTDOWN_SECONDS) -> None:
        """Let it be over in so many seconds, or before where that was said before."""
        deadline = time.monotonic() + seconds
        if self._deadline is None or deadline < self._deadline:
            self._deadline = deadline
            changed, self._changed = self._changed, anyio.Event()
            changed.set()

    def left(self, at_most: float) -> float:
        """Return how many seconds the log may take for something, of `at_most`."""
        return at_most if self._deadline is None else max(0.0, min(at_most, self._deadline - time.monotonic()))

    async def over(self) -> None:
        """Return when it is over."""
        while self._deadline is None or self._deadline > time.monotonic():
            with anyio.move_on_after(None if self._deadline is None else self._deadline - time.monotonic()):
                await self._changed.wait()

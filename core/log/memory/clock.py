"""Time for the log in memory: the machine's, or one that a simulation moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from headwater.core.log.mailbox import Mailbox


class MemoryClock(Protocol):
    """Where the log takes its time from."""

    def now(self) -> datetime:
        """Return the time, in UTC."""
        ...

    async def wait(self, mailbox: Mailbox[Any], until: datetime | None) -> None:
        """Return when the mailbox is woken, or at `until`."""
        ...


class SteadyClock:
    """The machine's time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def wait(self, mailbox: Mailbox[Any], until: datetime | None) -> None:
        await mailbox.wait(None if until is None else (until - self.now()).total_seconds())


class ManualClock:
    """Time that stands still until it is moved."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = start
        self._waiting: list[Mailbox[Any]] = []

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        """Move the time on; everything that waits for a moment looks whether it has come."""
        self._now += timedelta(seconds=seconds)
        for mailbox in tuple(self._waiting):
            mailbox.wake()

    async def wait(self, mailbox: Mailbox[Any], until: datetime | None) -> None:
        if until is not None and until <= self._now:
            return
        self._waiting.append(mailbox)
        try:
            await mailbox.wait()
        finally:
            self._waiting.remove(mailbox)

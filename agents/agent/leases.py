"""Renews the work items that an agent holds. It does so from the agent's own loop, whatever the runs' code is busy with."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus

from headwater.core.errors import LogError
from headwater.core.log.protocol import Delivery

RENEWALS_PER_LEASE = 6

_log = logging.getLogger(__name__)


class Leases:
    """The deliveries in hand. Each is renewed six times a lease until it is let go; with none in hand, nothing happens."""

    def __init__(self, lease_seconds: float) -> None:
        self.lease_seconds = lease_seconds
        self._interval = lease_seconds / RENEWALS_PER_LEASE
        self._in_hand: set[Delivery] = set()
        self._some = anyio.Event()

    def add(self, delivery: Delivery) -> None:
        self._in_hand.add(delivery)
        self._some.set()

    def remove(self, delivery: Delivery) -> None:
        self._in_hand.discard(delivery)

    @contextmanager
    def keeping(self, delivery: Delivery) -> Iterator[None]:
        """Renew the delivery during the block."""
        self.add(delivery)
        try:
            yield
        finally:
            self.remove(delivery)

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Renew until cancelled."""
        task_status.started()
        while True:
            if not self._in_hand:
                self._some = anyio.Event()
                await self._some.wait()
            await anyio.sleep(self._interval)
            for delivery in tuple(self._in_hand):
                try:
                    await delivery.extend()
                except LogError as error:
                    # It may be offered to others meanwhile; they will ask us, and hear that we have it.
                    _log.debug("%r cannot be renewed now: %s", delivery, error)

"""The runs that an agent holds: claimed, and not yet over or given up."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime

import anyio

from headwater.agents.agent.capacity import Slot
from headwater.agents.agent.leases import Leases
from headwater.agents.launcher import ChildProcess
from headwater.core.events import RunCreated
from headwater.core.log.commit import Position
from headwater.core.log.protocol import Delivery


@dataclass(eq=False)
class HeldRun:
    """One attempt in this agent's hands."""

    created: RunCreated
    name: str
    attempt: int
    slot: Slot
    deliveries: dict[datetime, Delivery] = field(default_factory=dict)
    """The items it lives on, by the time they were offered: the newest handle of each."""
    process: ChildProcess | None = None
    starts_failed: int = 0
    """How many starts had failed here before that of its process."""
    releasing: bool = False
    seen: Position = 0
    """Up to which commit on the run others than the attempt were looked for."""
    told: anyio.Event = field(default_factory=anyio.Event)
    """Set when another program says that the attempt must end."""


class HeldRuns:
    """What this agent holds, by run."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        self._held: dict[str, HeldRun] = {}

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[HeldRun]:
        return iter(tuple(self._held.values()))

    def attempts(self, run_id: str) -> AbstractSet[int]:
        """Return the attempts of the run that are held here: one or none."""
        held = self._held.get(run_id)
        return frozenset() if held is None else {held.attempt}

    def holds(self, run_id: str, attempt: int) -> bool:
        return attempt in self.attempts(run_id)

    def tell(self, run_id: str, attempt: int) -> None:
        """Let the attempt's supervision look at the log, if the attempt is held here."""
        if self.holds(run_id, attempt):
            self._held[run_id].told.set()

    def begin(self, held: HeldRun, delivery: Delivery) -> None:
        """Count the run as held, from before its claim is sent: an agent that asks meanwhile gets yes."""
        assert held.created.run_id not in self._held
        self._held[held.created.run_id] = held
        held.deliveries[delivery.offered_at] = delivery

    def attach(self, run_id: str, delivery: Delivery) -> None:
        """Live on this item too: it is a newer handle of the one we have, or another copy."""
        held = self._held[run_id]
        older = held.deliveries.get(delivery.offered_at)
        if older is not None:
            self._leases.remove(older)
        held.deliveries[delivery.offered_at] = delivery
        self._leases.add(delivery)

    def end(self, held: HeldRun) -> tuple[Delivery, ...]:
        """Hold the run no more; return the items it lived on, which are not renewed any more."""
        del self._held[held.created.run_id]
        for delivery in held.deliveries.values():
            self._leases.remove(delivery)
        return tuple(held.deliveries.values())

"""A queue as its events leave it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from headwater.core.events import AnyEvent, QueueLimitSet, QueueOpened


@dataclass(frozen=True)
class Queue:
    """A queue as its events leave it; not open where `queue_id` is empty."""

    queue_id: str = ""
    labels: tuple[str, ...] = ()
    limit: int | None = None


def evolve(queue: Queue, event: AnyEvent) -> Queue:
    match event:
        case QueueOpened():
            return Queue(event.queue_id, event.labels)
        case QueueLimitSet():
            return dataclasses.replace(queue, limit=event.limit)
        case _:
            return queue

"""The rules of a queue: a label set becomes known once, and how many of its runs are executed at once may be limited."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from headwater.core.commands import LimitQueue, QueueCommand
from headwater.core.errors import InvalidArgument
from headwater.core.events import AnyEvent, QueueLimitSet, QueueOpened
from headwater.core.labels import label_set, queue_id
from headwater.core.rules.aggregate import Rules


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


def decide(queue: Queue, command: QueueCommand) -> Sequence[AnyEvent]:
    opened: list[AnyEvent] = [] if queue.queue_id else [QueueOpened(queue_id(command.labels), label_set(command.labels))]
    if not isinstance(command, LimitQueue) or command.limit == queue.limit:
        return opened
    if command.limit is not None and command.limit < 1:
        raise InvalidArgument(f"A limit must be at least 1, not {command.limit}.", hint="`none` takes the limit away.")
    return [*opened, QueueLimitSet(command.limit)]


RULES = Rules(Queue(), evolve, decide)

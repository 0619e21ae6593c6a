"""The rules of a queue: a label set becomes known once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headwater.core.commands import QueueCommand
from headwater.core.events import AnyEvent, QueueOpened
from headwater.core.labels import label_set, queue_id
from headwater.core.rules.aggregate import Rules


@dataclass(frozen=True)
class Queue:
    """A queue as its events leave it; not open where `queue_id` is empty."""

    queue_id: str = ""
    labels: tuple[str, ...] = ()


def evolve(queue: Queue, event: AnyEvent) -> Queue:
    return Queue(event.queue_id, event.labels) if isinstance(event, QueueOpened) else queue


def decide(queue: Queue, command: QueueCommand) -> Sequence[AnyEvent]:
    return [] if queue.queue_id else [QueueOpened(queue_id(command.labels), label_set(command.labels))]


RULES = Rules(Queue(), evolve, decide)

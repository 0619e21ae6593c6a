"""The rules of a queue: a label set becomes known once, and how many of its runs are executed at once may be limited."""

from __future__ import annotations

from collections.abc import Sequence

from headwater.core.errors import InvalidArgument
from headwater.core.events import AnyEvent, QueueLimitSet, QueueOpened
from headwater.core.queues.commands import LimitQueue, QueueCommand
from headwater.core.queues.state import Queue, evolve
from headwater.core.rules import Rules
from headwater.core.values.labels import label_set, queue_id


def decide(queue: Queue, command: QueueCommand) -> Sequence[AnyEvent]:
    opened: list[AnyEvent] = [] if queue.queue_id else [QueueOpened(queue_id(command.labels), label_set(command.labels))]
    if not isinstance(command, LimitQueue) or command.limit == queue.limit:
        return opened
    if command.limit is not None and command.limit < 1:
        raise InvalidArgument(f"A limit must be at least 1, not {command.limit}.", hint="`none` takes the limit away.")
    return [*opened, QueueLimitSet(command.limit)]


RULES = Rules(Queue(), evolve, decide)

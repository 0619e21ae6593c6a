"""Make a label set known, so that agents follow its queue, and limit its runs."""

from __future__ import annotations

from collections.abc import Iterable

from headwater.core.aggregates import Actor, Aggregate, CommandResult
from headwater.core.log import subjects
from headwater.core.log.protocol import EventLog
from headwater.core.queues import rules as queue_rules
from headwater.core.queues.commands import LimitQueue, OpenQueue, QueueCommand
from headwater.core.queues.state import Queue
from headwater.core.values.labels import label_set, queue_id


def queue(log: EventLog, queue_id: str) -> Aggregate[Queue, QueueCommand]:
    return Aggregate(log, subjects.queue(queue_id), queue_rules.RULES)


async def limit_queue(log: EventLog, labels: Iterable[str], limit: int | None, actor: Actor) -> CommandResult[Queue]:
    """Let at most `limit` runs with exactly these labels be executed at once; None: as many as agents take.

    Raises:
        InvalidArgument, InvalidName: the limit is below 1, or a label is none.

    """
    chosen = label_set(labels)
    return await queue(log, queue_id(chosen)).execute(LimitQueue(chosen, limit), actor)


async def open_queue(log: EventLog, labels: Iterable[str], actor: Actor) -> str:
    """Return the id of the label set's queue, which is known to all agents when this returns."""
    chosen = label_set(labels)
    opened = queue_id(chosen)
    # Almost always the queue is known already: one refused append then costs the same as one read.
    await queue(log, opened).execute(OpenQueue(chosen), actor)
    return opened

"""Make a label set known, so that agents follow its queue."""

from __future__ import annotations

from collections.abc import Iterable

from headwater.core import subjects
from headwater.core.aggregates import Aggregate, Author
from headwater.core.commands import OpenQueue
from headwater.core.labels import label_set, queue_id
from headwater.core.log.protocol import EventLog
from headwater.core.rules import queue as queue_rules


async def open_queue(log: EventLog, labels: Iterable[str], author: Author) -> str:
    """Return the id of the label set's queue, which is known to all agents when this returns."""
    chosen = label_set(labels)
    opened = queue_id(chosen)
    # Almost always the queue is known already: one refused append then costs the same as one read.
    await Aggregate(log, subjects.queue(opened), queue_rules.RULES).execute(OpenQueue(chosen), author)
    return opened

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


class Queues:
    """The queues of one log, as one actor changes them. A queue is that of the runs with one set of labels."""

    def __init__(self, log: EventLog, actor: Actor) -> None:
        self._log = log
        self._actor = actor

    async def limit(self, labels: Iterable[str], limit: int | None) -> CommandResult[Queue]:
        """Let at most `limit` runs with exactly these labels be executed at once; None: as many as agents take.

        Raises:
            InvalidArgument, InvalidName: the limit is below 1, or a label is none.

        """
        chosen = label_set(labels)
        return await queue(self._log, queue_id(chosen)).execute(LimitQueue(chosen, limit), self._actor)

    async def open(self, labels: Iterable[str]) -> str:
        """Return the id of the label set's queue, which is known to all agents when this returns."""
        chosen = label_set(labels)
        opened = queue_id(chosen)
        # Almost always the queue is known already: one refused append then costs the same as one read.
        await queue(self._log, opened).execute(OpenQueue(chosen), self._actor)
        return opened

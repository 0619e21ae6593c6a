"""What can have happened to a queue: the work of one label set."""

from __future__ import annotations

from headwater.core.event import Event
from headwater.core.values.limits import Int32, Token


class QueueOpened(Event, tag="queue.opened", frozen=True):
    """Runs with this label set exist from here on; agents whose labels match follow this queue."""

    queue_id: Token
    labels: tuple[str, ...] = ()


class QueueLimitSet(Event, tag="queue.limit_set", frozen=True):
    """At most so many runs with this label set may be executed at once; None: as many as agents take."""

    limit: Int32 | None


QueueEvent = QueueOpened | QueueLimitSet

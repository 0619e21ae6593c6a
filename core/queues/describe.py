"""What happened to a queue, in words."""

from __future__ import annotations

from headwater.core import events as e
from headwater.core.events import AnyEvent
from headwater.core.values.phrases import labels_phrase


def describe(event: AnyEvent) -> str | None:
    """Return what the event says, for people; None where it is none of these."""
    match event:
        case e.QueueOpened():
            return f"queue {event.queue_id} opened for {labels_phrase(event.labels)}"
        case e.QueueLimitSet():
            if event.limit is None:
                return "any number of the queue's runs may be executed at once"
            return f"at most {event.limit} of the queue's {'run' if event.limit == 1 else 'runs'} may be executed at once"
    return None

"""The wake-up of a run that waits: a timer for later, an item in its queue for now.

All are sent from here. What was sent is sent again elsewhere: by an agent to which it came too early, and by a user who retries a dead
letter.
"""

from __future__ import annotations

from datetime import datetime

from headwater.core.log.protocol import RunQueues, WorkItem
from headwater.core.runs.state import Run


async def schedule_wake_up(queues: RunQueues, state: Run, *, now: datetime, released: bool = False) -> None:
    """Set the wake-up that a waiting run needs: its timer, or an offer where it is due. Does nothing for any other run.

    One that its schedule made to wait for another run needs none before it is `released`, which the run monitor finds out.
    """
    if not state.waits or state.due_at is None or (state.queued_after is not None and not released):
        return
    item = WorkItem(run_id=state.created.run_id, queue_id=state.created.queue_id, generation=state.generation)
    if state.due_at <= now:
        await queues.cancel_timer(item.run_id)
    await send_wake_up(queues, item, due=state.due_at, now=now)


async def send_wake_up(queues: RunQueues, item: WorkItem, *, due: datetime, now: datetime) -> None:
    """Send the item: into its queue where it is due, else by a timer, which replaces the one that the run has."""
    if due > now:
        await queues.set_timer(item, due=due)
    else:
        await queues.enqueue(item)


async def settle_wake_up(queues: RunQueues, state: Run, *, now: datetime) -> None:
    """Let the run have the wake-up that its state needs, and no other: none where it has ended."""
    if state.ended:
        await queues.cancel_timer(state.created.run_id)
    else:
        await schedule_wake_up(queues, state, now=now)

"""How an attempt hears that a user resumes its paused task runs, while it still has others to execute."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from anyio.abc import TaskGroup

from headwater.agents.retry import retry_until_available
from headwater.core.errors import LogError
from headwater.core.events import TaskRunResumed
from headwater.core.log.commit import Position
from headwater.core.log.protocol import EventLog
from headwater.core.log.undecoded import may_hold
from headwater.core.runs.task_run import TaskRunKey

_may_resume = may_hold(TaskRunResumed)
_log = logging.getLogger(__name__)


class ResumeListener:
    """Follows the run from its first pause on, and tells the task runs that are resumed.

    What is missed is found when the attempt would park the run: the rules know of it.
    """

    def __init__(self, group: TaskGroup, events: EventLog, subject: str, tell: Callable[[tuple[TaskRunKey, ...]], Awaitable[None]]) -> None:
        self._group = group
        self._events = events
        self._subject = subject
        self._tell = tell
        self._listening = False

    def listen(self, after: Position) -> None:
        """Hear what comes after this position. Does nothing where this is done already."""
        if not self._listening:
            self._listening = True
            self._group.start_soon(self._follow, after)

    async def _follow(self, after: Position) -> None:
        try:
            async with AsyncExitStack() as stack:
                news = await retry_until_available(
                    lambda: stack.enter_async_context(self._events.follow(self._subject, after=after)), "who resumes what of the run"
                )
                async for batch in news:
                    for recorded in batch:
                        # Most commits are what this attempt itself recorded; those need not be decoded.
                        if _may_resume(recorded.data):
                            resumed = [event for event in recorded.events if isinstance(event, TaskRunResumed)]
                            if resumed:
                                await self._tell(tuple((event.slug, event.map_index) for event in resumed))
        except LogError as error:
            _log.debug("Who resumes what of the run cannot be heard any more: %s", error)

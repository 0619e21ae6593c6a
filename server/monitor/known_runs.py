"""What the run monitor has to know at its start, without reading the whole log.

The views tell which runs are unfinished, and the log tells what they are: a view may be behind, or lack what happened a moment ago. What
happened after the position of the views is read as every monitor reads it.
"""

from __future__ import annotations

import logging

import anyio
import msgspec

from headwater.core.errors import ViewsError
from headwater.core.events import AgentRegistered, AgentStopped
from headwater.core.log import subjects
from headwater.core.log.commit import Position
from headwater.core.log.protocol import Log, Recorded
from headwater.core.operations.run_lookup import load_head
from headwater.core.queries import ListRuns
from headwater.core.queries.views_client import ViewsClient
from headwater.core.slots.rules import tells_all
from headwater.core.states import StateName
from headwater.server.monitor.run_index import RunIndex

UNFINISHED = (StateName.SCHEDULED, StateName.PAUSED, StateName.SUBMITTED, StateName.RUNNING, StateName.CANCELLING)
READ_WHOLE_MAX = 20_000
"""A log of so many commits is read in a second: no view needs to be asked."""
PATIENCE_SECONDS = 15.0
"""So long the views may take to be there; then the whole log is read, however long that takes."""
_RETRY_SECONDS = 0.25
_READ_AT_ONCE = 32

_log = logging.getLogger(__name__)


class _RunId(msgspec.Struct, frozen=True):
    id: str


async def find_known_runs(
    log: Log, views: ViewsClient, *, read_whole_max: int = READ_WHOLE_MAX, patience_seconds: float = PATIENCE_SECONDS
) -> RunIndex:
    """Return what is known up to some position, after which the log is to be read: up to 0, where it is short or the views are not there.

    Raises:
        LogError: the log cannot be read now.

    """
    if (await log.events.tail()).position <= read_whole_max:
        return RunIndex()
    with anyio.move_on_after(patience_seconds):
        while True:
            try:
                return await index_from_views(log, views)
            except ViewsError as error:
                _log.debug("Which runs are unfinished is not known yet: %s", error)
            await anyio.sleep(_RETRY_SECONDS)
    _log.warning("The views do not tell which runs are unfinished: the run monitor reads the whole log, and acts when it has.")
    return RunIndex()


async def index_from_views(log: Log, views: ViewsClient) -> RunIndex:
    """Return what is known at the position of the views: of some, what came after it is known already, and is folded once more.

    Raises:
        ViewsError: the views do not answer.
        LogError: the log cannot be read now.

    """
    position, run_ids = await _unfinished(views)
    index = RunIndex()
    turn = anyio.CapacityLimiter(_READ_AT_ONCE)

    async def take(run_id: str) -> None:
        async with turn:
            head, read_to = await load_head(log.events, run_id)
        if head.exists and not head.ended:
            index.watch(head, read_to)

    async with anyio.create_task_group() as group:
        for run_id in run_ids:
            group.start_soon(take, run_id)
    # After the runs: an agent that has stopped is remembered as long as it holds some.
    for followed in (subjects.AGENTS_ALL, subjects.SLOTS_ALL):
        for last in await log.events.last_of_each(followed):
            for recorded in [last] if _suffices(last, index) else await log.events.read(last.subject):
                index.fold(recorded)
    index.position = position
    return index


def _suffices(last: Recorded, index: RunIndex) -> bool:
    """Tell whether this last commit of an agent, or of a flow's slots, says all that the index would know of it."""
    if not last.events:
        return False
    match last.events[-1]:
        case AgentRegistered():
            return True
        case AgentStopped():
            # Of one that holds runs, the name is known, too.
            return not index.held_by(subjects.address(last.subject).id)
        case event:
            return tells_all(event)


async def _unfinished(views: ViewsClient) -> tuple[Position, list[str]]:
    """Return the ids of the runs that are unfinished, as the views were at this position or later."""
    position: Position | None = None
    run_ids: list[str] = []
    cursor: str | None = None
    while True:
        reply = await views.page(ListRuns(states=UNFINISHED, limit=None, brief=True), cursor=cursor)
        position = reply.position if position is None else position
        run_ids += [row.id for row in msgspec.json.decode(reply.rows, type=list[_RunId])]
        cursor = reply.next
        if cursor is None:
            return position, run_ids

"""Asking the views from anywhere: over the log's own connection, without a database.

Every method raises LogUnavailable where the log is away, ViewsUnavailable where no server answers, ViewsBehind where the views do not
reach `at_least` (the position an append returned) in time, and NotFound where one thing was asked for that is not there.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

import anyio
import msgspec

from headwater.core.errors import CommitUnreadable, HeadwaterError, InvalidArgument, NotFound, RequestTimeout, ViewsBehind, ViewsUnavailable
from headwater.core.hint_codec import decode_hint
from headwater.core.hints import Hint, ListSchedulesAction, hint
from headwater.core.log import subjects
from headwater.core.log.codec import message_decoder
from headwater.core.log.commit import Position
from headwater.core.log.health import Requester
from headwater.core.queries import requests, rows
from headwater.core.queries.codec import FailureKind, QueryFailure, QueryReply, QueryRequest
from headwater.core.values.identifiers import new_id
from headwater.core.values.moments import standard_value

WAIT_SECONDS = 5.0
ANSWER_SECONDS = 10.0
"""How long an answer may take beyond the waiting for `at_least`."""
SILENCE_SECONDS = 0.8
"""After so long without an answer every other server is asked as well: the one that has the question may be frozen."""
DOUBT_SECONDS = 10.0
"""For so long all are asked at once, where one had to be asked for another."""

_encode = msgspec.json.Encoder(enc_hook=standard_value).encode
_decode_reply = message_decoder(QueryReply)
R = TypeVar("R", bound=rows.Row)
_ALL_FLOWS = requests.ListFlows()
_NEWEST_RUNS = requests.ListRuns()
_BY_CREATION = (("created", "asc"), ("id", "asc"))
_ALL_SCHEDULES = requests.ListSchedules()


class ViewsClient:
    """The views, as questions with typed answers. `wait_seconds` bounds the waiting for `at_least`."""

    def __init__(self, log: Requester, *, wait_seconds: float = WAIT_SECONDS) -> None:
        self._log = log
        self._wait_seconds = wait_seconds
        self._doubted_until = 0.0

    async def projects(
        self, *, name: str | None = None, project_id: str | None = None, include_deleted: bool = False, at_least: Position = 0
    ) -> list[rows.ProjectRow]:
        query = requests.ListProjects(name=name, project_id=project_id, include_deleted=include_deleted)
        return await self.ask(query, rows.ProjectRow, at_least=at_least)

    async def flows(self, query: requests.ListFlows = _ALL_FLOWS, *, at_least: Position = 0) -> list[rows.FlowRow]:
        return await self.ask(query, rows.FlowRow, at_least=at_least)

    async def flow(self, flow_id: str, *, at_least: Position = 0) -> rows.FlowRow:
        """Return the flow version of this id; of a flow group's id, the newest version that takes runs, or else the newest."""
        return await self._one(requests.GetFlow(flow_id=flow_id), rows.FlowRow, at_least)

    async def flow_tasks(self, flow_id: str, *, at_least: Position = 0) -> list[rows.FlowTaskRow]:
        return await self.ask(requests.ListFlowTasks(flow_id=flow_id), rows.FlowTaskRow, at_least=at_least)

    async def flow_edges(self, flow_id: str, *, at_least: Position = 0) -> list[rows.FlowEdgeRow]:
        return await self.ask(requests.ListFlowEdges(flow_id=flow_id), rows.FlowEdgeRow, at_least=at_least)

    async def runs(self, query: requests.ListRuns = _NEWEST_RUNS, *, at_least: Position = 0) -> list[rows.RunRow]:
        return await self.ask(query, rows.RunRow, at_least=at_least)

    async def run(self, run_id: str, *, at_least: Position = 0) -> rows.RunRow:
        return await self._one(requests.GetRun(run_id=run_id), rows.RunRow, at_least)

    async def run_states(self, run_id: str, *, at_least: Position = 0) -> list[rows.RunStateRow]:
        return await self.ask(requests.ListRunStates(run_id=run_id), rows.RunStateRow, at_least=at_least)

    async def task_runs(
        self,
        run_id: str,
        *,
        states: tuple[str, ...] = (),
        search: str | None = None,
        limit: int | None = None,
        at_least: Position = 0,
    ) -> list[rows.TaskRunRow]:
        query = requests.ListTaskRuns(run_id=run_id, states=states, search=search, limit=limit)
        return await self.ask(query, rows.TaskRunRow, at_least=at_least)

    async def task_run_states(
        self, run_id: str, *, slug: str | None = None, map_index: int | None = None, limit: int | None = None, at_least: Position = 0
    ) -> list[rows.TaskRunStateRow]:
        query = requests.ListTaskRunStates(run_id=run_id, slug=slug, map_index=map_index, limit=limit)
        return await self.ask(query, rows.TaskRunStateRow, at_least=at_least)

    async def cached_results(
        self, key: str, *, at: datetime, limit: int | None = 100, at_least: Position = 0
    ) -> list[rows.CachedResultRow]:
        """Return the results that serve again under this key at this moment, the newest first."""
        return await self.ask(requests.ListCachedResults(key=key, at=at, limit=limit), rows.CachedResultRow, at_least=at_least)

    async def logs(
        self,
        run_id: str,
        *,
        min_level: int = 0,
        task: str | None = None,
        map_index: int | None = None,
        after: Position = 0,
        limit: int | None = None,
        at_least: Position = 0,
    ) -> list[rows.LogRow]:
        """Return log lines of the run. `after` and `at_least` are positions in the stream of log lines, not in the log."""
        query = requests.ListLogs(run_id=run_id, min_level=min_level, task=task, map_index=map_index, after=after, limit=limit)
        return await self.ask(query, rows.LogRow, at_least=at_least)

    async def schedules(self, query: requests.ListSchedules = _ALL_SCHEDULES, *, at_least: Position = 0) -> list[rows.ScheduleRow]:
        return await self.ask(query, rows.ScheduleRow, at_least=at_least)

    async def schedule(self, schedule_id: str, *, at_least: Position = 0) -> rows.ScheduleRow:
        """Return the schedule of this id, also one that was deleted."""
        query = requests.ListSchedules(schedule_id=schedule_id, include_deleted=True, limit=1)
        found = await self.schedules(query, at_least=at_least)
        if not found:
            raise NotFound("schedule", schedule_id, hint=hint("{} lists schedules.", ListSchedulesAction()))
        return found[0]

    async def schedule_outcomes(self, query: requests.ListScheduleOutcomes, *, at_least: Position = 0) -> list[rows.ScheduleOutcomeRow]:
        return await self.ask(query, rows.ScheduleOutcomeRow, at_least=at_least)

    async def backfills(self, query: requests.ListBackfills, *, at_least: Position = 0) -> list[rows.BackfillRow]:
        return await self.ask(query, rows.BackfillRow, at_least=at_least)

    async def backfill(self, backfill_id: str, *, at_least: Position = 0) -> rows.BackfillRow:
        """Return the backfill of this id."""
        found = await self.backfills(requests.ListBackfills(backfill_id=backfill_id, limit=1), at_least=at_least)
        if not found:
            raise NotFound("backfill", backfill_id)
        return found[0]

    async def runs_for_times(self, schedule_id: str, since: datetime, until: datetime, *, at_least: Position = 0) -> list[rows.RunRow]:
        """Return the runs of the times of a schedule from `since` to `until`, those of backfills too, in the order of their creation."""
        where = {"schedule_id": {"_eq": schedule_id}, "nominal": {"_gte": since.isoformat(), "_lte": until.isoformat()}}
        found: list[rows.RunRow] = []
        while True:
            query = requests.FindRows(
                table="runs", where=where, order_by=(("created", "asc"), ("id", "asc")), limit=1000, offset=len(found)
            )
            page = await self.ask(query, rows.RunRow, at_least=at_least)
            found += page
            if len(page) < 1000:  # noqa: PLR2004 - as many as a page has
                return found

    async def task_groups(self, run_id: str, *, limit: int | None = None, at_least: Position = 0) -> list[rows.TaskGroupRow]:
        """Return the tasks of the run, each with its task runs counted."""
        return await self.ask(requests.ListTaskGroups(run_id=run_id, limit=limit), rows.TaskGroupRow, at_least=at_least)

    async def last_runs(self, flow_group_ids: tuple[str, ...], *, each: int = 10, at_least: Position = 0) -> list[rows.RunRow]:
        """Return the newest runs of each of these flows, without what they were given."""
        return await self.ask(requests.ListLastRuns(flow_group_ids=flow_group_ids, each=each), rows.RunRow, at_least=at_least)

    async def last_logs(
        self,
        run_id: str,
        limit: int,
        *,
        min_level: int = 0,
        task: str | None = None,
        map_index: int | None = None,
        text: str | None = None,
        until: Position = 0,
        cut_at: int | None = None,
    ) -> list[rows.LogRow]:
        """Return the last lines of the run, in order; `until` is a position in the stream of log lines."""
        query = requests.ListLogs(
            run_id=run_id,
            min_level=min_level,
            task=task,
            map_index=map_index,
            text=text or None,
            until=until,
            newest=True,
            cut_at=cut_at,
            limit=limit,
        )
        return (await self.ask(query, rows.LogRow))[::-1]

    async def find(
        self,
        table: str,
        row: type[R],
        where: dict[str, Any],
        *,
        order_by: tuple[tuple[str, str], ...] = (),
        limit: int = 100,
        offset: int = 0,
        at_least: Position = 0,
    ) -> list[R]:
        """Return rows of a table that meet conditions of the asker's own making; see `FindRows`."""
        query = requests.FindRows(table=table, where=where, order_by=order_by, limit=limit, offset=offset)
        return await self.ask(query, row, at_least=at_least)

    async def agents(self, *, status: str | None = None, limit: int | None = 100, at_least: Position = 0) -> list[rows.AgentRow]:
        return await self.ask(requests.ListAgents(status=status, limit=limit), rows.AgentRow, at_least=at_least)

    async def queues(self, *, at_least: Position = 0) -> list[rows.QueueRow]:
        return await self.ask(requests.ListQueues(), rows.QueueRow, at_least=at_least)

    async def run_counts(
        self,
        *,
        since: datetime | None = None,
        project: str | None = None,
        flow: str | None = None,
        flow_group_id: str | None = None,
        at_least: Position = 0,
    ) -> dict[str, int]:
        """Return how many runs are in each state; states without runs are left out."""
        query = requests.CountRuns(since=since, project=project, flow=flow, flow_group_id=flow_group_id)
        return {row.state: row.count for row in await self.ask(query, rows.RunCountRow, at_least=at_least)}

    async def status(self, *, set_aside_limit: int = 20) -> rows.ViewsStatusRow:
        return await self._one(requests.GetViewsStatus(set_aside_limit=set_aside_limit), rows.ViewsStatusRow, 0)

    async def start_rebuild(self) -> rows.RebuildProgress:
        """Have the server rebuild all views beside the live ones; `status().rebuild` and `hw.beat.rebuild` tell the progress."""
        return await self._one(requests.StartRebuild(), rows.RebuildProgress, 0)

    async def dead_letters(self, *, source: str | None = None, limit: int = 100) -> list[rows.DeadLetterRow]:
        """Return messages that were set aside, the newest first; `source` is "events", "logs" or "work", None: all three."""
        return await self.ask(requests.ListDeadLetters(source=source, limit=limit), rows.DeadLetterRow)

    async def dead_letter(self, key: str) -> rows.DeadLetterDetail:
        return await self._one(requests.GetDeadLetter(key=key), rows.DeadLetterDetail, 0)

    async def retry_dead_letter(self, key: str) -> rows.RetryRow:
        """Have the server try one of them once more; return what came of it."""
        return await self._one(requests.RetryDeadLetter(key=key), rows.RetryRow, 0)

    async def ask(self, query: requests.AnyQuery, row: type[R], *, at_least: Position = 0) -> list[R]:
        """Return all rows that answer the query, over as many pages as they take."""
        found: list[R] = []
        cursor: str | None = None
        while True:
            reply = await self.page(query, at_least=at_least, cursor=cursor)
            try:
                found += msgspec.json.decode(reply.rows, type=list[row])  # type: ignore[valid-type]
            except (msgspec.MsgspecError, RecursionError) as error:
                raise _unreadable(error) from error
            cursor = reply.next
            if cursor is None:
                return found

    async def page(self, query: requests.AnyQuery, *, at_least: Position = 0, cursor: str | None = None, page_rows: int = 0) -> QueryReply:
        """Return one page of the answer, its rows still as JSON; for those who stream, turn pages, or pass rows on as they are."""
        request = QueryRequest(query, at_least, self._wait_seconds, cursor, page_rows, new_id())
        try:
            data = await self._first_answer(_encode(request), repeat=not isinstance(query, requests.StartRebuild))
        except RequestTimeout as error:
            raise ViewsUnavailable(f"no server answers ({error.reason}).") from error
        try:
            reply = _decode_reply(data)
        except CommitUnreadable as error:
            raise _unreadable(error.reason) from error
        if reply.error is not None:
            raise raised(reply.error)
        return reply

    async def _first_answer(self, question: bytes, *, repeat: bool) -> bytes:
        """Ask one server, and after a silence all of them; return the answer that comes first."""
        timeout = self._wait_seconds + ANSWER_SECONDS
        outcome: bytes | HeadwaterError | None = None

        async def ask_one() -> None:
            nonlocal outcome
            try:
                outcome = await self._log.request(subjects.QUERIES, question, timeout=timeout)
            except HeadwaterError as error:
                outcome = error
            group.cancel_scope.cancel()

        async def ask_all() -> None:
            nonlocal outcome
            silence = 0.0 if anyio.current_time() < self._doubted_until else SILENCE_SECONDS
            await anyio.sleep(silence)
            try:
                outcome = await self._log.request(subjects.QUERIES_OF_EVERY_SERVER, question, timeout=timeout - silence)
            except HeadwaterError:
                return  # none of them hears it (an older version), or none answers: the first one may still
            self._doubted_until = anyio.current_time() + DOUBT_SECONDS
            group.cancel_scope.cancel()

        async with anyio.create_task_group() as group:
            group.start_soon(ask_one)
            if repeat:
                group.start_soon(ask_all)
        if isinstance(outcome, HeadwaterError):
            raise outcome
        assert outcome is not None, "one of the two ended"
        return outcome

    async def _one(self, query: requests.AnyQuery, row: type[R], at_least: Position) -> R:
        found = await self.ask(query, row, at_least=at_least)
        if len(found) != 1:
            raise _unreadable(f"{len(found)} rows where there is one.")
        return found[0]


def _unreadable(reason: object) -> ViewsUnavailable:
    """Return the error for an answer that is none: another version's, or of another program on this NATS."""
    return ViewsUnavailable(f"the answer cannot be read: {reason}")


def _advice(failure: QueryFailure) -> Hint | str | None:
    """Return what to do, to be worded here; as the other side worded it where that is all there is."""
    decoded = None if failure.advice is None else decode_hint(failure.advice)
    return decoded or failure.hint


def raised(failure: QueryFailure) -> HeadwaterError:
    """Return the error that this failure tells of, as the one that answered would have raised it."""
    details: dict[str, Any] = failure.details
    match failure.kind:
        case FailureKind.NOT_FOUND:
            return NotFound(str(details.get("kind", "row")), str(details.get("name", failure.message)), hint=_advice(failure))
        case FailureKind.BEHIND:
            return ViewsBehind(asked=details.get("asked", 0), reached=details.get("reached", 0))
        case FailureKind.INVALID:
            return InvalidArgument(failure.message, hint=_advice(failure))
        case FailureKind.UNAVAILABLE | FailureKind.BROKEN:
            return ViewsUnavailable(failure.message)

"""Looking at one backfill: how its runs ended is recorded, and the next ones are made, as many as its limit and the queue allow.

As with schedules, each step may be repeated and another server may do the same: the decision that the next times have runs is appended
conditionally, the ids of runs follow from the times, and a look begins by completing what was decided.
"""

from __future__ import annotations

import logging

from headwater.core.aggregates import Actor, Aggregate
from headwater.core.backfills.commands import BackfillCommand, FinishBackfill, NoteRunEnded, StartRuns
from headwater.core.backfills.state import Backfill
from headwater.core.errors import CommandRejected, FlowArchived, NotFound
from headwater.core.events import BackfillRequested, BackfillTime, CancelCause, OpenRun, ScheduledBy
from headwater.core.log.protocol import Log
from headwater.core.operations.backfills import backfill
from headwater.core.operations.headwater import Headwater
from headwater.core.operations.run_creation import RunCreation, RunRequest
from headwater.core.schedules.commands import RunStanding
from headwater.core.states import StateName
from headwater.core.values.labels import queue_id
from headwater.server.planner.known_flows import ActiveFlow, KnownFlows
from headwater.server.planner.open_runs import OpenRuns

_STATES = {
    RunStanding.SUCCEEDED: StateName.SUCCESS,
    RunStanding.FAILED: StateName.FAILED,
    RunStanding.CANCELLED: StateName.CANCELLED,
}

_log = logging.getLogger(__name__)


class BackfillKeeper:
    """Looks at backfills. One look at a backfill at a time."""

    def __init__(self, log: Log, actor: Actor, runs: OpenRuns, flows: KnownFlows) -> None:
        self._log = log
        self._actor = actor
        self._runs = runs
        self._flows = flows
        self._headwater = Headwater(log, actor)
        self._creation = RunCreation(log, self._headwater.catalogue)
        self._kept: dict[str, Aggregate[Backfill, BackfillCommand]] = {}

    async def look(self, backfill_id: str) -> bool:
        """Record what ended, and make the next runs; tell whether other runs went first, so that it is to be looked at again soon.

        Otherwise it is to be looked at when a run starts or ends.

        Raises:
            LogError: the log is away; a later look goes on where this one ended.

        """
        loaded = self._kept.setdefault(backfill_id, backfill(self._log.events, backfill_id))
        if not (await loaded.refresh()).exists or loaded.state.over:
            self._kept.pop(backfill_id, None)
            return False
        while True:
            await self._make_runs(loaded)
            await self._note_ended(loaded)
            gives_way = False
            if loaded.state.cancel_requested is not None:
                await self._cancel_unfinished(loaded.state)
            elif loaded.state.may_start:
                gives_way = not await self._is_next(loaded.state)
                if not gives_way:
                    await loaded.execute(StartRuns(1), self._actor, refresh=False)
                    continue
            await loaded.execute(FinishBackfill(), self._actor, refresh=False)
            return gives_way

    async def _is_next(self, state: Backfill) -> bool:
        """Tell whether no run waits for an agent in the queue of the next one: other runs go first."""
        request = state.requested
        flow = await self._flows.active(request.flow_group_id)
        if not isinstance(flow, ActiveFlow):
            return True  # its runs are refused, which ends it
        own = flow.version.labels if flow.group.labels is None else flow.group.labels
        labels = request.times[state.started].labels
        return await self._log.queues.undelivered(queue_id(own if labels is None else labels)) == 0

    async def _make_runs(self, loaded: Aggregate[Backfill, BackfillCommand]) -> None:
        """Make the runs of the times that are to have one, where they are not there."""
        request, ended = loaded.state.requested, loaded.state.ended
        for time, run_id in zip(request.times, loaded.state.run_ids, strict=False):
            if run_id in ended or await self._exists(run_id, request):
                continue
            try:
                await self._creation.create(request.flow_group_id, _request(request, time, run_id), self._actor)
            except (NotFound, FlowArchived) as error:
                await loaded.execute(NoteRunEnded(run_id, StateName.CANCELLED, str(error)), self._actor, refresh=False)
            except CommandRejected as error:
                await loaded.execute(NoteRunEnded(run_id, StateName.FAILED, str(error)), self._actor, refresh=False)
            self._runs.forget(run_id)

    async def _exists(self, run_id: str, request: BackfillRequested) -> bool:
        return await self._runs.exists(run_id, request.backfill_id)

    async def _note_ended(self, loaded: Aggregate[Backfill, BackfillCommand]) -> None:
        request = loaded.state.requested
        open_runs = [OpenRun(run_id) for run_id in loaded.state.unfinished]
        for run_id, standing in (await self._runs.standing(request.backfill_id, open_runs, self._actor.clock())).items():
            if (state := _STATES.get(standing)) is not None:
                await loaded.execute(NoteRunEnded(run_id, state), self._actor, refresh=False)
                self._runs.forget(run_id)

    async def _cancel_unfinished(self, state: Backfill) -> None:
        asked = state.cancel_requested
        reason = f"Backfill {state.requested.name!r} was cancelled{f': {asked.reason}' if asked is not None and asked.reason else '.'}"
        for run_id in state.unfinished:
            try:
                await self._headwater.runs.cancel(run_id, reason=reason, cause=CancelCause.BACKFILL_CANCELLED)
            except CommandRejected as error:
                _log.debug("Run %s needs no cancel: %s", run_id, error)


def _request(request: BackfillRequested, time: BackfillTime, run_id: str) -> RunRequest:
    """Return what is asked for of the run of this time."""
    return RunRequest(
        parameters={**time.parameters, **request.parameters},
        labels=time.labels,
        run_id=run_id,
        scheduled_by=ScheduledBy(schedule_id=request.schedule_id, nominal=time.nominal, clock=time.clock, backfill_id=request.backfill_id),
    )

"""What people and programs do with backfills: request and cancel them. Their runs are made by the servers."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from headwater.core.aggregates import Actor, Aggregate, CommandResult
from headwater.core.backfills import rules as backfill_rules
from headwater.core.backfills.commands import BackfillCommand, CancelBackfill, RequestBackfill
from headwater.core.backfills.state import Backfill
from headwater.core.errors import NotFound
from headwater.core.events import BackfillChoice, BackfillTime, ScheduleDefinition
from headwater.core.log import subjects
from headwater.core.log.protocol import EventLog
from headwater.core.operations.flow_lookup import active_version, flow_group
from headwater.core.runs.parameters import run_parameters, with_defaults
from headwater.core.values.identifiers import new_id, parsed_uuid
from headwater.core.values.json_bytes import json_bytes
from headwater.core.values.names import generated_name


def backfill(log: EventLog, backfill_id: str) -> Aggregate[Backfill, BackfillCommand]:
    return Aggregate(log, subjects.backfill(backfill_id), backfill_rules.RULES)


class Backfills:
    """The backfills of one log, as one actor requests and cancels them."""

    def __init__(self, log: EventLog, actor: Actor) -> None:
        self._log = log
        self._actor = actor

    async def load(self, backfill_id: str) -> Aggregate[Backfill, BackfillCommand]:
        """Return the backfill, folded.

        Raises:
            InvalidArgument, NotFound: there is no such backfill.

        """
        loaded = backfill(self._log, str(parsed_uuid(backfill_id, kind="backfill id")))
        if not (await loaded.refresh()).exists:
            raise NotFound("backfill", backfill_id)
        return loaded

    async def check(self, definition: ScheduleDefinition, times: tuple[BackfillTime, ...], parameters: Mapping[str, Any]) -> None:
        """Refuse what no run of these times could have, before there is one; nothing is recorded.

        Raises:
            InvalidParameters: the flow does not take these parameters.
            NotFound, FlowArchived: no version of the flow takes runs.

        """
        group = await flow_group(self._log, definition.flow_group_id).refresh()
        flow = active_version(group, 0, definition.flow_group_id)
        taken = with_defaults(flow.parameters, group.default_parameters)
        for given in {json_bytes(time.parameters): time.parameters for time in times}.values():
            run_parameters(taken, {**given, **parameters})

    async def request(
        self,
        definition: ScheduleDefinition,
        since: datetime,
        until: datetime,
        choice: BackfillChoice,
        times: tuple[BackfillTime, ...],
        *,
        limit: int = 1,
        parameters: Mapping[str, Any] | None = None,
    ) -> CommandResult[Backfill]:
        """Let these times of the schedule have runs, in this order, at most `limit` of them unfinished at once.

        `parameters` are values for all of them, before those of the clocks.

        Raises:
            InvalidArgument: there are no times, or too many, or the flow does not take these parameters.
            NotFound, FlowArchived: no version of the flow takes runs.

        """
        await self.check(definition, times, parameters or {})
        backfill_id = new_id()
        command = RequestBackfill(
            backfill_id=backfill_id,
            schedule_id=definition.schedule_id,
            flow_group_id=definition.flow_group_id,
            project_id=definition.project_id,
            name=generated_name(random.Random(backfill_id)),  # noqa: S311 - no secret
            since=since,
            until=until,
            choice=choice,
            times=times,
            limit=limit,
            parameters=parameters or {},
        )
        return await backfill(self._log, backfill_id).execute(command, self._actor)

    async def cancel(self, backfill_id: str, *, reason: str = "") -> CommandResult[Backfill]:
        """Ask that the backfill ends: no more of its times have runs, and those that are unfinished are cancelled.

        One that has ended stays as it is; the result tells.

        Raises:
            InvalidArgument, NotFound: there is no such backfill.

        """
        return await (await self.load(backfill_id)).execute(CancelBackfill(reason), self._actor, refresh=False)

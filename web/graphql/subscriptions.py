"""The subscriptions: a run as it goes on, its states and its task runs' states as they come, and its log."""

# ruff: noqa: A002 - arguments bear the names that GraphQL has for them
from __future__ import annotations

from collections.abc import AsyncGenerator

import strawberry
from strawberry import Info

from headwater.core.errors import NotFound
from headwater.core.log import subjects
from headwater.core.queries import LogRow
from headwater.core.states import FINAL
from headwater.core.values.identifiers import parsed_uuid
from headwater.web.graphql.context import Operation, operation_of
from headwater.web.graphql.scalars import Identifier
from headwater.web.graphql.types import FlowRun, FlowRunState, LogType, TaskRunState
from headwater.web.live.watched import ChangeSignal


@strawberry.type(name="subscription_root")
class Subscription:
    """What can be followed. A subscription begins with what is there; those of a run end with it."""

    @strawberry.subscription
    async def flow_run_by_pk(self, info: Info, id: Identifier) -> AsyncGenerator[FlowRun, None]:
        """Follow a run: it comes whenever something about it changed."""
        operation = operation_of(info)
        async for position in _changes(operation, id):
            run = await _fresh(operation).views.run(id, at_least=position)
            yield FlowRun.of(run)
            if run.state in FINAL:
                return

    @strawberry.subscription
    async def flow_run_state(self, info: Info, flow_run_id: Identifier) -> AsyncGenerator[FlowRunState, None]:
        """Follow the states of a run."""
        operation = operation_of(info)
        seen = 0
        async for position in _changes(operation, flow_run_id):
            for state in (await _fresh(operation).views.run_states(flow_run_id, at_least=position))[seen:]:
                seen += 1
                yield FlowRunState.of(state)
                if state.state in FINAL:
                    return

    @strawberry.subscription
    async def task_run_state(self, info: Info, flow_run_id: Identifier) -> AsyncGenerator[TaskRunState, None]:
        """Follow the states of all task runs of a run."""
        operation = operation_of(info)
        seen = 0
        async for position in _changes(operation, flow_run_id):
            views = _fresh(operation).views
            # The run first: what its tasks did before its end is then among the states that are asked for after it.
            run = await views.run(flow_run_id, at_least=position)
            for state in (await views.task_run_states(flow_run_id, at_least=run.position))[seen:]:
                seen += 1
                yield TaskRunState.of(state)
            if run.state in FINAL:
                return

    @strawberry.subscription
    async def log(self, info: Info, flow_run_id: Identifier) -> AsyncGenerator[LogType, None]:
        """Follow the log of a run, from its beginning on."""
        operation = operation_of(info)
        run_id = str(parsed_uuid(flow_run_id, kind="run id"))
        if not await operation.site.log.events.read(subjects.run(run_id)):
            raise NotFound("run", run_id)
        wake, position = ChangeSignal(), 0
        with operation.site.hub.tails.watch(run_id, position, wake) as tail:
            while not operation.site.hub.closing:
                for message in await tail.after(position):
                    position = message.position
                    for number, line in enumerate(message.lines):
                        row = LogRow(
                            run_id=run_id,
                            attempt=message.attempt,
                            at=line.at,
                            level=line.level,
                            logger=line.logger,
                            message=line.message,
                            task=line.task,
                            map_index=line.map_index,
                            position=position,
                            line=number,
                        )
                        yield LogType.of(row)
                await wake.wait()


async def _changes(operation: Operation, run_id: str) -> AsyncGenerator[int, None]:
    """Yield the position of the run's last change, now and whenever it changed.

    Raises:
        NotFound: there is no such run.

    """
    run_id = str(parsed_uuid(run_id, kind="run id"))
    hub = operation.site.hub
    with hub.listen(f"run:{run_id}") as heard:
        recorded = await operation.site.log.events.read(subjects.run(run_id))
        if not recorded:
            raise NotFound("run", run_id)
        yield recorded[-1].position
        while not hub.closing:
            await heard.wake.wait()
            yield heard.position


def _fresh(operation: Operation) -> Operation:
    """Return the operation with a fresh budget: a subscription may go on for days."""
    return Operation(operation.site, operation.actor)

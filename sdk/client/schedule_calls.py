"""What clients do with the schedules of flows: both of them, the one that is awaited and the one that is called."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from headwater.core.calendar.schedules import Schedule
from headwater.core.errors import WrongType
from headwater.core.log.commit import Position
from headwater.core.operations.headwater import Headwater
from headwater.core.queries import ListSchedules, ScheduleRow
from headwater.core.values.identifiers import schedule_id, split_flow_id

if TYPE_CHECKING:
    from headwater.sdk.client.async_client import AsyncClient

T = TypeVar("T")


class AsyncScheduleCalls:
    """The part of `AsyncClient` that is about schedules. `flow_id` is the id of one of a flow's versions or of its group.

    A flow's own schedule has the empty slug; others have the slug that they were set with.
    """

    if TYPE_CHECKING:

        @property
        def headwater(self) -> Headwater: ...
        def note_position(self, position: Position) -> None: ...

    async def set_schedule(self, flow_id: str, schedule: Schedule, *, slug: str = "", active: bool | None = None) -> bool:
        """Give a flow these times over all its versions, whatever it was registered with; return whether that changed anything.

        The policies are those of the schedule: `CronSchedule("0 6 * * *", overlap="queue_one")`.

        Args:
            flow_id: which flow.
            schedule: when its runs start, made of the clocks, filters and adjustments of `headwater.schedules`.
            slug: a name, for a schedule beside the flow's own one.
            active: resume the schedule (True), pause it (False), or leave that as it is (None).

        Raises:
            InvalidArgument: the schedule holds code of the user's own, or leaves a parameter of the flow without a value.
            NotFound, FlowArchived: there is no such flow that takes runs.

        """
        if not isinstance(schedule, Schedule):
            raise WrongType(f"{schedule!r} is not a schedule.", hint="Write CronSchedule('0 6 * * *').")
        outcome = await self.headwater.schedules.set(split_flow_id(flow_id)[0], schedule.serialize(), slug=slug, active=active)
        self.note_position(outcome.position)
        return outcome.changed

    async def delete_schedule(self, flow_id: str, *, slug: str = "") -> bool:
        """Take away the times that were set for a flow: those that it is registered with hold again, if there are some.

        Raises:
            InvalidArgument, NotFound: there is no such schedule, or it has only the times that the flow is registered with.

        """
        outcome = await self.headwater.schedules.delete(_id(flow_id, slug))
        self.note_position(outcome.position)
        return outcome.changed

    async def pause_schedule(self, flow_id: str, *, slug: str = "", note: str = "", until: datetime | None = None) -> bool:
        """Let times to come have no runs, until the schedule is resumed, or until a moment (in UTC where it has no zone).

        Returns whether that changed anything.

        Raises:
            InvalidArgument, NotFound: there is no such schedule, or the moment is over.

        """
        outcome = await self.headwater.schedules.pause(_id(flow_id, slug), note=note, until=until)
        self.note_position(outcome.position)
        return outcome.changed

    async def resume_schedule(self, flow_id: str, *, slug: str = "", note: str = "") -> bool:
        """Let times to come have runs again; those of the pause have none. Returns whether the schedule was paused.

        Raises:
            InvalidArgument, NotFound: there is no such schedule.

        """
        outcome = await self.headwater.schedules.resume(_id(flow_id, slug), note=note)
        self.note_position(outcome.position)
        return outcome.changed


class ScheduleCalls:
    """The part of `Client` that is about schedules: as `AsyncScheduleCalls`."""

    if TYPE_CHECKING:

        def call(self, work: Callable[[AsyncClient], Awaitable[T]]) -> T: ...

    def set_schedule(self, flow_id: str, schedule: Schedule, *, slug: str = "", active: bool | None = None) -> bool:
        """Give a flow these times, whatever it was registered with; return whether that changed anything. As `AsyncClient.set_schedule`."""
        return self.call(lambda client: client.set_schedule(flow_id, schedule, slug=slug, active=active))

    def delete_schedule(self, flow_id: str, *, slug: str = "") -> bool:
        """Take away the times that were set for a flow; return whether that changed anything. As `AsyncClient.delete_schedule`."""
        return self.call(lambda client: client.delete_schedule(flow_id, slug=slug))

    def pause_schedule(self, flow_id: str, *, slug: str = "", note: str = "", until: datetime | None = None) -> bool:
        """Let times to come have no runs; return whether that changed anything. As `AsyncClient.pause_schedule`."""
        return self.call(lambda client: client.pause_schedule(flow_id, slug=slug, note=note, until=until))

    def resume_schedule(self, flow_id: str, *, slug: str = "", note: str = "") -> bool:
        """Let times to come have runs again; return whether the schedule was paused. As `AsyncClient.resume_schedule`."""
        return self.call(lambda client: client.resume_schedule(flow_id, slug=slug, note=note))

    def get_schedules(self, flow: str | None = None, project: str | None = None) -> list[ScheduleRow]:
        """Return the schedules of flows, as the views show them: of the flow of this name, of this project, or all."""
        return self.call(lambda client: client.views.schedules(ListSchedules(flow=flow, project=project), at_least=client.position))


def _id(flow_id: str, slug: str) -> str:
    return schedule_id(split_flow_id(flow_id)[0], slug)

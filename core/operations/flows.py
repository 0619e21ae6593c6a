"""What people and programs do with flows: register, describe and limit them, and take them off the lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from headwater.core.aggregates import Actor, Aggregate, CommandResult
from headwater.core.errors import InvalidArgument
from headwater.core.events import FlowRegistered
from headwater.core.flows.commands import (
    ArchiveFlowVersion,
    DeleteFlow,
    DescribeFlow,
    FlowCommand,
    LimitFlowAttempts,
    SetFlowDefaultParameters,
    SetFlowLabels,
)
from headwater.core.flows.state import FlowGroup
from headwater.core.log.protocol import EventLog
from headwater.core.operations.flow_lookup import find_flow, flow_group
from headwater.core.operations.flow_registration import FlowMetadata, Registration, keep_schedule, register_flow
from headwater.core.runs.parameters import check_values

DESCRIPTION_LENGTH_MAX = 20_000


class Flows:
    """The flows of one log, as one actor changes them. A group id is that of a flow over its versions; NotFound where no flow has it."""

    def __init__(self, log: EventLog, actor: Actor) -> None:
        self._log = log
        self._actor = actor

    def group(self, group_id: str) -> Aggregate[FlowGroup, FlowCommand]:
        """Return the flow over its versions, to be read or changed."""
        return flow_group(self._log, group_id)

    async def find(self, *, project_name: str, name: str) -> FlowRegistered:
        """Return the newest version of the flow that takes runs.

        Raises:
            NotFound: no such project, or no such flow in it.
            FlowArchived: the flow is there, but none of its versions takes runs.

        """
        return await find_flow(self._log, project_name=project_name, name=name)

    async def register(
        self,
        metadata: FlowMetadata,
        *,
        project_name: str,
        idempotency_key: str | None = None,
        schedule_active: bool | None = None,
    ) -> Registration:
        """Register a version of the flow in the project; older versions are archived by it.

        With the idempotency key of the last registration, while that version takes runs, nothing changes and its id is returned.
        `schedule_active` resumes the flow's schedule (True) or pauses it (False); None keeps a pause.

        Raises:
            NotFound: there is no such project.
            CommandRejected: the metadata breaks a rule.

        """
        return await register_flow(
            self._log,
            metadata,
            self._actor,
            project_name=project_name,
            idempotency_key=idempotency_key,
            schedule_active=schedule_active,
        )

    async def keep_schedule(self, version: FlowRegistered, *, active: bool | None) -> None:
        """Let the schedule of a version that is registered already be active (True) or paused (False); None leaves it as it is."""
        await keep_schedule(self._log, version, self._actor, active=active)

    async def archive(self, group_id: str, version: int) -> CommandResult[FlowGroup]:
        """Let this version take no new runs.

        Raises:
            NotFound: there is no such version.

        """
        return await self._execute(group_id, ArchiveFlowVersion(version))

    async def delete(self, group_id: str, *, reason: str = "") -> CommandResult[FlowGroup]:
        """Take the flow off the lists; it takes no new runs.

        Raises:
            NotFound: there is no such flow.

        """
        return await self._execute(group_id, DeleteFlow(reason))

    async def limit_attempts(self, group_id: str, attempts_max: int | None) -> CommandResult[FlowGroup]:
        """Let new runs of the flow fail when so many of their attempts were lost; None: the default.

        Raises:
            NotFound: there is no such flow.
            InvalidArgument: the number is below 1.

        """
        return await self._execute(group_id, LimitFlowAttempts(attempts_max))

    async def describe(self, group_id: str, description: str) -> CommandResult[FlowGroup]:
        """Say what the flow is for; an empty text takes the description away.

        Raises:
            NotFound: there is no such flow.
            InvalidArgument: the text has more than 20,000 characters.

        """
        if len(description) > DESCRIPTION_LENGTH_MAX:
            raise InvalidArgument(f"The description has {len(description)} characters; at most {DESCRIPTION_LENGTH_MAX} are allowed.")
        return await self._execute(group_id, DescribeFlow(description))

    async def set_labels(self, group_id: str, labels: Iterable[str] | None) -> CommandResult[FlowGroup]:
        """Give new runs of the flow these labels, unless they ask for others; None: those that each version was registered with.

        Raises:
            NotFound: there is no such flow.
            InvalidName: a label is empty, too long or holds control characters.

        """
        return await self._execute(group_id, SetFlowLabels(None if labels is None else tuple(labels)))

    async def set_default_parameters(self, group_id: str, parameters: Mapping[str, Any]) -> CommandResult[FlowGroup]:
        """Give new runs of the flow these values where they are not given others. They replace all that were set before.

        Raises:
            NotFound: there is no such flow.
            InvalidParameters: the newest version has no parameter of this name, a value is not JSON, or together they exceed 256 KB.

        """
        check_values(parameters)
        return await self._execute(group_id, SetFlowDefaultParameters(parameters))

    async def _execute(self, group_id: str, command: FlowCommand) -> CommandResult[FlowGroup]:
        return await self.group(group_id).execute(command, self._actor)

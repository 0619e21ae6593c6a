"""What a flow says of its runs over all its versions, whatever these were registered with: description, labels, default parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from headwater.core.aggregates import Actor, CommandResult
from headwater.core.errors import InvalidArgument
from headwater.core.flows.commands import DescribeFlow, SetFlowDefaultParameters, SetFlowLabels
from headwater.core.flows.state import FlowGroup
from headwater.core.log.protocol import EventLog
from headwater.core.operations.flows import flow_group
from headwater.core.runs.parameters import check_values

DESCRIPTION_LENGTH_MAX = 20_000


async def describe_flow(log: EventLog, group_id: str, description: str, actor: Actor) -> CommandResult[FlowGroup]:
    """Say what the flow is for; an empty text takes the description away.

    Raises:
        NotFound: there is no such flow.
        InvalidArgument: the text has more than 20,000 characters.

    """
    if len(description) > DESCRIPTION_LENGTH_MAX:
        raise InvalidArgument(f"The description has {len(description)} characters; at most {DESCRIPTION_LENGTH_MAX} are allowed.")
    return await flow_group(log, group_id).execute(DescribeFlow(description), actor)


async def set_flow_labels(log: EventLog, group_id: str, labels: Iterable[str] | None, actor: Actor) -> CommandResult[FlowGroup]:
    """Give new runs of the flow these labels, unless they ask for others; None: those that each version was registered with.

    Raises:
        NotFound: there is no such flow.
        InvalidName: a label is empty, too long or holds control characters.

    """
    return await flow_group(log, group_id).execute(SetFlowLabels(None if labels is None else tuple(labels)), actor)


async def set_default_parameters(log: EventLog, group_id: str, parameters: Mapping[str, Any], actor: Actor) -> CommandResult[FlowGroup]:
    """Give new runs of the flow these values where they are not given others. They replace all that were set before.

    Raises:
        NotFound: there is no such flow.
        InvalidParameters: the newest version has no parameter of this name, a value is not JSON, or together they exceed 256 KB.

    """
    check_values(parameters)
    return await flow_group(log, group_id).execute(SetFlowDefaultParameters(parameters), actor)

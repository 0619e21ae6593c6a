"""The rules of a flow group: its versions, and which of them takes runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from headwater.core.errors import InvalidArgument, InvalidParameters, NotFound
from headwater.core.events import (
    AnyEvent,
    FlowAttemptsLimited,
    FlowDefaultParametersSet,
    FlowDeleted,
    FlowDescribed,
    FlowLabelsSet,
    FlowRegistered,
    FlowVersionArchived,
    ParameterSpec,
)
from headwater.core.flows.commands import (
    ArchiveFlowVersion,
    DeleteFlow,
    DescribeFlow,
    FlowCommand,
    LimitFlowAttempts,
    RegisterFlow,
    SetFlowDefaultParameters,
    SetFlowLabels,
)
from headwater.core.flows.state import FlowGroup, evolve
from headwater.core.rules import Rules
from headwater.core.values.identifiers import flow_version_id
from headwater.core.values.labels import label_set
from headwater.core.values.names import valid_name


def decide(group: FlowGroup, command: FlowCommand) -> Sequence[AnyEvent]:
    if isinstance(command, RegisterFlow):
        return _register(group, command)
    if not group.versions:
        raise NotFound("flow", group.name)
    match command:
        case ArchiveFlowVersion():
            if command.flow_version not in group.versions:
                raise NotFound("flow version", str(command.flow_version))
            flow_id = group.versions[command.flow_version].flow_id
            return [FlowVersionArchived(flow_id, command.flow_version)] if command.flow_version in group.active else []
        case DeleteFlow():
            return [] if group.deleted else [FlowDeleted(command.reason)]
        case LimitFlowAttempts():
            if command.attempts_max is not None and command.attempts_max < 1:
                raise InvalidArgument(f"At least 1 attempt must be made, not {command.attempts_max}.")
            return [] if command.attempts_max == group.attempts_max else [FlowAttemptsLimited(command.attempts_max)]
        case DescribeFlow():
            return [] if command.description == group.description else [FlowDescribed(command.description)]
        case SetFlowLabels():
            labels = None if command.labels is None else label_set(command.labels)
            return [] if labels == group.labels else [FlowLabelsSet(labels)]
        case SetFlowDefaultParameters():
            _check_names(group, command.parameters)
            parameters = dict(command.parameters)
            return [] if _json(parameters) == _json(group.default_parameters) else [FlowDefaultParametersSet(parameters)]


def _json(parameters: Mapping[str, Any]) -> bytes:
    """Return what tells values apart that Python calls equal, such as 1 and true."""
    return msgspec.json.encode(parameters, order="deterministic")


def _check_names(group: FlowGroup, parameters: Mapping[str, Any]) -> None:
    """Refuse names that the newest version does not take; what an older version took may stay as it is."""
    newest = group.latest or group.versions[max(group.versions)]
    taken = {parameter.name for parameter in newest.parameters}
    unknown = [name for name in parameters if name not in taken and name not in group.default_parameters]
    if unknown:
        raise InvalidParameters(
            f"Version {newest.flow_version} of flow {newest.name!r} has no parameter {unknown[0]!r}.",
            hint=f"It takes: {', '.join(sorted(taken))}." if taken else "It takes none.",
        )


def open_parameters(parameters: Sequence[ParameterSpec], schedule: Mapping[str, Any] | None, defaults: Mapping[str, Any]) -> list[str]:
    """Return the parameters that scheduled runs need and neither a default nor every clock of the schedule gives."""
    if not schedule:
        return []
    required = [parameter.name for parameter in parameters if parameter.required and parameter.name not in defaults]
    clocks = schedule.get("clocks") or [{}]
    return [name for name in required if not all(name in (clock.get("parameter_defaults") or {}) for clock in clocks)]


def _register(group: FlowGroup, command: RegisterFlow) -> Sequence[AnyEvent]:
    """Every registration makes a version, but the same key as the last time, while that version still takes runs, changes nothing."""
    if group.registered_with(command.idempotency_key) is not None:
        return []
    left_open = open_parameters(command.parameters, command.schedule, group.default_parameters)
    if left_open:
        raise InvalidArgument(
            f"The flow has a schedule, but its parameters {', '.join(map(repr, left_open))} have no default.",
            hint="Scheduled runs get no parameters from people: give each a default, or take the schedule off.",
        )
    version = max(group.versions, default=0) + 1
    return [
        FlowRegistered(
            flow_id=flow_version_id(command.flow_group_id, version),
            flow_group_id=command.flow_group_id,
            project_id=command.project_id,
            name=valid_name(command.name, kind="flow"),
            flow_version=version,
            task_count=command.task_count,
            edge_count=command.edge_count,
            storage=command.storage,
            tasks=command.tasks,
            edges=command.edges,
            parts=command.parts,
            parameters=command.parameters,
            labels=label_set(command.labels),
            run_config=dict(command.run_config),
            schedule=None if command.schedule is None else dict(command.schedule),
            serialized_hash=command.serialized_hash,
            idempotency_key=command.idempotency_key,
            environment=dict(command.environment),
            archives=tuple(group.versions[number].flow_id for number in sorted(group.active)),
        )
    ]


RULES = Rules(FlowGroup(), evolve, decide)

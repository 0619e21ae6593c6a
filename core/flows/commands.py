"""Commands about a flow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from headwater.core.events import (
    EdgeSpec,
    ParameterSpec,
    RegistrationParts,
    StorageReference,
    TaskSpec,
)


@dataclass(frozen=True, kw_only=True)
class RegisterFlow:
    """Register a version. `tasks` and `edges` are empty where `parts` says that they were written before."""

    flow_group_id: str
    project_id: str
    name: str
    storage: StorageReference
    task_count: int
    edge_count: int
    tasks: tuple[TaskSpec, ...] = ()
    edges: tuple[EdgeSpec, ...] = ()
    parts: RegistrationParts | None = None
    parameters: tuple[ParameterSpec, ...] = ()
    labels: tuple[str, ...] = ()
    run_config: Mapping[str, Any] = field(default_factory=dict)
    schedule: Mapping[str, Any] | None = None
    serialized_hash: str = ""
    idempotency_key: str | None = None
    environment: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ArchiveFlowVersion:
    flow_version: int


@dataclass(frozen=True)
class DeleteFlow:
    reason: str = ""


@dataclass(frozen=True)
class LimitFlowAttempts:
    """Let new runs of the flow fail when so many of their attempts were lost; None: as Headwater has it."""

    attempts_max: int | None


@dataclass(frozen=True)
class DescribeFlow:
    description: str


@dataclass(frozen=True)
class SetFlowLabels:
    """Give new runs these labels; None: those that each version was registered with."""

    labels: tuple[str, ...] | None


@dataclass(frozen=True)
class SetFlowDefaultParameters:
    """Give new runs these values where none are given; they replace all that held before."""

    parameters: Mapping[str, Any]


FlowCommand = RegisterFlow | ArchiveFlowVersion | DeleteFlow | LimitFlowAttempts | DescribeFlow | SetFlowLabels | SetFlowDefaultParameters

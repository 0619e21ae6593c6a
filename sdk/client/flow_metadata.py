"""From a flow to what its registration tells of it: names, settings and references, never code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from headwater.core.events import EdgeSpec, ParameterSpec, StorageReference, TaskSpec
from headwater.core.labels import label_set
from headwater.core.operations.flows import FlowMetadata
from headwater.graph.errors import InvalidFlow
from headwater.graph.flow import Flow
from headwater.run_configs import UniversalRun
from headwater.storage.base import Storage


def check_results(flow: Flow) -> None:
    """Check that whatever keeps results in this flow can do so.

    Raises:
        InvalidFlow: a result was chosen that keeps no values; runs could not write it.

    """
    wrong = [f"task {flow.slugs[task]!r}" for task in flow.tasks if task.result is not None and not task.result.keeps_values]
    if flow.result is not None and not flow.result.keeps_values:
        wrong.append("the flow itself")
    if wrong:
        raise InvalidFlow(
            f"Result check: the result of {', '.join(wrong)} is of a kind that keeps no values.",
            hint="Use LocalResult(), InlineResult() or another kind that writes, or leave result away.",
        )


def add_labels(flow: Flow, labels: Iterable[str]) -> None:
    """Add labels to the flow's run config, so that agents started for this flow bear them too.

    Raises:
        InvalidName: a label is empty, too long or holds control characters.

    """
    chosen = label_set(labels)
    if chosen:
        flow.run_config = flow.run_config or UniversalRun()
        flow.run_config.labels |= set(chosen)


def metadata_of(flow: Flow, storage: Storage, *, serialized_hash: str, schedule_active: bool) -> FlowMetadata:
    """Return what a registration tells of the flow, as it lies in the storage."""
    serialized = flow.serialize(build=False)
    schedule: Mapping[str, Any] | None = serialized["schedule"]
    return FlowMetadata(
        name=flow.name,
        storage=msgspec.convert(storage.reference(flow.name), StorageReference),
        tasks=msgspec.convert(serialized["tasks"], tuple[TaskSpec, ...]),
        edges=tuple(EdgeSpec(**edge) for edge in serialized["edges"]),
        parameters=tuple(ParameterSpec(**parameter) for parameter in serialized["parameters"]),
        labels=label_set([*storage.labels, *serialized["run_config"]["labels"]]),
        run_config=serialized["run_config"],
        schedule=None if schedule is None else {**schedule, "active": schedule_active},
        serialized_hash=serialized_hash,
        environment={**serialized["environment"], "code_hash": serialized["code_hash"]},
    )

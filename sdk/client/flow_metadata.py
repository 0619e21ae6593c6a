"""From a flow to what its registration tells of it: names, settings and references, never code."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from headwater.core.events import EdgeSpec, ParameterSpec, StorageReference, TaskSpec
from headwater.core.operations.flow_registration import FlowMetadata
from headwater.core.values.json_values import json_problem
from headwater.core.values.labels import label_set
from headwater.core.values.limits import NAME_CHARACTERS_MAX
from headwater.sdk.context.logging import get_logger
from headwater.sdk.language import flow_settings
from headwater.sdk.language.errors import InvalidFlow
from headwater.sdk.language.flow import Flow
from headwater.sdk.run_configs import UniversalRun
from headwater.sdk.storage.base import Storage


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


def check_supported(flow: Flow) -> None:
    """Check that an agent could run the flow, and find its code; say what the flow's environment became, if it has one.

    Raises:
        InvalidFlow: what was set as run config, storage or executor is not one, or the flow has an environment, and a run config
            that is not the environment's.
        NoAgentForRunConfig: there are no agents for the flow's run config yet.
        StorageNotSupported: flows cannot be kept in its storage yet.

    """
    for setting in ("run_config", "storage", "executor"):
        getattr(flow_settings, setting)(getattr(flow, setting), flow=flow.name)  # it may have been set after the flow was made
    if flow.environment is not None:
        get_logger(type(flow.environment).__name__).info("Flow '%s': %s", flow.name, flow.environment.meaning())
        if flow.run_config != flow.environment.run_config():
            raise InvalidFlow(
                f"Flow {flow.name!r} has an environment and a run config, {flow.run_config!r}, that is another one.",
                hint="Give the flow one of them; the run config is what lasts.",
            )
    if flow.run_config is not None:
        flow.run_config.check_supported()
    if flow.storage is not None:
        flow.storage.check_supported()


def check_settings(flow: Flow) -> None:
    """Check that all that a registration tells of the flow can be stored, and read by everyone.

    Raises:
        InvalidFlow: a setting holds what cannot; the sentence says whose, and what.

    """
    told: list[tuple[str, Any]] = [(f"the default of parameter {each.name!r}", each.default) for each in flow.parameters()]
    told.append(("the run config", flow.run_config.serialize() if flow.run_config is not None else None))
    told.append(("the schedule", flow.schedule.serialize() if flow.schedule is not None else None))
    for task in flow.tasks:
        told.extend(
            (f"{name} of task {flow.slugs[task]!r}", value)
            for name in ("name", "slug", "cache_key", "target", "task_run_name", "nout")
            if (value := getattr(task, name)) is not None and not callable(value)
        )
        told.append((f"the tags of task {flow.slugs[task]!r}", list(task.tags)))
    for what, value in told:
        if (problem := json_problem(value)) is not None:
            raise InvalidFlow(f"Flow {flow.name!r} cannot be registered: {what} cannot be stored: {problem}.")
    long = [slug for slug in flow.slugs.values() if len(slug) > NAME_CHARACTERS_MAX]
    if long:
        raise InvalidFlow(f"Flow {flow.name!r} cannot be registered: the slug {long[0][:50]!r}... has {len(long[0])} characters.")


def add_labels(flow: Flow, labels: Iterable[str]) -> None:
    """Add labels to the flow's run config, so that agents started for this flow bear them too.

    Raises:
        InvalidName: a label is empty, too long or holds control characters.

    """
    chosen = label_set(labels)
    if chosen:
        flow.run_config = flow.run_config or UniversalRun()
        flow.run_config.labels |= set(chosen)


def metadata_of(flow: Flow, storage: Storage, *, serialized_hash: str) -> FlowMetadata:
    """Return what a registration tells of the flow, as it lies in the storage."""
    reference = storage.reference(flow.name)
    if (problem := json_problem(reference)) is not None:
        raise InvalidFlow(f"Flow {flow.name!r} cannot be registered: the place of its code cannot be determined: {problem}.")
    serialized = flow.serialize(build=False)
    return FlowMetadata(
        name=flow.name,
        storage=msgspec.convert(reference, StorageReference),
        tasks=msgspec.convert(serialized["tasks"], tuple[TaskSpec, ...]),
        edges=tuple(EdgeSpec(**edge) for edge in serialized["edges"]),
        parameters=tuple(ParameterSpec(**parameter) for parameter in serialized["parameters"]),
        labels=label_set([*storage.labels, *serialized["run_config"]["labels"]]),
        run_config=serialized["run_config"],
        schedule=serialized["schedule"],
        serialized_hash=serialized_hash,
        environment={**serialized["environment"], "code_hash": serialized["code_hash"]},
    )

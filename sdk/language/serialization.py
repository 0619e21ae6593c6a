"""A flow's metadata as JSON values, in the shape of the log's events; hashes of code, never the code."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from datetime import timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from headwater.sdk.language.fingerprint import attributes, fingerprint
from headwater.sdk.language.triggers import all_successful, trigger_name
from headwater.sdk.language.user_code import type_name

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow
    from headwater.sdk.language.task import Task


def serialize_flow(flow: Flow) -> dict[str, Any]:
    """Return the flow's metadata.

    Keys: `name`, `type`, `parameters`, `tasks`, `edges`, `reference_tasks` (slugs), `schedule`, `run_config`,
    `storage` (the reference, if the flow has one), `environment`, `code_hash` (of what belongs to no single task).
    """
    from headwater.sdk.run_configs import UniversalRun

    references = flow.reference_tasks()
    mapped = {edge.downstream_task for edge in flow.edges if edge.mapped}
    hashes = _CodeHashes()
    return {
        "name": flow.name,
        "type": type_name(type(flow)),
        "parameters": [
            {"name": each.name, "required": each.required, "default": each.default}
            for each in sorted(flow.parameters(), key=lambda each: each.name)
        ],
        "tasks": [
            {
                **_task(task, slug=flow.slugs[task], code_hash=hashes.of(task, flow.constants.get(task))),
                "mapped": task in mapped,
                "reference": task in references,
            }
            for task in flow.sorted_tasks()
        ],
        # Sorted, since the order in which a set of upstream tasks was walked through means nothing.
        "edges": sorted(
            (
                {
                    "upstream": flow.slugs[edge.upstream_task],
                    "downstream": flow.slugs[edge.downstream_task],
                    "key": edge.key,
                    "mapped": edge.mapped,
                    "flattened": edge.flattened,
                }
                for edge in flow.edges
            ),
            key=lambda edge: (edge["upstream"], edge["downstream"], edge["key"] or ""),
        ),
        "reference_tasks": sorted(flow.slugs[task] for task in references),
        "schedule": flow.schedule.serialize() if flow.schedule is not None else None,
        "run_config": (flow.run_config or UniversalRun()).serialize(),
        "storage": flow.storage.reference(flow.name) if flow.storage is not None else None,
        "environment": {"headwater_version": version("headwater"), "python_version": platform.python_version()},
        "code_hash": fingerprint(
            flow.state_handlers, flow.terminal_state_handler, _settings_of(flow.executor), _settings_of(flow.result), *_called_around(flow)
        ),
    }


def hash_of(flow: Flow) -> str:
    """Return the SHA-256 of the metadata, without what differs each time the same code is stored."""
    data = serialize_flow(flow)
    data["storage"] = flow.storage.settings() if flow.storage is not None else None
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def serialize_task(task: Task) -> dict[str, Any]:
    """Return the metadata of one task, as far as no flow takes part: keys as of the tasks of a flow, without `mapped` and `reference`."""
    metadata = _task(task, slug=task.slug, code_hash=_CodeHashes().of(task, None))
    return {**metadata, **task.metadata_of_its_own()}


def _task(task: Task, *, slug: str | None, code_hash: str) -> dict[str, Any]:
    settings: dict[str, Any] = {"code_hash": code_hash}
    if task.skip_on_upstream_skip is False:
        settings["skip_on_upstream_skip"] = False
    if task.log_stdout:
        settings["log_stdout"] = True
    if task.nout is not None:
        settings["nout"] = task.nout
    if isinstance(task.task_run_name, str):
        settings["task_run_name"] = task.task_run_name
    if task.result is not None:
        settings["result"] = type(task.result).__name__
    if task.cache_for is not None:
        settings["cache_for_seconds"] = task.cache_for.total_seconds()
        settings["cache_validator"] = trigger_name(task.cache_validator) if task.cache_validator is not None else "duration_only"
    if task.cache_key is not None:
        settings["cache_key"] = task.cache_key
    if isinstance(task.target, str):
        settings["target"] = task.target
    if task.retry_on is not None:
        settings["retry_on"] = sorted(kind.__name__ for kind in task.retry_on)
    return {
        "slug": slug,
        "name": task.name,
        "type": type_name(type(task)),
        "tags": sorted(task.tags),
        "max_retries": task.max_retries,
        "retry_delay_seconds": _seconds(task.retry_delay),
        "timeout_seconds": _seconds(task.timeout),
        "trigger": trigger_name(task.trigger),
        "settings": settings,
    }


class _CodeHashes:
    """Hashes of tasks' code, reckoned once for tasks that share it: large flows repeat few functions many times."""

    def __init__(self) -> None:
        self._shared: dict[int, str] = {}
        self._kept: list[Any] = []

    def of(self, task: Task, constants: Mapping[str, Any] | None) -> str:
        function = task.__dict__.get("run") or type(task)
        rest = {
            name: value
            for name, value in attributes(task)
            if name not in _IN_METADATA and not (name in _USUALLY_EMPTY and not value) and value is not all_successful
        }
        shared = self._hash(function)
        if not rest and not constants and not task.is_parameter:
            return shared
        return fingerprint(shared, rest, constants)

    def _hash(self, value: Any) -> str:
        known = self._shared.get(id(value))
        if known is None:
            known = self._shared[id(value)] = fingerprint(value)
            self._kept.append(value)
        return known


_IN_METADATA = frozenset({
    "run", "name", "slug", "tags", "max_retries", "retry_delay", "timeout", "skip_on_upstream_skip", "log_stdout",
    "nout", "__doc__",
})  # fmt: skip
_USUALLY_EMPTY = frozenset({
    "retry_on", "checkpoint", "state_handlers", "result", "task_run_name", "cache_for", "cache_validator", "cache_key", "target",
})  # fmt: skip


def _called_around(flow: Flow) -> list[Any]:
    """Return what the flow's environment calls before and after a run; nothing where it has none, as most flows have none."""
    return [] if flow.environment is None else [flow.environment.on_start, flow.environment.on_exit]


def _settings_of(value: Any) -> Any:
    return None if value is None else (type_name(type(value)), sorted(attributes(value)))


def _seconds(span: timedelta | float | None) -> float | None:
    # Tasks that were pickled before have their time-out as a timedelta.
    return span.total_seconds() if isinstance(span, timedelta) else None if span is None else float(span)

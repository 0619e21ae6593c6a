"""Registering a flow: check it, store its code on this side, tell the server its metadata, say where it is to be found.

Nothing is left half done: the code is stored only once the project is known to exist, and removed again where the log refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio.to_thread

from headwater.core.calendar.phrases import schedule_phrase
from headwater.core.errors import HeadwaterError, InvalidArgument, OutcomeUnknown
from headwater.core.operations.flow_lookup import flow_group
from headwater.core.operations.flow_registration import Registration
from headwater.core.operations.project_lookup import find_project
from headwater.core.values.identifiers import flow_group_id, schedule_id
from headwater.sdk.client.flow_metadata import add_labels, check_results, check_settings, check_supported, metadata_of
from headwater.sdk.client.printing import print_escaped
from headwater.sdk.client.registered_names import note_registered, refuse_second
from headwater.sdk.client.run_info import page_of_flow
from headwater.sdk.language.flow import Flow
from headwater.sdk.storage import Local
from headwater.sdk.storage.base import Storage

if TYPE_CHECKING:
    from headwater.sdk.client.async_client import AsyncClient

RESULT_CHECK_PASSED = "Result check: OK"


@dataclass(frozen=True)
class RegisteredFlow:
    """A registered version, and what people are shown of it. `changed` is false where the idempotency key was the last one's."""

    flow_id: str
    flow_group_id: str
    version: int
    project_name: str
    labels: tuple[str, ...]
    changed: bool
    schedule: str = ""
    """When it runs by itself, and whether it does, in words; empty: it does not."""


async def register(
    client: AsyncClient,
    flow: Flow,
    project_name: str,
    *,
    build: bool = True,
    labels: Iterable[str] | None = None,
    set_schedule_active: bool | None = None,
    version_group_id: str | None = None,
    idempotency_key: str | None = None,
    storage_kwargs: Mapping[str, Any] | None = None,
) -> RegisteredFlow:
    """Check, store and register the flow. Raises as `register_flow` of `script_registration`."""
    flow.validate()
    check_supported(flow)
    check_results(flow)
    check_settings(flow)
    add_labels(flow, _labels(labels))
    log = client.log.events
    project_id = await find_project(log, project_name)
    group_id = flow_group_id(project_id, flow.name)
    if version_group_id is not None and version_group_id != group_id:
        raise InvalidArgument(
            f"Flow {flow.name!r} of project {project_name!r} has the version group {group_id}, not {version_group_id}.",
            hint="Leave version_group_id away: project and name say which flow it is.",
        )
    latest = await flow_group(log, group_id).refresh()
    if (same := latest.registered_with(idempotency_key)) is not None:
        await client.headwater.flows.keep_schedule(same, active=set_schedule_active)
        words = await _schedule_words(client, group_id)
        return RegisteredFlow(same.flow_id, group_id, same.flow_version, project_name, same.labels, changed=False, schedule=words)
    # Before it is stored: what differs each time the same code is stored must not be part of it.
    serialized_hash = flow.serialized_hash()
    refuse_second(flow, group_id, serialized_hash)
    storage = _storage_for(flow, build, storage_kwargs or {})
    if build:
        if isinstance(storage, Local):
            storage.home = client.settings.home
        storage.put_flow(flow)
        await anyio.to_thread.run_sync(storage.build)
    remove_stored = partial(_remove_stored, storage, flow.name) if build else _keep
    try:
        metadata = metadata_of(flow, storage, serialized_hash=serialized_hash)
        done: Registration = await client.headwater.flows.register(
            metadata, project_name=project_name, idempotency_key=idempotency_key, schedule_active=set_schedule_active
        )
    except OutcomeUnknown:
        raise
    except HeadwaterError:
        remove_stored()
        raise
    client.note_position(done.position)
    note_registered(flow, group_id, serialized_hash)
    if not done.changed:
        remove_stored()
    words = await _schedule_words(client, group_id)
    return RegisteredFlow(done.flow_id, group_id, done.flow_version, project_name, metadata.labels, done.changed, words)


async def _schedule_words(client: AsyncClient, group_id: str) -> str:
    """Return when the flow runs by itself, by its own schedule."""
    state = await client.headwater.schedules.of(schedule_id(group_id)).refresh()
    if state.spec is None or state.progress is None:
        return ""
    words = schedule_phrase(state.spec.timetable)
    return words if state.progress.pause is None else f"{words} (paused)"


def announce(done: RegisteredFlow, http_url: str, *, with_url: bool = True) -> None:
    """Print where a registered flow is to be found, in the words that tutorials show."""
    lines = [RESULT_CHECK_PASSED]
    if with_url:
        lines += [
            f"Flow URL: {page_of_flow(http_url, done.flow_group_id)}",
            f" └── ID: {done.flow_id}",
            f" └── Project: {done.project_name}",
            f" └── Labels: {list(done.labels)}",
            *([f" └── Schedule: {done.schedule}"] if done.schedule else []),
        ]
    print_escaped("\n".join(lines))


def _storage_for(flow: Flow, build: bool, storage_kwargs: Mapping[str, Any]) -> Storage:
    """Return where the flow's code goes; the flow itself is not changed, or its hash would differ the next time."""
    if flow.storage is not None and storage_kwargs:
        raise InvalidArgument(
            f"Flow {flow.name!r} has its storage already; {', '.join(sorted(storage_kwargs))} would choose another.",
            hint="Give these to the storage where it is made.",
        )
    if not build and (flow.storage is None or flow.name not in flow.storage):
        raise InvalidArgument(
            f"build=False registers flow {flow.name!r} as it was stored before, and it was not.",
            hint="Leave build away, or give the flow a storage and store it: storage.add_flow(flow); storage.build().",
        )
    if flow.storage is not None:
        return flow.storage
    try:
        return Local(**storage_kwargs)
    except TypeError as error:
        raise InvalidArgument(f"The flow cannot be stored so: {error}.", hint="Other arguments are passed on to Local storage.") from None


def _remove_stored(storage: Storage, flow_name: str) -> None:
    """Remove the file that was written for a registration that did not come about."""
    location = storage.flows.pop(flow_name, None)
    if not isinstance(storage, Local) or storage.stored_as_script or storage.path is not None or location is None:
        return
    Path(location).unlink(missing_ok=True)
    with suppress(OSError):  # other versions lie beside it
        Path(location).parent.rmdir()


def _keep() -> None:
    pass


def _labels(labels: Iterable[str] | None) -> Iterable[str]:
    if isinstance(labels, str):
        raise InvalidArgument(f"labels={labels!r} is one text.", hint=f"Write labels=[{labels!r}].")
    return labels or ()

"""A run and its task runs as their events leave them: read from the log itself, so that it needs no views and is never behind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec

from headwater.core.errors import NotFound
from headwater.core.events import FlowRegistered, RunCreated, TaskSpec
from headwater.core.hints import ListRunsAction, hint
from headwater.core.log import subjects
from headwater.core.log.commit import Position
from headwater.core.log.protocol import EventLog
from headwater.core.operations.flow_lookup import flow_group, tasks_and_edges
from headwater.core.runs.rules import RULES
from headwater.core.runs.state import Run
from headwater.core.runs.task_run import TaskRun
from headwater.core.states import StateName
from headwater.core.values.identifiers import parsed_task_run_id, parsed_uuid, split_flow_id
from headwater.sdk.states.state import State


@dataclass(frozen=True)
class TaskRunInfo:
    """A task run. `map_index` is -1 unless it is a mapped child; one that has not begun is Pending."""

    slug: str
    map_index: int
    name: str
    state: State
    run_count: int
    start_time: datetime | None
    end_time: datetime | None


@dataclass(frozen=True)
class FlowRunInfo:
    """A run. Times are UTC; `position` is that of the last commit on it."""

    id: str
    name: str
    flow_id: str
    flow_group_id: str
    flow_name: str
    project_name: str
    version: int
    state: State
    labels: tuple[str, ...]
    parameters: Mapping[str, Any]
    context: Mapping[str, Any]
    created: datetime
    created_by: str
    scheduled_start_time: datetime | None
    start_time: datetime | None
    end_time: datetime | None
    attempt: int
    agent_name: str
    task_runs: tuple[TaskRunInfo, ...]
    position: Position
    run_config: Mapping[str, Any] = field(default_factory=dict)


async def read_run(log: EventLog, run_id: str, *, at_least: Position = 0) -> tuple[Run, datetime, str, Position]:
    """Return the run folded, when and by whom it was created, and the position of its last commit.

    Raises:
        InvalidArgument: this is not an id.
        NotFound: there is no such run.

    """
    checked = str(parsed_uuid(run_id, kind="run id"))
    recorded = await log.read(subjects.run(checked), at_least=at_least)
    state = RULES.fold(event for each in recorded for event in each.events)
    if not state.exists:
        raise NotFound("run", run_id, hint=hint("{} lists runs with their ids.", ListRunsAction()))
    created = next(each.commit for each in recorded if each.events)
    return state, created.at, created.actor, recorded[-1].position


async def run_info(log: EventLog, run_id: str, *, at_least: Position = 0) -> FlowRunInfo:
    """Return all about a run.

    Raises:
        InvalidArgument, NotFound: there is no such run.

    """
    run, created_at, created_by, position = await read_run(log, run_id, at_least=at_least)
    created = run.created
    registered = await registration(log, created.flow_id)
    tasks = (await tasks_and_edges(log, registered))[0] if registered is not None else ()
    return FlowRunInfo(
        id=created.run_id,
        name=run.name,
        flow_id=created.flow_id,
        flow_group_id=created.flow_group_id,
        flow_name=created.flow_name,
        project_name=created.project_name,
        version=created.flow_version,
        state=state_of(run),
        labels=created.labels,
        parameters=created.parameters,
        context=created.context,
        created=created_at,
        created_by=created_by,
        scheduled_start_time=run.scheduled_for,
        start_time=run.started_at,
        end_time=run.ended_at,
        attempt=run.attempt,
        agent_name=run.agent_name,
        task_runs=tuple(_task_runs(run, tasks)),
        position=position,
        run_config=created.run_config,
    )


async def registration(log: EventLog, flow_id: str) -> FlowRegistered | None:
    """Return the registration of this flow version, archived or not; None where there is none."""
    group_id, version = split_flow_id(flow_id)
    return (await flow_group(log, group_id).refresh()).versions.get(version)


def state_of(run: Run) -> State:
    """Return the state of a run as the SDK's own kind of state."""
    scheduled = {"type": "Scheduled", "message": "Flow run scheduled.", "start_time": _text(run.scheduled_for)}
    data: dict[str, Any] = {"type": run.state.value, "message": run.message, "start_time": _text(run.due_at)}
    if run.state is StateName.SUBMITTED:
        data["state"] = scheduled
    return State.deserialize(data)


def task_state_of(task_run: TaskRun) -> State:
    """Return the state of a task run as the SDK's own kind of state; its result says where the value lies."""
    reference = None if task_run.result is None else msgspec.to_builtins(task_run.result)
    data = {"type": task_run.state.value, "message": task_run.message, "_result": reference, "run_count": task_run.run_count}
    data["start_time"] = _text(task_run.due_at)
    return State.deserialize(data)


def _task_runs(run: Run, tasks: Iterable[TaskSpec]) -> Iterable[TaskRunInfo]:
    """Yield the task runs in the order of the flow's tasks, mapped children after their parent."""
    names = {task.slug: task.name for task in tasks}
    order = {slug: number for number, slug in enumerate(names)}
    pending = TaskRun()
    known = {(slug, -1): pending for slug in names} | dict(run.task_runs.items())
    for slug, map_index in sorted(known, key=lambda key: (order.get(key[0], len(order)), key)):
        found = known[slug, map_index]
        yield TaskRunInfo(
            slug=slug,
            map_index=map_index,
            name=found.name or names.get(slug, slug),
            state=task_state_of(found),
            run_count=found.run_count,
            start_time=found.started_at,
            end_time=found.ended_at,
        )


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def page_of_run(http_url: str, created: RunCreated | str) -> str:
    """Return the address of a run's page."""
    return f"{http_url}/default/flow-run/{created if isinstance(created, str) else created.run_id}"


def page_of_flow(http_url: str, flow_group_id: str) -> str:
    """Return the address of a flow's page: that of its group, which is the same for all of its versions."""
    return f"{http_url}/default/flow/{flow_group_id}"


def page_of_task_run(http_url: str, task_run_id: str) -> str:
    """Return the address of a task run's page.

    Raises:
        InvalidArgument: this is not the id of a task run.

    """
    run_id, slug, map_index = parsed_task_run_id(task_run_id)
    child = "" if map_index < 0 else f"?index={map_index}"
    return f"{http_url}/default/task-run/{quote(run_id, safe='')}/{quote(slug, safe='')}{child}"

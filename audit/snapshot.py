"""What is to be said of an aggregate, as plain data: the same words as in the views."""

from __future__ import annotations

from typing import Any

import msgspec

from headwater.core.agents.state import Agent
from headwater.core.backfills.state import Backfill
from headwater.core.events import RunCreated
from headwater.core.flows.state import FlowGroup
from headwater.core.key_values.state import KeyValue
from headwater.core.projects.state import Project
from headwater.core.queues.state import Queue
from headwater.core.runs.state import Run
from headwater.core.runs.task_run import TaskRun, TaskRunKey
from headwater.core.schedules.state import ScheduleState


def snapshot_of(kind: str, aggregate_id: str, state: Any) -> dict[str, Any]:
    """Return the facts of an aggregate, its id and name first. All values are JSON, but for times."""
    match state:
        case Project():
            facts = {"name": state.name, "description": state.description, "deleted": state.deleted}
        case KeyValue():
            facts = {"name": state.key, "project_id": state.project_id, "value": state.value, "deleted": not state.exists}
        case FlowGroup():
            facts = _flow(state)
        case Run():
            facts = _run(state)
        case Queue():
            facts = {"name": ", ".join(state.labels), "labels": list(state.labels)}
        case Agent():
            facts = {"name": state.name, "labels": list(state.labels), "status": str(state.status)}
        case ScheduleState():
            facts = _schedule(state)
        case Backfill():
            facts = _backfill(state)
        case _:
            raise AssertionError(f"No facts are known of a {kind}.")
    return {"id": aggregate_id, **facts}


def _flow(group: FlowGroup) -> dict[str, Any]:
    return {
        "name": group.name,
        "project_id": group.project_id,
        "deleted": group.deleted,
        "idempotency_key": group.idempotency_key,
        "versions": {str(number): "active" if number in group.active else "archived" for number in sorted(group.versions)},
    }


def _backfill(backfill: Backfill) -> dict[str, Any]:
    request = backfill.request
    asked = {} if request is None else {"name": request.name, "schedule_id": request.schedule_id, "times": len(request.times)}
    return {**asked, "started": backfill.started, "ended": len(backfill.ended), "over": backfill.over, "cancelled": backfill.cancelled}


def _schedule(schedule: ScheduleState) -> dict[str, Any]:
    definition, progress = schedule.definition, schedule.progress
    known = {} if definition is None else {"name": definition.slug, "flow_group_id": definition.flow_group_id}
    pause = None if progress is None or progress.pause is None else msgspec.to_builtins(progress.pause)
    return {
        **known,
        "spec": msgspec.to_builtins(schedule.spec),
        "deleted": not schedule.exists,
        "decided": None if progress is None else progress.decided,
        "pause": pause,
        "runs_made": 0 if progress is None else progress.runs_made,
        "open_runs": [] if progress is None else [each.run_id for each in progress.open_runs],
    }


def _run(run: Run) -> dict[str, Any]:
    described = _creation(run.created) if run.exists else {}
    return {
        "name": run.name,
        "state": str(run.state),
        "state_message": run.message,
        **described,
        "scheduled_start_time": run.scheduled_for,
        "start_time": run.started_at,
        "end_time": run.ended_at,
        "attempt": run.attempt,
        "agent_id": run.agent_id or None,
        "agent_name": run.agent_name or None,
        "cancel_requested": run.cancel_requested,
        "failure": msgspec.to_builtins(run.failure),
        **_artifacts(run),
        "task_runs": {_task_run_name(key): _task_run(task_run) for key, task_run in sorted(run.task_runs.items())},
    }


def _artifacts(run: Run) -> dict[str, Any]:
    """Return the artifacts, which most runs have none of, each with its kind and the task run that has it."""
    shown = {each: f"{found.kind} of {_task_run_name((found.slug, found.map_index))}" for each, found in sorted(run.artifacts.items())}
    return {"artifacts": shown} if shown else {}


def _creation(created: RunCreated) -> dict[str, Any]:
    return {
        "flow_id": created.flow_id,
        "flow_name": created.flow_name,
        "project_id": created.project_id,
        "project_name": created.project_name,
        "version": created.flow_version,
        "labels": list(created.labels),
        "parameters": created.parameters,
    }


def _task_run_name(key: TaskRunKey) -> str:
    slug, map_index = key
    return slug if map_index < 0 else f"{slug}[{map_index}]"


def _task_run(task_run: TaskRun) -> dict[str, Any]:
    return {
        "state": str(task_run.state),
        "state_message": task_run.message,
        "run_count": task_run.run_count,
        "start_time": task_run.started_at,
        "end_time": task_run.ended_at,
    }

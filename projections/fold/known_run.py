"""What the projector remembers of a run between batches: its head, and those of its task runs that matter now."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from headwater.core.events import Failure, ResultReference, RunCancelRequested, RunCreated
from headwater.core.log.commit import Position
from headwater.core.runs import run_head
from headwater.core.runs.run_head import RunHead
from headwater.core.runs.task_run import TaskRun, TaskRunKey
from headwater.core.states import StateName

_decode_failure = msgspec.json.Decoder(Failure).decode
_decode_result = msgspec.json.Decoder(ResultReference).decode


class ShownTaskRun(msgspec.Struct, frozen=True, gc=False):
    """A task run, with the attempt that it changed in last by an event of its own, and where in the log that event is."""

    run_id: str
    slug: str
    map_index: int
    task_run: TaskRun
    attempt: int
    position: Position


class KnownRun:
    """A run that exists. While it `is_new` it has no row, and `created` is at hand: what it was given is not kept longer than that.

    `task_runs` are by slugs as PostgreSQL keeps them. Where it `has_all_task_runs`, one that is not among them has no row.
    `counted_state` is the state under which the run is counted.

    What comes from a row has what rows show. The rest of a head (generation, losses, why it is cancelled) and of a task run (loops,
    whether it was resumed) is as if nothing had happened: no row depends on it.
    """

    __slots__ = (
        "counted_state",
        "created",
        "created_at",
        "created_by",
        "created_position",
        "flow_group_id",
        "has_all_task_runs",
        "head",
        "is_new",
        "position",
        "project_id",
        "run_id",
        "task_runs",
    )

    def __init__(self, run_id: str, flow_group_id: str, project_id: str, created_at: datetime) -> None:
        self.run_id = run_id
        self.flow_group_id = flow_group_id
        self.project_id = project_id
        self.created_at = created_at
        self.created_by = ""
        self.created_position: Position = 0
        self.position: Position = 0
        self.head = RunHead()
        self.is_new = False
        self.created: RunCreated
        self.counted_state: str | None = None
        self.task_runs: dict[TaskRunKey, ShownTaskRun] = {}
        self.has_all_task_runs = False

    @classmethod
    def made_by(cls, event: RunCreated, run_id: str, at: datetime, actor: str, position: Position) -> KnownRun:
        """Return the run that the event creates."""
        run = cls(run_id, event.flow_group_id, event.project_id, at)
        run.created = event
        run.head = run_head.evolve(run.head, event)
        run.created_by = actor
        run.created_position = position
        run.is_new = run.has_all_task_runs = True
        return run

    @classmethod
    def loaded(cls, row: Any) -> KnownRun:
        """Return the run in a row of `runs` that was read back."""
        run = cls(str(row["id"]), str(row["flow_group_id"]), str(row["project_id"]), row["created"])
        run.created_position = row["created_position"]
        run.position = row["position"]
        run.counted_state = row["state"]
        run.head = RunHead(
            name=row["name"],
            state=StateName(row["state"]),
            message=row["state_message"],
            scheduled_for=row["scheduled_start_time"],
            attempt=row["attempt"],
            held=row["held"],
            agent_id=row["agent_id"] or "",
            agent_name=row["agent_name"] or "",
            cancel_request=RunCancelRequested() if row["cancel_requested"] else None,
            started_at=row["start_time"],
            ended_at=row["end_time"],
            failure=None if row["failure"] is None else _decode_failure(row["failure"]),
        )
        return run

    def load_task_run(self, row: Any) -> None:
        """Take in a row of `task_runs` that was read back, where nothing newer is known."""
        key = (row["slug"], row["map_index"])
        if key in self.task_runs:
            return
        task_run = TaskRun(
            state=StateName(row["state"]),
            run_count=row["run_count"] or 0,
            message=row["state_message"],
            started_at=row["start_time"],
            ended_at=row["end_time"],
            result=None if row["result"] is None else _decode_result(row["result"]),
            failure=None if row["failure"] is None else _decode_failure(row["failure"]),
            child_count=row["child_count"],
            name=row["name"] or "",
            due_at=row["retry_at"],
        )
        self.task_runs[key] = ShownTaskRun(self.run_id, *key, task_run, row["attempt"], row["position"])

    def mark_committed(self) -> None:
        """Note that the rows are committed: what the run was given need not be kept any more."""
        self.counted_state = self.head.state
        if self.is_new:
            self.is_new = False
            self.head = replace(self.head, creation=None)
            del self.created

    def forget_task_runs(self) -> int:
        """Keep no task runs in memory; return how many there were."""
        count = len(self.task_runs)
        self.task_runs.clear()
        self.has_all_task_runs = False
        return count

"""A run as the projector holds it in memory between batches."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from headwater.core.events import RunCreated


class RunRecord:
    """The changing columns of a run, and enough of the others to count it. `created` is at hand only until its row is written.

    `counted_state` is the state under which the run is counted so far.
    """

    __slots__ = (
        "agent_id",
        "agent_name",
        "attempt",
        "cancel_requested",
        "counted_state",
        "created",
        "created_at",
        "created_by",
        "created_position",
        "deleted",
        "end_time",
        "failure",
        "flow_group_id",
        "held",
        "message",
        "name",
        "position",
        "project_id",
        "run_id",
        "scheduled_start_time",
        "start_time",
        "state",
    )

    def __init__(self, run_id: str, flow_group_id: str, project_id: str, created_at: datetime) -> None:
        self.run_id = run_id
        self.flow_group_id = flow_group_id
        self.project_id = project_id
        self.created_at = created_at
        self.created: RunCreated | None = None
        self.created_by = ""
        self.created_position = 0
        self.counted_state: str | None = None
        self.name = ""
        self.state = "Pending"
        self.message = ""
        self.scheduled_start_time: datetime | None = None
        self.start_time: datetime | None = None
        self.end_time: datetime | None = None
        self.attempt = 0
        self.held = False
        self.agent_id: str | None = None
        self.agent_name: str | None = None
        self.cancel_requested = False
        self.deleted = False
        self.failure: str | None = None
        self.position = 0

    @classmethod
    def loaded(cls, row: Any) -> RunRecord:
        """Return the record in a row of `runs` that was read back."""
        record = cls(str(row["id"]), str(row["flow_group_id"]), str(row["project_id"]), row["created"])
        record.created_position = row["created_position"]
        record.counted_state = record.state = row["state"]
        record.name = row["name"]
        record.message = row["state_message"]
        record.scheduled_start_time = row["scheduled_start_time"]
        record.start_time = row["start_time"]
        record.end_time = row["end_time"]
        record.attempt = row["attempt"]
        record.held = row["held"]
        record.agent_id = row["agent_id"]
        record.agent_name = row["agent_name"]
        record.cancel_requested = row["cancel_requested"]
        record.failure = row["failure"]
        record.position = row["position"]
        return record

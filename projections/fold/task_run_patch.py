"""What a batch changes of one task run, without knowing what was before: a None in the fields below `state` keeps what is there."""

from __future__ import annotations

from datetime import datetime


class TaskRunPatch:
    """`state` None means that only the name changes. `start_time` keeps the earliest; the rest follows the last state."""

    __slots__ = (
        "attempt",
        "child_count",
        "end_time",
        "failure",
        "message",
        "name",
        "position",
        "result",
        "retry_at",
        "run_count",
        "start_time",
        "state",
    )

    def __init__(self) -> None:
        self.state: str | None = None
        self.message = ""
        self.end_time: datetime | None = None
        self.retry_at: datetime | None = None
        self.result: str | None = None
        self.failure: str | None = None
        self.attempt = 0
        self.position = 0
        self.name: str | None = None
        self.run_count: int | None = None
        self.start_time: datetime | None = None
        self.child_count: int | None = None

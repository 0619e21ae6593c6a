"""One task in one run of a flow, or one mapped child of it, and how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from headwater.core.values.moments import assume_utc
from headwater.sdk.engine.plan import Step
from headwater.sdk.states.state import Looped, Pending, Resume, Scheduled, State

PENDING = Pending("Task run created")
NO_CONTEXT: dict[str, Any] = {}


class TaskRun:
    """A step of the plan in one run of the flow, or one mapped child of it, and how far it is.

    `before` holds the states of the tasks before it, one for each edge of the step.
    """

    __slots__ = (
        "before",
        "caching",
        "children",
        "context",
        "followers",
        "loop_count",
        "loop_result",
        "map_index",
        "parent",
        "released",
        "resumed",
        "run_count",
        "state",
        "step",
        "unfinished",
        "waits_for",
    )

    def __init__(self, step: Step, before: Sequence[State] = (), *, map_index: int = -1, parent: TaskRun | None = None) -> None:
        self.step = step
        self.before = before
        self.map_index = map_index
        self.parent = parent
        self.state: State = PENDING
        self.run_count = 0
        self.resumed = False
        """Whether it went on after its last pause: what paused it lets it pass, also when it is tried again."""
        self.loop_count = 1
        self.loop_result: Any = None
        self.context = NO_CONTEXT
        self.caching: tuple[str, dict[str, Any]] | None = None
        """Under which key the result is to be remembered, and for which inputs."""
        self.children: Sequence[TaskRun] = ()
        self.unfinished = 0
        """How many children are not over yet."""
        self.released = False
        """Whether those that map over this mapped task have been let go before its children are over."""
        self.followers: list[TaskRun] | None = None
        """Children of other mapped tasks that take this child's result."""
        self.waits_for: list[tuple[int, TaskRun]] | None = None
        """Children of other mapped tasks that must be over first: the number of the edge, and which."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state.is_finished() and type(self.state) is not Looped

    @property
    def order(self) -> tuple[int, int, int]:
        """Which of several that could go on goes first: along a row of mapped tasks, rather than across."""
        return (self.step.root, self.map_index, self.step.position)

    @property
    def name(self) -> str:
        """The task's name, with the index of a mapped child: `load[3]`."""
        return self.step.task.name if self.map_index < 0 else f"{self.step.task.name}[{self.map_index}]"

    @property
    def due(self) -> datetime | None:
        """When it is to go on, if it waits for a time."""
        start_time = self.state.start_time if isinstance(self.state, Scheduled) and not isinstance(self.state, Resume) else None
        return assume_utc(start_time) if isinstance(start_time, datetime) else None

"""What a batch of commits changes, gathered in memory so that it can be written in bulk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from headwater.projections.fold.known_run import KnownRun, ShownTaskRun
from headwater.projections.tables import (
    CachedResult,
    DeadLetterEntry,
    RunStateEntry,
    ScheduleOutcome,
    ShownArtifact,
    ShownKeyValue,
    ShownProgress,
    TaskRunStateEntry,
)

Step = Callable[[Any], Awaitable[None]]
"""Something to be done on the database connection, inside the batch's transaction."""


class CannotApply(Exception):
    """A commit contradicts what was before it, or is of no shape we know. It becomes a dead letter; the sentence says why."""


class Changes:
    """The changes of one batch. `steps` are the rare ones, done in order, one by one; the rest is written in bulk.

    `runs` are those that changed; task runs are apart that had no row before.
    """

    __slots__ = (
        "archived_flows",
        "artifacts",
        "cached_results",
        "changed_task_runs",
        "created_runs",
        "dead_letters",
        "deleted_artifacts",
        "deleted_keys",
        "deleted_projects",
        "deleted_runs",
        "key_values",
        "last_fired",
        "new_task_runs",
        "renamed_runs",
        "run_states",
        "runs",
        "schedule_outcomes",
        "schedules",
        "steps",
        "task_run_states",
        "updated_artifacts",
    )

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.runs: dict[str, KnownRun] = {}
        self.run_states: list[RunStateEntry] = []
        self.new_task_runs: dict[tuple[str, str, int], ShownTaskRun] = {}
        self.changed_task_runs: dict[tuple[str, str, int], ShownTaskRun] = {}
        self.task_run_states: list[TaskRunStateEntry] = []
        self.cached_results: list[CachedResult] = []
        self.artifacts: dict[str, ShownArtifact] = {}
        self.updated_artifacts: dict[str, tuple[Any, ...]] = {}
        self.deleted_artifacts: set[str] = set()
        self.dead_letters: list[DeadLetterEntry] = []
        self.archived_flows: set[str] = set()
        self.created_runs: list[str] = []
        self.key_values: dict[str, ShownKeyValue] = {}
        self.deleted_keys: set[str] = set()
        self.deleted_projects: set[str] = set()
        self.deleted_runs: set[str] = set()
        self.renamed_runs: set[str] = set()
        self.schedules: dict[str, ShownProgress] = {}
        self.schedule_outcomes: list[ScheduleOutcome] = []
        self.last_fired: dict[str, tuple[datetime, str]] = {}

    def execute(self, statement: str, *arguments: Any) -> None:
        """Have this statement run in its turn."""

        async def step(db: Any) -> None:
            await db.execute(statement, *arguments)

        self.steps.append(step)

    def update(self, statement: str, *arguments: Any) -> None:
        """Have this statement run in its turn; the commit cannot be applied if there is no row for it to change."""

        async def step(db: Any) -> None:
            if (await db.execute(statement, *arguments)).endswith(" 0"):
                raise CannotApply("What it changes was never created.")

        self.steps.append(step)

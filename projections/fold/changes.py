"""What a batch of commits changes, gathered in memory so that it can be written in bulk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from headwater.projections.fold.run_record import RunRecord
from headwater.projections.fold.task_run_patch import TaskRunPatch

Step = Callable[[Any], Awaitable[None]]
"""Something to be done on the database connection, inside the batch's transaction."""


class CannotApply(Exception):
    """A commit contradicts what was before it, or is of no shape we know. It is set aside; the sentence says why."""


class Changes:
    """The changes of one batch. `steps` are the rare ones, done in order, one by one; the rest is written in bulk."""

    __slots__ = (
        "archived_flows",
        "artifacts",
        "cached_results",
        "changed_artifacts",
        "created_runs",
        "deleted_artifacts",
        "deleted_keys",
        "deleted_projects",
        "deleted_runs",
        "interrupted_runs",
        "key_values",
        "restarts",
        "run_states",
        "runs",
        "set_aside",
        "steps",
        "task_run_states",
        "task_runs",
    )

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.runs: dict[str, RunRecord] = {}
        self.run_states: list[tuple[Any, ...]] = []
        self.task_runs: dict[str, dict[tuple[str, int], TaskRunPatch]] = {}
        self.task_run_states: list[tuple[Any, ...]] = []
        self.cached_results: list[tuple[Any, ...]] = []
        self.artifacts: dict[str, list[Any]] = {}
        self.changed_artifacts: dict[str, tuple[Any, ...]] = {}
        self.deleted_artifacts: set[str] = set()
        self.interrupted_runs: set[str] = set()
        self.restarts: list[tuple[str, list[str], list[str], list[int]]] = []
        self.set_aside: list[tuple[Any, ...]] = []
        self.archived_flows: set[str] = set()
        self.created_runs: list[str] = []
        self.key_values: dict[str, tuple[Any, ...]] = {}
        self.deleted_keys: set[str] = set()
        self.deleted_projects: set[str] = set()
        self.deleted_runs: set[str] = set()

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


def text(words: str) -> str:
    """Return words that PostgreSQL can keep: it has no place for U+0000, which shows as U+FFFD."""
    return words.replace("\0", "\N{REPLACEMENT CHARACTER}") if "\0" in words else words


def optional_text(words: str | None) -> str | None:
    return None if words is None else text(words)


_encode = msgspec.json.Encoder().encode


def json(value: Any) -> str:
    """Return the value as JSON text, its keys in their order."""
    return _encode(value).decode()


def optional_json(value: Any) -> str | None:
    return None if value is None else _encode(value).decode()

"""Nothing that the core names is missing from the views."""

from __future__ import annotations

from typing import get_args

from headwater.core import queries
from headwater.core.events import (
    EVENT_TYPES,
    AgentEvent,
    BackfillEvent,
    FlowEvent,
    KeyValueEvent,
    NameEvent,
    PartEvent,
    ProjectEvent,
    QueueEvent,
    RunCreated,
    ScheduleEvent,
    SlotEvent,
)
from headwater.core.queries import AnyQuery, GetDeadLetter, GetViewsStatus, ListDeadLetters, RetryDeadLetter, StartRebuild
from headwater.core.runs.commands import CreateRun
from headwater.projections.fold.artifacts import ARTIFACT_FOLDS
from headwater.projections.fold.runs import RUN_EVENTS
from headwater.projections.fold.task_runs import TASK_RUN_EVENTS
from headwater.projections.queries import _STATEMENTS

OF_THE_CATALOGUE = {
    *get_args(ProjectEvent | NameEvent | KeyValueEvent | FlowEvent | AgentEvent | PartEvent | QueueEvent | SlotEvent),
    *get_args(ScheduleEvent | BackfillEvent),
}


def test_every_event_has_a_fold() -> None:
    assert set(EVENT_TYPES) == {*RUN_EVENTS, *TASK_RUN_EVENTS, *ARTIFACT_FOLDS, *OF_THE_CATALOGUE}


def test_every_question_has_a_statement() -> None:
    assert set(get_args(AnyQuery)) == {*_STATEMENTS, GetViewsStatus, StartRebuild, ListDeadLetters, GetDeadLetter, RetryDeadLetter}


def test_a_run_shows_all_that_its_creation_names() -> None:
    shown = set(queries.RunRow.__struct_fields__)
    told_otherwise = {
        "attempts_max": "id", "created": "id", "due_at": "scheduled_start_time", "flow_version": "version", "run_id": "id",
        "storage": "flow_id",
    }  # fmt: skip

    named = {*CreateRun.__dataclass_fields__, *RunCreated.__struct_fields__}
    assert {told_otherwise.get(name, name) for name in named} <= shown

"""The timeline of a run, and why one waits, from rows as the views give them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from headwater.core.queries import RunRow, RunStateRow, TaskGroupRow, TaskRunStateRow
from headwater.web.timeline import LANES_MAX, Bar, telling_state, timeline

AT = datetime(2026, 5, 17, 12, tzinfo=UTC)


def _at(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def _run(state: str = "Running", *, end: float | None = None, **more: Any) -> RunRow:
    fields: dict[str, Any] = {
        "id": "r",
        "name": "run",
        "state": state,
        "state_message": "",
        "flow_id": "f",
        "flow_group_id": "g",
        "flow_name": "flow",
        "project_id": "p",
        "project_name": "tutorial",
        "version": 1,
        "labels": (),
        "parameters": {},
        "context": {},
        "run_config": {},
        "created": AT,
        "created_by": "test",
        "scheduled_start_time": AT,
        "start_time": None,
        "attempt": 1,
        "agent_id": None,
        "end_time": None if end is None else _at(end),
        "agent_name": None,
        "cancel_requested": False,
        "failure": None,
        "queue_id": "q",
        "idempotency_key": None,
        "schedule_id": None,
        "nominal": None,
        "scheduled_by": None,
        "position": 1,
    }
    return RunRow(**{**fields, **more})


def _state(state: str, at: float) -> RunStateRow:
    return RunStateRow(
        run_id="r", state=state, message="", at=_at(at), attempt=1, actor="a", scheduled_start_time=None, failure=None, position=1
    )


def _change(state: str, at: float, run_count: int = 1) -> TaskRunStateRow:
    return TaskRunStateRow(
        run_id="r", slug="t-1", map_index=-1, state=state, message="", at=_at(at), attempt=1, run_count=run_count, failure=None, position=1
    )


def _group(slug: str = "t-1", **more: Any) -> TaskGroupRow:
    fields: dict[str, Any] = {"run_id": "r", "slug": slug, "name": slug, "state": "Running", "mapped": False, "child_count": None}
    return TaskGroupRow(**{**fields, "counts": {"Running": 1}, "start_time": None, "end_time": None, **more})


def test_each_execution_and_each_wait_is_a_bar() -> None:
    changes = [_change("Running", 1), _change("Retrying", 2), _change("Running", 5, 2), _change("Success", 6)]

    drawn = timeline(_run("Success", end=7), [_state("Submitted", 0), _state("Running", 0.5)], [_group()], changes, _at(100))

    assert [(bar.state, bar.start, bar.length) for bar in drawn.lanes[1].bars] == [
        ("Failed", 1000, 1000),
        ("Retrying", 2000, 3000),
        ("Success", 5000, 1000),
    ]
    assert (drawn.total, drawn.open) == (7000, False)


def test_what_goes_on_has_no_length_and_the_timeline_grows() -> None:
    drawn = timeline(_run(), [_state("Scheduled", 0), _state("Running", 1)], [_group()], [_change("Running", 2)], _at(10))

    assert drawn.open
    assert drawn.total == 10_000
    assert drawn.lanes[0].bars[-1] == Bar("Running", 1000, None, "")
    assert drawn.lanes[1].bars == (Bar("Running", 2000, None, ""),)


def test_of_a_long_wait_before_the_first_attempt_little_is_shown() -> None:
    drawn = timeline(_run(end=3610), [_state("Scheduled", 0), _state("Submitted", 3600), _state("Running", 3601)], [], [], _at(4000))

    assert drawn.begins == _at(3598)
    assert drawn.total == 12_000
    assert drawn.lanes[0].bars[0] == Bar("Scheduled", 0, 2000, "")


def test_mapped_children_share_a_lane_and_only_so_many_tasks_are_drawn() -> None:
    mapped = _group(child_count=20, counts={"Success": 18, "Failed": 2}, start_time=_at(1), end_time=_at(4))

    drawn = timeline(_run(end=5), [_state("Running", 0)], [mapped, *(_group(f"t-{n}") for n in range(LANES_MAX + 9))], [], _at(9))

    assert drawn.lanes[1].bars == (Bar("Failed", 1000, 3000, "20 mapped task runs"),)
    assert (drawn.lanes[1].children, drawn.lanes[1].state) == (20, "Failed")
    assert (len(drawn.lanes), drawn.left_out) == (LANES_MAX + 1, 10)


@pytest.mark.parametrize(
    ("counts", "state"),
    [
        ({"Success": 5, "Failed": 1, "Running": 3}, "Failed"),
        ({"Success": 5, "TimedOut": 1}, "TimedOut"),
        ({"Success": 5, "Running": 1, "Pending": 3}, "Running"),
        ({"Success": 5, "Pending": 3}, "Pending"),
        ({"Success": 5, "Cached": 3}, "Success"),
        ({}, "Pending"),
    ],
)
def test_a_group_is_shown_by_the_state_that_matters(counts: dict[str, int], state: str) -> None:
    assert telling_state(counts) == state

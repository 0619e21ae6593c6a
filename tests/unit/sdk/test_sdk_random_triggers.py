"""Random flows of tasks that succeed, fail and skip, under random triggers: each ends as its rule says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater import Flow, task
from headwater.sdk.context.configuration import set_temporary_config
from headwater.sdk.executors import ThreadExecutor
from headwater.sdk.language.errors import InvalidFlow
from headwater.sdk.language.triggers import (
    all_failed,
    all_finished,
    all_successful,
    any_failed,
    any_successful,
    not_all_skipped,
    some_failed,
    some_successful,
)
from headwater.sdk.states.signals import FAIL, SKIP

TRIGGERS: dict[str, Any] = {
    "all_successful": all_successful,
    "all_failed": all_failed,
    "any_successful": any_successful,
    "any_failed": any_failed,
    "all_finished": all_finished,
    "not_all_skipped": not_all_skipped,
    "half_successful": some_successful(at_least=0.5),
    "one_failed_at_most": some_failed(at_most=1),
}


def allowed(trigger: str, before: Sequence[str]) -> bool:
    """The table of triggers, read literally."""
    well = [state for state in before if state in {"Success", "Skipped"}]
    badly = [state for state in before if state in {"Failed", "TriggerFailed"}]
    return {
        "all_successful": len(well) == len(before),
        "all_failed": len(badly) == len(before),
        "any_successful": bool(well) or not before,
        "any_failed": bool(badly) or not before,
        "all_finished": True,
        "not_all_skipped": not badly,
        "half_successful": 2 * len(well) >= len(before),
        "one_failed_at_most": len(badly) <= 1,
    }[trigger]


def final_state(outcome: str, trigger: str, skips: bool, before: Sequence[str]) -> str:
    if skips and "Skipped" in before:
        return "Skipped"
    counted = [*before, "Success"]  # the task's argument is a value
    return outcome if allowed(trigger, counted) else "TriggerFailed"


@task
def end(outcome: str) -> None:
    if outcome == "Failed":
        raise FAIL("as asked")
    if outcome == "Skipped":
        raise SKIP("as asked")


@settings(max_examples=120, deadline=None)
@given(
    plan=st.lists(
        st.tuples(
            st.sampled_from(["Success", "Success", "Failed", "Skipped"]),
            st.sampled_from(sorted(TRIGGERS)),
            st.booleans(),
            st.sets(st.integers(0, 9), max_size=4),
        ),
        min_size=1,
        max_size=10,
    ),
    in_threads=st.booleans(),
)
def test_each_task_ends_as_its_rule_says(plan: list[tuple[str, str, bool, set[int]]], in_threads: bool) -> None:
    expected: list[str] = []
    with Flow("random") as flow:
        made: list[Any] = []
        for number, (outcome, trigger, skips, links) in enumerate(plan):
            before = sorted({link % number for link in links}) if number else []
            settings_of_task = {"trigger": TRIGGERS[trigger], "skip_on_upstream_skip": skips, "name": f"t{number}"}
            made.append(end(outcome, task_args=settings_of_task, upstream_tasks=[made[each] for each in before]))
            expected.append(final_state(outcome, trigger, skips, [expected[each] for each in before]))

    state = flow.run(executor=ThreadExecutor(3) if in_threads else None)

    assert [type(state.result[each]).__name__ for each in made] == expected
    last = [expected[made.index(each)] for each in flow.terminal_tasks()]
    assert state.is_failed() == any(each in {"Failed", "TriggerFailed"} for each in last)


def test_a_circle_is_refused_where_it_is_closed_if_that_is_asked_for() -> None:
    flow = Flow("circle")
    first, second = end.copy(name="first"), end.copy(name="second")
    flow.add_edge(first, second, validate=True)

    with pytest.raises(InvalidFlow, match="run in a circle"):
        flow.add_edge(second, first, validate=True)
    with set_temporary_config({"flows.eager_edge_validation": True}), pytest.raises(InvalidFlow, match="run in a circle"):
        flow.add_edge(second, first)

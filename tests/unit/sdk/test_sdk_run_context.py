"""`headwater.context` in local runs: what is there, and what the place where a run is started has to do with it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import headwater
from headwater import Flow, Parameter, task

context = headwater.context
DAYS = ("today", "yesterday", "tomorrow", "today_nodash", "yesterday_nodash", "tomorrow_nodash")
OF_3_FEBRUARY = ("2001-02-03", "2001-02-02", "2001-02-04", "20010203", "20010202", "20010204")


@task
def days() -> Any:
    return (context.date, *(context[name] for name in DAYS))


def test_tasks_know_the_names_and_ids_of_all_that_they_belong_to() -> None:
    keys = ("flow_name", "flow_id", "flow_run_id", "flow_run_name", "task_id", "task_slug", "task_run_id", "map_index", "task_run_count")
    know = task(lambda x=None: {key: context[key] for key in keys}, name="know", tags=["x"])
    with Flow("f") as flow:
        alone, mapped = know(), know.map([1, 2])

    result = flow.run(flow_run_name="tuesday", flow_run_id="r-1").result

    of_all = {"flow_name": "f", "flow_id": "f", "flow_run_id": "r-1", "flow_run_name": "tuesday", "task_run_count": 1}
    assert result[alone].result == {
        **of_all,
        "task_id": "know-x-1",
        "task_slug": "know-x-1",
        "task_run_id": "r-1/know-x-1/-1",
        "map_index": None,
    }
    assert result[mapped].map_states[1].result == {
        **of_all,
        "task_id": "know-x-2",
        "task_slug": "know-x-2",
        "task_run_id": "r-1/know-x-2/1",
        "map_index": 1,
    }


def test_names_of_task_runs_and_places_can_be_made_of_them() -> None:
    @task(task_run_name="{flow_run_name}-{flow_id}-{task_id}-{map_index}-{q}-{a}-{today}")
    def named(a: int) -> str:
        return str(context.task_run_name)

    with Flow("f") as flow:
        flow.add_task(Parameter("q", default=3))
        one, several = named(1), named.map([2])

    result = flow.run(flow_run_name="n", context={"date": "2001-02-03"}).result

    assert result[one].result == "n-f-named-1-None-3-1-2001-02-03"
    assert result[several].result == ["n-f-named-2-0-3-2-2001-02-03"]


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        ("2001-02-03", datetime(2001, 2, 3, tzinfo=UTC)),
        ("20010203", datetime(2001, 2, 3, tzinfo=UTC)),
        ("2001-02-03T04:05:06", datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)),
        ("2001-02-03T23:05:06+09:00", datetime(2001, 2, 3, 14, 5, 6, tzinfo=UTC)),
        (datetime(2001, 2, 3, tzinfo=ZoneInfo("Asia/Tokyo")), datetime(2001, 2, 2, 15, tzinfo=UTC)),
    ],
)
def test_a_run_for_another_day_has_the_days_around_it(given: Any, moment: datetime) -> None:
    flow = Flow("f", tasks=[days])

    from_argument = flow.run(context={"date": given}).result[days].result
    with context(date=given):
        from_block = flow.run().result[days].result

    assert from_argument == from_block == (moment, *OF_3_FEBRUARY)


@pytest.mark.parametrize("given", ["the third", date(2001, 2, 3), 5])
def test_a_date_that_is_none_stays_and_moves_no_day(given: Any, caplog: pytest.LogCaptureFixture) -> None:
    found, today, *_ = Flow("f", tasks=[days]).run(context={"date": given}).result[days].result

    assert found == given
    assert abs(datetime.fromisoformat(today).replace(tzinfo=UTC) - datetime.now(UTC)) < timedelta(days=2)
    assert "today, yesterday and tomorrow are those of the start of the run" in caplog.text


def test_a_day_that_is_given_is_not_derived() -> None:
    _, today, yesterday, *_ = Flow("f", tasks=[days]).run(context={"date": "2001-02-03", "today": "X"}).result[days].result

    assert (today, yesterday) == ("X", "2001-02-02")


def test_the_first_day_there_is_has_no_yesterday() -> None:
    known = task(lambda: (context.today, context.get("yesterday")), name="known")

    assert Flow("f", tasks=[known]).run(context={"date": "0001-01-01"}).result[known].result == ("0001-01-01", None)


def test_values_around_a_run_are_seen_by_its_tasks_and_lose_against_those_of_the_run() -> None:
    seen = task(lambda: (context.one, context.two), name="seen")

    with context(one="outer", two="outer"):
        assert Flow("f", tasks=[seen]).run(context={"two": "run"}).result[seen].result == ("outer", "run")


def test_what_names_a_run_is_its_own_wherever_it_is_started() -> None:
    known = task(lambda: (context.flow_name, context.flow_id, context.flow_run_id, context.flow_run_name), name="known")

    with context(flow_name="x", flow_id="x", flow_run_id="x", flow_run_name="x"):
        flow_name, flow_id, run_id, run_name = Flow("f", tasks=[known]).run().result[known].result

    assert (flow_name, flow_id) == ("f", "f")
    assert "x" not in {run_id, run_name}


@pytest.mark.parametrize(
    ("settings", "value"),
    [
        ({}, 11),
        ({"q": 12}, 12),
        ({"parameters": {"q": 12}}, 12),
        ({"context": {"parameters": {"q": 13}}}, 13),
        ({"context": {"parameters": {"q": 13}}, "q": 12}, 12),
    ],
)
def test_parameters_around_a_run_win_over_defaults_only(settings: dict[str, Any], value: int) -> None:
    q = Parameter("q", default=3)
    known = task(lambda q: (q, context.parameters["q"]), name="known")
    with Flow("f") as flow:
        both = known(q)

    with context(parameters={"q": 11}):
        assert flow.run(**settings).result[both].result == (value, value)


def test_task_contexts_are_seen_by_their_task_alone() -> None:
    one, other = (task(lambda: context.get("extra"), name=name) for name in ("one", "other"))

    result = Flow("f", tasks=[one, other]).run(task_contexts={one: {"extra": 5}}).result

    assert (result[one].result, result[other].result) == (5, None)

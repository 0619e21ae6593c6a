"""Schedules by GraphQL: Prefect's mutations, what they are refused for, and what is read of a schedule."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from harness.history_builder import chain
from harness.views_fixtures import hosted
from harness.web_site import WebSite, fresh_site

from headwater.core.calendar.schedules import IntervalSchedule
from headwater.core.events import Overlap, ParameterSpec
from headwater.core.operations.schedules import schedule
from headwater.core.schedules.state import ScheduleState
from headwater.core.values.identifiers import flow_group_id, new_id, schedule_id

SET = "mutation($input: set_flow_group_schedule_input!) { set_flow_group_schedule(input: $input) { success } }"
HOURLY = IntervalSchedule(timedelta(hours=1)).serialize()


@pytest.fixture
async def site(nats_url: str, database_url: str) -> AsyncIterator[WebSite]:
    async with hosted(fresh_site(nats_url, database_url)) as site:
        yield site


async def _flow(site: WebSite, **more: Any) -> tuple[str, str]:
    await site.history.project("tutorial")
    flow = await site.history.flow("etl", project="tutorial", **{**chain(["load"]), **more})
    return flow.flow_id, flow.flow_group_id


async def _data(site: WebSite, query: str, **variables: Any) -> dict[str, Any]:
    answer = await site.graphql(query, variables=variables)
    assert "errors" not in answer, answer
    data: dict[str, Any] = answer["data"]
    return data


async def _refused(site: WebSite, query: str, **variables: Any) -> str:
    answer = await site.graphql(query, variables=variables)
    assert "errors" in answer, answer
    error = answer["errors"][0]
    return f"{error['message']} {error.get('extensions', {}).get('hint')}"


async def _state(site: WebSite, group_id: str, slug: str = "") -> ScheduleState:
    return await schedule(site.log.events, schedule_id(group_id, slug)).refresh()


async def test_prefects_mutation_gives_a_flow_its_clocks_in_a_time_zone(site: WebSite) -> None:
    _, group_id = await _flow(site, parameters=[ParameterSpec("table", required=True)])
    given = {
        "flow_group_id": group_id,
        "cron_clocks": [{"cron": "0 6 * * MON-FRI", "parameter_defaults": {"table": "orders"}}],
        "interval_clocks": [{"interval": 3600, "parameter_defaults": json.dumps({"table": "clicks"})}],
        "timezone": "Europe/Berlin",
        "policies": {"overlap": "queue_one", "window": 60, "end": "2031-01-01T00:00:00", "max_runs": 5},
    }

    assert (await _data(site, SET, input=given))["set_flow_group_schedule"] == {"success": True}

    spec = (await _state(site, group_id)).spec
    assert spec is not None
    cron, interval = spec.timetable["clocks"]
    assert (cron["cron"], cron["start_date"]["tz"], cron["parameter_defaults"]) == ("0 6 * * MON-FRI", "Europe/Berlin", {"table": "orders"})
    assert (interval["interval_seconds"], interval["parameter_defaults"]) == (3600, {"table": "clicks"})
    assert (spec.policies.overlap, spec.policies.window_seconds, spec.policies.max_runs) == (Overlap.QUEUE_ONE, 60, 5)
    assert spec.policies.end == datetime(2031, 1, 1, tzinfo=UTC)
    text = "query($id: UUID!) { flow_group_by_pk(id: $id) { schedule schedules { slug words } } }"
    group = (await _data(site, text, id=group_id))["flow_group_by_pk"]
    assert group["schedule"]["clocks"][0]["cron"] == "0 6 * * MON-FRI"
    assert group["schedule"]["policies"]["overlap"] == "queue_one"
    assert "Europe/Berlin" in group["schedules"][0]["words"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"cron_clocks": [{"cron": "every day"}]}, "is not a cron expression"),
        ({"cron_clocks": [{"cron": "0 0 30 2 *"}]}, "is not a cron expression"),
        ({"cron_clocks": [{"cron": "0 6 * * *"}], "timezone": "Mars/Olympus"}, "No time zone is called 'Mars/Olympus'"),
        ({"cron_clocks": [{"cron": "0 6 * * *"}], "timezone": "Europe"}, "No time zone is called 'Europe'"),
        ({"interval_clocks": [{"interval": 59}]}, "from 60 seconds"),
        ({"cron_clocks": [], "interval_clocks": []}, "Neither cron_clocks nor interval_clocks"),
        ({"interval_clocks": [{"interval": 60, "parameter_defaults": [1]}]}, "not a JSON object"),
        ({"interval_clocks": [{"interval": 60}]}, "leaves the parameters 'table'"),
        ({"interval_clocks": [{"interval": 60, "parameter_defaults": {"table": "a"}}], "policies": {"overlap": "never"}}, "The policies"),
        ({"interval_clocks": [{"interval": 60, "parameter_defaults": {"table": "a"}}], "policies": {"max_runs": 0}}, "at least 1"),
        ({"interval_clocks": [{"interval": 60, "parameter_defaults": {"table": "a"}}], "slug": "\x07"}, "control character"),
    ],
)
async def test_what_cannot_be_is_refused_in_words_and_nothing_is_written(site: WebSite, given: dict[str, Any], words: str) -> None:
    _, group_id = await _flow(site, parameters=[ParameterSpec("table", required=True)])
    before = (await site.log.events.tail()).position

    assert words in await _refused(site, SET, input={"flow_group_id": group_id, **given})

    assert (await site.log.events.tail()).position == before


async def test_a_schedule_is_paused_and_resumed_by_the_id_of_a_version_or_of_the_group(site: WebSite) -> None:
    flow_id, group_id = await _flow(site, schedule=HOURLY)
    active = "query($id: UUID!) { flow_by_pk(id: $id) { is_schedule_active schedule } }"
    await site.page("/")  # the views are as new as the log
    assert (await _data(site, active, id=flow_id))["flow_by_pk"]["is_schedule_active"] is True

    text = "mutation($input: set_schedule_inactive_input!) { set_schedule_inactive(input: $input) { success error } }"
    given = {"flow_id": flow_id, "note": "the warehouse moves", "until": "2099-01-01T00:00:00Z"}
    assert (await _data(site, text, input=given))["set_schedule_inactive"] == {"success": True, "error": None}
    assert (await _data(site, active, id=flow_id))["flow_by_pk"]["is_schedule_active"] is False
    progress = (await _state(site, group_id)).progress
    assert progress is not None
    assert progress.pause is not None
    assert (progress.pause.note, progress.pause.until) == ("the warehouse moves", datetime(2099, 1, 1, tzinfo=UTC))

    await _data(site, "mutation($id: UUID!) { set_schedule_active(input: {flow_id: $id}) { success } }", id=group_id)
    assert (await _state(site, group_id)).is_active


async def test_a_flow_without_a_schedule_and_a_flow_that_is_not_there_get_clear_errors(site: WebSite) -> None:
    flow_id, group_id = await _flow(site)
    for mutation in ("set_schedule_active", "set_schedule_inactive"):
        text = f"mutation($id: UUID!) {{ {mutation}(input: {{flow_id: $id}}) {{ success }} }}"
        assert "Schedule 'etl' not found" in await _refused(site, text, id=flow_id)
        assert "Flow " in await _refused(site, text, id=flow_group_id(new_id(), "other"))
        assert "is not the id of a flow" in await _refused(site, text, id=new_id())
    delete = "mutation($id: UUID!) { delete_flow_group_schedule(input: {flow_group_id: $id}) { success } }"
    assert "has no such schedule" in await _refused(site, delete, id=group_id)
    other = flow_group_id(new_id(), "other")
    assert "not found" in await _refused(site, SET, input={"flow_group_id": other, "interval_clocks": [{"interval": 60}]})


async def test_deleting_what_a_user_set_brings_the_registered_times_back(site: WebSite) -> None:
    flow_id, group_id = await _flow(site, schedule=HOURLY)
    await _data(site, SET, input={"flow_group_id": group_id, "cron_clocks": [{"cron": "0 6 * * *"}]})

    delete = "mutation($id: UUID!) { delete_flow_group_schedule(input: {flow_group_id: $id}) { success } }"
    await _data(site, delete, id=flow_id)

    group = (await _data(site, "query($id: UUID!) { flow_group_by_pk(id: $id) { schedule } }", id=group_id))["flow_group_by_pk"]
    assert group["schedule"] is None
    spec = (await _state(site, group_id)).spec
    assert spec is not None
    assert spec.timetable["clocks"] == HOURLY["clocks"]
    assert "is registered with" in await _refused(site, delete, id=group_id)


async def test_schedules_are_listed_with_their_next_times_and_what_became_of_those_before(site: WebSite) -> None:
    _, group_id = await _flow(site, schedule=HOURLY)
    await _data(site, SET, input={"flow_group_id": group_id, "slug": "nightly", "cron_clocks": [{"cron": "0 2 * * *"}]})

    text = """query($id: UUID!) { schedule(where: {flow_group: {id: {_eq: $id}}}, order_by: {slug: desc}) {
        slug words is_active upcoming(limit: 2) outcomes { outcome because actor } } schedule_aggregate { aggregate { count } } }"""
    found = await _data(site, text, id=group_id)

    nightly, own = found["schedule"]
    assert [(each["slug"], each["is_active"]) for each in (nightly, own)] == [("nightly", True), ("", True)]
    assert found["schedule_aggregate"]["aggregate"]["count"] == 2
    first, second = (datetime.fromisoformat(moment) for moment in nightly["upcoming"])
    assert (first.hour, second - first) == (2, timedelta(days=1))
    assert nightly["outcomes"] == [{"outcome": "set", "because": "user", "actor": "graphql:127.0.0.1"}]
    one = "query($id: UUID!) { schedule_by_pk(id: $id) { slug schedule } }"
    assert (await _data(site, one, id=schedule_id(group_id, "nightly")))["schedule_by_pk"]["slug"] == "nightly"
    assert (await _data(site, one, id=new_id()))["schedule_by_pk"] is None
    assert "from 0 to 100" in await _refused(site, "{ schedule { upcoming(limit: 101) } }")

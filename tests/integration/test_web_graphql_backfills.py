"""Backfills in GraphQL: tried without recording anything, requested, listed with how far they are, and cancelled."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from harness.history_builder import chain
from harness.views_fixtures import hosted
from harness.web_site import WebSite, fresh_site

from headwater.core.backfills.commands import StartRuns
from headwater.core.calendar.schedules import CronSchedule
from headwater.core.events import ParameterSpec
from headwater.core.log import subjects
from headwater.core.operations.backfills import backfill

CREATE = """mutation($input: create_backfill_input!) {
  create_backfill(input: $input) { id name times { nominal last_state parameters } } }"""
CANCEL = "mutation($input: cancel_backfill_input!) { cancel_backfill(input: $input) { state } }"
SPAN = {"from": "2026-03-01T00:00:00Z", "to": "2026-03-03T23:00:00Z"}
TIMES = [datetime(2026, 3, day, 6, tzinfo=UTC) for day in (1, 2, 3)]


@pytest.fixture
async def site(nats_url: str, database_url: str) -> AsyncIterator[WebSite]:
    async with hosted(fresh_site(nats_url, database_url)) as site:
        yield site


async def _daily(site: WebSite) -> tuple[str, str]:
    await site.history.project("tutorial")
    flow = await site.history.flow(
        "etl",
        project="tutorial",
        parameters=[ParameterSpec("mode", default="fast")],
        schedule=CronSchedule("0 6 * * *").serialize(),
        **chain(["load"]),
    )
    return flow.flow_id, flow.flow_group_id


async def _data(site: WebSite, query: str, **variables: Any) -> dict[str, Any]:
    answer = await site.graphql(query, variables=variables)
    assert "errors" not in answer, answer
    data: dict[str, Any] = answer["data"]
    return data


async def _refused(site: WebSite, query: str, **given: Any) -> str:
    answer = await site.graphql(query, variables={"input": given})
    assert "errors" in answer, answer
    error = answer["errors"][0]
    return f"{error['message']} {error.get('extensions', {}).get('hint')}"


async def _requested(site: WebSite) -> int:
    return len(await site.log.events.last_of_each(subjects.BACKFILLS_ALL))


async def test_a_dry_run_tells_the_times_in_their_order_and_records_nothing(site: WebSite) -> None:
    _, group_id = await _daily(site)

    made = await _data(site, CREATE, input={"flow_group_id": group_id, **SPAN, "reverse": True, "dry_run": True})

    tried = made["create_backfill"]
    assert (tried["id"], tried["name"]) == (None, None)
    assert [datetime.fromisoformat(each["nominal"]) for each in tried["times"]] == TIMES[::-1]
    assert {each["last_state"] for each in tried["times"]} == {None}
    assert await _requested(site) == 0


async def test_a_backfill_is_requested_listed_with_its_runs_and_cancelled(site: WebSite) -> None:
    flow_id, group_id = await _daily(site)
    made = await _data(site, CREATE, input={"flow_id": flow_id, **SPAN, "limit": 2, "parameters": {"mode": "slow"}})
    found = made["create_backfill"]
    assert len(found["times"]) == 3
    state = await backfill(site.log.events, found["id"]).refresh()
    assert (state.requested.limit, state.requested.parameters) == (2, {"mode": "slow"})
    await backfill(site.log.events, found["id"]).execute(StartRuns(2), site.history.actor("planner"))

    listed = await _data(
        site,
        """query($group: UUID!) { backfill(where: {flow_group_id: {_eq: $group}, state: {_eq: "running"}}, limit: 5) {
          id name state choice times started succeeded flow_name parameters created_by flow_runs { id } } }""",
        group=group_id,
    )
    (row,) = listed["backfill"]
    assert (row["id"], row["name"], row["times"], row["succeeded"]) == (found["id"], found["name"], 3, 0)
    assert (row["flow_name"], row["choice"], row["parameters"]) == ("etl", "missing", {"mode": "slow"})
    assert row["created_by"].startswith("graphql:")
    assert row["flow_runs"] == [], "no server has made them yet"

    ended = await _data(site, CANCEL, input={"backfill_id": found["id"], "reason": "wrong data"})
    assert ended["cancel_backfill"] == {"state": "cancelling"}
    again = await _data(site, "query($id: UUID!) { backfill_by_pk(id: $id) { state } }", id=found["id"])
    assert again["backfill_by_pk"] == {"state": "cancelling"}


async def test_times_to_come_are_left_to_the_schedule(site: WebSite) -> None:
    _, group_id = await _daily(site)
    now = datetime.now(UTC)
    span = {"from": (now - timedelta(days=3)).isoformat(), "to": (now + timedelta(days=3)).isoformat()}

    made = await _data(site, CREATE, input={"flow_group_id": group_id, **span, "dry_run": True})

    assert len(made["create_backfill"]["times"]) == 3


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"to": "2026-02-01T00:00:00Z"}, "before it begins"),
        ({"from": "0001-01-01T00:00:00+14:00"}, "out of range"),
        ({"choice": "some"}, "Choose missing, failed or all"),
        ({"limit": 0}, "The limit must be between"),
        ({"parameters": {"mood": "bad"}}, "no parameter 'mood'"),
        ({"parameters": [1]}, "not a JSON object"),
        ({"slug": "nightly"}, "etl/nightly"),
        ({"flow_group_id": None}, "Give flow_id, or flow_group_id"),
    ],
)
async def test_what_cannot_be_backfilled_is_refused_in_words_and_nothing_is_recorded(
    site: WebSite, given: dict[str, Any], words: str
) -> None:
    _, group_id = await _daily(site)

    assert words in await _refused(site, CREATE, **{"flow_group_id": group_id, **SPAN, **given})
    assert await _requested(site) == 0


async def test_a_dry_run_refuses_parameters_that_no_run_could_have(site: WebSite) -> None:
    _, group_id = await _daily(site)

    assert "no parameter 'mood'" in await _refused(
        site, CREATE, **{"flow_group_id": group_id, **SPAN, "dry_run": True, "parameters": {"mood": 1}}
    )


async def test_cancelling_a_backfill_that_is_not_there_says_so(site: WebSite) -> None:
    assert "Backfill" in await _refused(site, CANCEL, backfill_id="01990000-0000-7000-8000-000000000000")
    assert "yesterday" in await _refused(site, CANCEL, backfill_id="yesterday")

"""What people do to states from pages and by GraphQL: resume what is paused, and set states with a reason."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from harness.history_builder import PlayedRun, chain
from harness.views_fixtures import hosted
from harness.web_site import WebSite, fresh_site

from headwater.core.events import TaskRunPaused
from headwater.core.operations.run_lookup import load_run
from headwater.core.runs.commands import SuspendRun
from headwater.core.runs.state import Run
from headwater.core.states import StateName


@pytest.fixture
async def site(nats_url: str, database_url: str) -> AsyncIterator[WebSite]:
    async with hosted(fresh_site(nats_url, database_url)) as site:
        yield site


async def _run(site: WebSite) -> PlayedRun:
    await site.history.project("tutorial")
    flow = await site.history.flow("approved-flow", project="tutorial", **chain(["prepare", "publish", "report"]))
    run = await site.history.run(flow.flow_id)
    await run.claim()
    await run.start()
    await run.started("prepare-1")
    await run.succeeded("prepare-1")
    return run


async def _paused(site: WebSite) -> PlayedRun:
    run = await _run(site)
    await run.tasks(TaskRunPaused(slug="publish-1", at=site.history.clock(), message="Is <this> right?"))
    await run.aggregate.execute(SuspendRun(1, site.history.clock(), None, "waits for people"), site.history.actor())
    return run


async def _failed(site: WebSite) -> PlayedRun:
    run = await _run(site)
    await run.started("publish-1")
    await run.failed("publish-1")
    await run.trigger_failed("report-1")
    site.history.clock.pass_seconds(1)
    await run.finish(failed=True)
    return run


async def _state(site: WebSite, run: PlayedRun) -> Run:
    return (await load_run(site.log.events, run.run_id)).state


async def test_a_paused_run_says_who_it_waits_for_and_is_resumed(site: WebSite) -> None:
    run = await _paused(site)
    path = f"/default/flow-run/{run.run_id}"
    page = await site.page(path)
    assert "Paused</span>" in page
    assert "waits for a user to resume it: Is &lt;this&gt; right?" in page
    assert 'popovertarget="resume-run">Resume' in page

    async with site.open_page(path) as opened:
        await site.press(f"{path}/resume", reason="it is")
        await opened.until("Scheduled", in_part="live_header")

    state = await _state(site, run)
    assert (state.state, state.task_runs["publish-1", -1].state) == (StateName.SCHEDULED, StateName.RESUME)
    assert 'popovertarget="resume-run">Resume' not in await site.page(path)
    events = await site.page(f"{path}?tab=events")
    assert "task publish-1 was resumed: it is" in events
    assert "web:127.0.0.1" in events


async def test_one_task_is_resumed_or_set_on_its_own_page(site: WebSite) -> None:
    run = await _paused(site)
    path = f"/default/task-run/{run.run_id}/publish-1"
    page = await site.page(path)
    assert 'popovertarget="resume-task">Resume' in page
    assert "<option>Skipped</option>" in page

    missing = await site.press(f"{path}/set-state", state="Skipped", index="")
    assert (missing.status_code, "No reason was given" in missing.text) == (400, True)
    answer = await site.press(f"{path}/set-state", state="Skipped", index="", reason="not this time")
    assert (answer.status_code, answer.headers["location"]) == (303, path)

    state = await _state(site, run)
    assert (state.state, state.task_runs["publish-1", -1].state) == (StateName.SCHEDULED, StateName.SKIPPED), "the run goes on"
    shown = await site.page(path)
    assert "not this time" in shown
    assert 'popovertarget="resume-task">Resume' not in shown


async def test_the_state_of_a_run_is_set_with_a_reason_and_not_under_an_attempt(site: WebSite) -> None:
    run = await _run(site)
    path = f"/default/flow-run/{run.run_id}"
    assert 'popovertarget="set-run-state">Set state' not in await site.page(path)
    held = await site.press(f"{path}/set-state", state="Success", reason="I say so")
    assert (held.status_code, "executes the run" in held.text) == (409, True)
    await run.finish(failed=True)
    ended_at = (await _state(site, run)).ended_at

    await site.press(f"{path}/set-state", state="Success", reason="loaded manually")

    state = await _state(site, run)
    assert (state.state, state.ended_at) == (StateName.SUCCESS, ended_at)
    assert "loaded manually" in await site.page(path)
    assert "a user set the state from Failed to Success: loaded manually" in await site.page(f"{path}?tab=events")
    await site.press(f"{path}/set-state", state="Scheduled", reason="once more")
    assert (await _state(site, run)).state is StateName.SCHEDULED


async def test_a_run_for_later_is_set_to_failed_and_nothing_starts_it(site: WebSite) -> None:
    await site.history.project("tutorial")
    flow = await site.history.flow("later-flow", project="tutorial", **chain(["only"]))
    run = await site.history.run(flow.flow_id, due_at=site.history.clock() + timedelta(hours=1))

    await site.press(f"/default/flow-run/{run.run_id}/set-state", state="Failed", reason="no longer wanted")

    assert (await _state(site, run)).state is StateName.FAILED
    assert not await site.log.queues.is_waiting(run.run_id, generation=1)


async def _graphql(site: WebSite, mutation: str, states: list[dict[str, Any]], **variables: Any) -> dict[str, Any]:
    text = f"mutation($input: {mutation}_input!) {{ {mutation}(input: $input) {{ states {{ id status message }} }} }}"
    return await site.graphql(text, variables={"input": {"states": states}, **variables})


async def test_graphql_resumes_and_sets_states_by_the_names_that_clients_know(site: WebSite) -> None:
    paused, failed = await _paused(site), await _failed(site)
    task_run_id = f"{paused.run_id}:-1:publish-1"

    resumed = await _graphql(site, "set_task_run_states", [{"task_run_id": task_run_id, "state": {"type": "Resume", "message": "fine"}}])
    assert resumed["data"]["set_task_run_states"]["states"] == [
        {"id": task_run_id, "status": "SUCCESS", "message": "The run is Scheduled."}
    ]
    assert (await _state(site, paused)).task_runs["publish-1", -1].message == "fine"

    value = {"type": "Success", "message": "by hand", "_result": {"type": "InlineResult", "value": {"rows": 3}}}
    tasks = [{"task_run_id": f"{failed.run_id}:-1:publish-1", "state": json.dumps(value)}]
    assert "errors" not in await _graphql(site, "set_task_run_states", tasks)
    result = (await _state(site, failed)).task_runs["publish-1", -1].result
    assert result is not None
    assert result.value == {"rows": 3}

    query = "query($id: UUID!) { flow_run_by_pk(id: $id) { version state } }"
    version = (await site.graphql(query, variables={"id": failed.run_id}))["data"]["flow_run_by_pk"]["version"]
    wanted = {"flow_run_id": failed.run_id, "state": {"type": "Scheduled", "message": "go on"}}
    stale = await _graphql(site, "set_flow_run_states", [{**wanted, "version": version - 1}])
    assert stale["errors"][0]["extensions"]["code"] == "VERSION_LOCKING_ERROR"
    done = await _graphql(site, "set_flow_run_states", [{**wanted, "version": version}])
    assert done["data"]["set_flow_run_states"]["states"][0]["status"] == "SUCCESS"
    state = await _state(site, failed)
    assert state.state is StateName.SCHEDULED
    assert {key[0]: found.state for key, found in state.task_runs.items()} == {
        "prepare-1": StateName.SUCCESS,
        "publish-1": StateName.SUCCESS,
        "report-1": StateName.PENDING,
    }


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"type": "Running"}, "cannot be set to 'Running'"),
        ({"message": "no type"}, "tells its type"),
        (7, "tells its type"),
        ({"type": "Success", "message": 7}, "is a text"),
        ({"type": "Scheduled", "start_time": "soon"}, "is not a time"),
        ({"type": "Success", "start_time": "2031-01-02T03:04:05+00:00"}, "has no start time"),
    ],
)
async def test_a_state_that_cannot_be_is_refused_in_words(site: WebSite, state: Any, words: str) -> None:
    run = await _failed(site)

    answer = await _graphql(site, "set_flow_run_states", [{"flow_run_id": run.run_id, "state": state}])

    assert words in answer["errors"][0]["message"]
    assert (await _state(site, run)).state is StateName.FAILED

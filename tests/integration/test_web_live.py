"""Open pages are kept up to date from the log: each change is rendered once, and who missed something catches up by position."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import anyio
import httpx
import msgspec
import pytest
from harness.history_builder import ETL_TASKS, chain, play_etl
from harness.servers import NatsNode, eventually
from harness.views_fixtures import hosted
from harness.web_site import WebSite, fresh_site, live_address

from headwater.core.errors import LogError
from headwater.core.log import subjects
from headwater.core.log.heartbeats import Heartbeat
from headwater.core.states import StateName


@pytest.fixture
async def site(nats_url: str, database_url: str) -> AsyncIterator[WebSite]:
    async with hosted(fresh_site(nats_url, database_url)) as site:
        yield site


async def _hello(site: WebSite) -> str:
    await site.history.project("tutorial")
    return (await site.history.flow("hello-flow", project="tutorial", **chain(["say_hello"]))).flow_id


async def test_a_run_is_followed_from_its_creation_to_its_end(site: WebSite) -> None:
    run = await site.history.run(await _hello(site))
    async with site.open_page(f"/default/flow-run/{run.run_id}") as page:
        assert "Scheduled" in page.html
        await run.claim()
        await page.until("Submitted", in_part="live_header")
        await run.start()
        await run.started("say_hello-1")
        await run.log("Hello, Cloud!", task="say_hello-1")
        assert "Hello, Cloud!" in await page.until("Hello, Cloud!", in_part="lines")
        await page.until("Running", in_part="live_tasks")
        await run.succeeded("say_hello-1")
        await run.finish()
        assert "All reference tasks succeeded." in await page.until("Success", in_part="live_header")


async def test_the_flow_page_and_the_dashboard_hear_of_a_new_run(site: WebSite) -> None:
    flow_id = await _hello(site)
    async with site.open_page(f"/default/flow/{flow_id}") as flow, site.open_page("/") as dashboard, site.open_page("/default/log") as log:
        run = await site.history.run(flow_id, name="fresh-run")
        await flow.until("fresh-run", in_part="live_runs")
        await dashboard.until("fresh-run", in_part="live_waiting")
        assert f"run {chr(39)}fresh-run" in (await log.until("fresh-run")).replace("&#39;", "'")
        await run.claim()
        await dashboard.until("fresh-run", in_part="live_active")


async def test_a_page_that_slept_catches_up_by_position(site: WebSite) -> None:
    run = await site.history.run(await _hello(site))
    async with site.open_page(f"/default/flow-run/{run.run_id}") as page:
        await run.claim()
        await page.until("Submitted", in_part="live_header")
        await run.start()
        await run.log("first line")
        await page.until("first line", in_part="lines")
        address, last_id = page.address, page.last_id
    await run.log("line in between")
    await run.finish()

    async with site.follow(address, last_id=last_id) as page:
        await page.until("Success", in_part="live_header")
        lines = await page.until("line in between", in_part="lines")
        assert "first line" not in lines


async def test_many_watchers_cost_one_question_each_time_something_changes(site: WebSite) -> None:
    run = await site.history.run(await _hello(site))
    path = f"/default/flow-run/{run.run_id}"
    async with AsyncExitStack() as opened:
        pages = [await opened.enter_async_context(site.open_page(path)) for _ in range(20)]
        await run.claim()
        for page in pages:
            await page.until("Submitted", in_part="live_header")
        asked = await opened.enter_async_context(_questions(site))
        await run.start()
        for page in pages:
            await page.until("Running", in_part="live_header")
        one_page = 20  # questions of one rendering, generously
        assert 0 < len(asked) <= one_page


@asynccontextmanager
async def _questions(site: WebSite) -> AsyncIterator[list[bytes]]:
    """The questions that the views are asked while the block runs."""
    asked: list[bytes] = []
    async with site.log.subscribe(subjects.QUERIES) as questions, anyio.create_task_group() as group:

        async def count() -> None:
            async for question in questions:
                asked.append(question.data)  # noqa: PERF401 - it is looked at while it grows

        group.start_soon(count)
        yield asked
        group.cancel_scope.cancel()


async def test_a_page_without_changes_is_sent_nothing(site: WebSite) -> None:
    flow_id = await _hello(site)
    first, second = [await site.history.run(flow_id) for _ in range(2)]
    async with site.open_page(f"/default/flow-run/{first.run_id}") as quiet, site.open_page(f"/default/flow-run/{second.run_id}") as busy:
        await second.claim()
        await busy.until("Submitted")
        await first.claim()
        await quiet.until("Submitted")
        assert quiet.received == 1


async def test_a_run_becomes_late_though_nothing_happens(site: WebSite) -> None:
    flow_id = await _hello(site)
    site.history.clock.now -= timedelta(seconds=14)  # both pages are open before it is late
    run = await site.history.run(flow_id)
    async with site.open_page(f"/default/flow-run/{run.run_id}") as page, site.open_page("/") as dashboard:
        await page.until("<b>Late</b>")
        await dashboard.until("Late", in_part="live_waiting")


async def test_a_mapped_run_is_shown_while_it_goes_on(site: WebSite) -> None:
    await site.history.project("warehouse")
    flow = await site.history.flow("etl", project="warehouse", **ETL_TASKS)
    played = await play_etl(site.history, flow.flow_id, finish=False, children=4)
    async with site.open_page(f"/default/flow-run/{played.run_id}?tab=schematic") as page:
        assert "2/4" in page.html
        await played.succeeded("transform-1", 2)
        await page.until("3/4")
        await played.started("transform-1", 3)
        await played.failed("transform-1", 3)
        assert StateName.FAILED in await page.until("4/4")


async def test_agents_become_healthy_when_heard_and_silent_when_not(site: WebSite) -> None:
    agent_id = await site.history.agent("river-1")
    async with site.open_page("/default/agents") as page:
        assert "health silent" in page.html
        beat = Heartbeat(agent_id=agent_id, interval_seconds=0.1, lease_seconds=1)
        await site.log.publish(subjects.agent_heartbeat(agent_id), msgspec.json.encode(beat))
        await page.until("health well")
        await page.until("health silent")


async def test_what_is_wrong_with_an_agent_stands_on_the_page_as_soon_as_it_says_so(site: WebSite) -> None:
    agent_id = await site.history.agent("river-1")
    beat = Heartbeat(agent_id=agent_id, interval_seconds=600, lease_seconds=1)
    async with site.open_page("/default/agents") as page:
        await site.log.publish(subjects.agent_heartbeat(agent_id), msgspec.json.encode(beat))
        await page.until("health well")
        ill = msgspec.structs.replace(beat, trouble="agent 'river-1' cannot start processes: limit 7", behind_seconds=5.2)
        await site.log.publish(subjects.agent_heartbeat(agent_id), msgspec.json.encode(ill))
        html = await page.until("5.2 s behind the log")
        assert "cannot start processes: limit 7." in html


async def test_garbage_in_heartbeats_and_addresses_does_no_harm(site: WebSite) -> None:
    await site.log.publish(subjects.agent_heartbeat("x"), b"\x00garbage")
    assert (await site.client.get("/live?page=/nowhere")).status_code == 404
    assert (await site.client.get("/live")).status_code == 404
    async with site.follow(live_address("/default/runs") + "&until=9" + "&from=x-y") as page:
        run = await site.history.run(await _hello(site), name="after-garbage")
        await page.until("after-garbage")
        assert run.run_id in page.parts["live_runs"]


async def test_the_service_ends_although_pages_are_open(nats_url: str, database_url: str) -> None:
    with anyio.fail_after(20):
        async with AsyncExitStack() as left_open, fresh_site(nats_url, database_url) as site:
            browser = await left_open.enter_async_context(httpx.AsyncClient(base_url=site.url, trust_env=False))
            stream = await left_open.enter_async_context(browser.stream("GET", live_address("/")))
            assert stream.status_code == 200


async def test_open_pages_live_through_the_death_of_the_broker(nats_node: NatsNode, database_url: str) -> None:
    async with fresh_site(nats_node.url, database_url) as site:
        run = await site.history.run(await _hello(site))
        await run.claim()
        async with site.open_page(f"/default/flow-run/{run.run_id}") as page:
            await run.start()
            await page.until("Running", in_part="live_header")
            nats_node.kill()
            nats_node.start()
            position = await eventually(run.finish, "the log answers again", but_for=(LogError,))
            await page.until("All reference tasks succeeded.", in_part="live_header")
            assert position > 0
            assert (await site.client.get("/health")).status_code == 200


async def test_a_page_of_another_version_is_made_to_reload_itself(site: WebSite) -> None:
    async with site.client.stream("GET", live_address("/") + "&look=old") as answer:
        received = (await answer.aread()).decode()

    assert "event: reload" in received

"""Pages arrive complete from the server, also with hostile names, for things made a moment ago, and while the views are away."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from html import unescape
from urllib.parse import quote

import pytest
from harness.history_builder import ETL_TASKS, chain, play_etl
from harness.views_fixtures import eventually, hosted, opened
from harness.web_site import WebSite, fresh_site, web_site

from headwater.audit import explain_run
from headwater.core.events import ParameterSpec, TaskSpec
from headwater.core.values.identifiers import task_run_address, task_run_path
from headwater.web.task_run_addresses import task_run_page_path

NASTY = "Hello, World! <b>'\"</b> & {{ 7*7 }} \u202eevil"


@pytest.fixture
async def site(nats_url: str, database_url: str) -> AsyncIterator[WebSite]:
    async with hosted(fresh_site(nats_url, database_url)) as site:
        yield site


async def test_a_run_is_shown_whole_with_its_timeline_tasks_and_log(site: WebSite) -> None:
    await site.history.project("warehouse")
    flow = await site.history.flow("etl", project="warehouse", **ETL_TASKS)
    played = await play_etl(site.history, flow.flow_id, fail=True, children=3)

    html = await site.page(f"/default/flow-run/{played.run_id}")

    for text in (
        "etl",
        "Failed",
        "extract",
        "transform",
        "\N{MULTIPLICATION SIGN}3",
        "TriggerFailed",
        "the warehouse did not answer",
        "river-1",
    ):
        assert text in html, text
    for tab in ("tasks", "schematic", "logs", "events"):
        assert f"?tab={tab}" in html
        await site.page(f"/default/flow-run/{played.run_id}?tab={tab}")
    assert "run.submitted" in await site.page(f"/default/flow-run/{played.run_id}?tab=events")
    children = await site.page(f"/default/flow-run/{played.run_id}?tab=tasks&search=transform&state=Success")
    assert children.count("<tr id=") == 3
    task = await site.page(f"/default/task-run/{played.run_id}/load-1")
    assert "ConnectionError" in task
    assert "warehouse.py:118" in task


async def test_a_task_run_has_a_page_whatever_its_slug_holds_and_each_form_of_its_id_leads_there(site: WebSite) -> None:
    slugs = ("load-1", "rows['a/b']-1", "a/3", "x:-1:y", "ü 100%?#")
    tasks = tuple(TaskSpec(slug=slug, name=f"named {number}") for number, slug in enumerate(slugs))
    await site.history.project("warehouse")
    flow = await site.history.flow("etl", project="warehouse", tasks=tasks, edges=())
    run_id = (await site.history.run(flow.flow_id)).run_id
    overview = await site.page(f"/default/flow-run/{run_id}")

    for number, slug in enumerate(slugs):
        path = task_run_page_path(run_id, slug, -1)
        assert f'href="{path}"' in overview
        assert f"named {number}" in await site.page(site.url + path)
        async with site.open_page(site.url + path):
            pass
        for printed in (task_run_address(run_id, slug, -1), task_run_path(run_id, slug, -1)):
            answer = await site.client.get(f"{site.url}/default/task-run/{quote(printed, safe='/:')}", follow_redirects=False)
            assert (answer.status_code, answer.headers.get("location")) == (307, path), printed
    for nothing in (f"{run_id}:x:load-1", f"{run_id}/nothing", "x:y", f"{run_id}/"):
        await site.page(f"/default/task-run/{nothing}", status=404)


async def test_hostile_names_are_text_on_every_page(site: WebSite) -> None:
    project = await site.history.project(NASTY, NASTY)
    flow = await site.history.flow(NASTY, project=NASTY, parameters=[ParameterSpec(NASTY, default=NASTY)], **chain([NASTY]), labels=[NASTY])
    run = await site.history.run(flow.flow_id, name=NASTY)
    await run.claim(agent_name=NASTY)
    await run.start()
    await run.started(f"{NASTY}-1")
    await run.log(NASTY, task=f"{NASTY}-1", logger=NASTY)
    await run.failed(f"{NASTY}-1")
    await site.history.agent(NASTY, [NASTY])

    pages = [f"/default/flow/{flow.flow_id}", f"/default/flow-run/{run.run_id}", "/default/agents", "/default/queues", "/default/log"]
    pages += [f"{pages[0]}?tab={tab}" for tab in ("tasks", "runs", "schematic", "versions", "run", "settings", "schedule")]
    pages += [f"{pages[1]}?tab={tab}" for tab in ("tasks", "schematic", "logs", "events")]
    pages += ["/", f"/?project={project}", "/default/flows", "/default/runs", "/default/projects", f"/default/project/{project}"]
    for path in [*pages, "/default/search?q=%3Cb%3E", "/default/server"]:
        html = await site.page(path)
        assert "<b>'" not in html, path
        assert "& 49 " not in html, path


async def test_a_run_whose_name_is_invisible_has_a_link(site: WebSite) -> None:
    await site.history.project("tutorial")
    flow = await site.history.flow("hello-flow", project="tutorial", **chain(["say_hello"]))
    run = await site.history.run(flow.flow_id, name="\ufeff")

    assert re.search(rf'<a [^>]*/flow-run/{run.run_id}"[^>]*>\\ufeff</a>', await site.page("/default/runs"))


async def test_what_was_made_a_moment_ago_is_found_also_by_another_browser(site: WebSite) -> None:
    await site.history.project("tutorial")
    flow = await site.history.flow("hello-flow", project="tutorial", **chain(["say_hello"]))
    run = await site.history.run(flow.flow_id)

    for path, text in [(f"/default/flow-run/{run.run_id}", "say_hello"), (f"/default/flow/{flow.flow_group_id}", "hello-flow")]:
        answer = await site.client.get(path)
        assert answer.status_code == 200
        assert text in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/default/flow-run/0199c0de-7a3e-7000-8000-0123456789ab",
        "/default/flow-run/no-id",
        "/default/flow-run/%00",
        "/default/flow/0199c0de-7a3e-7000-8000-0123456789ab",
        "/default/flow/00000000-0000-8000-8000-000000000000",
        "/default/project/0199c0de-7a3e-7000-8000-0123456789ab",
        "/default/flow-run/0199c0de-7a3e-7000-8000-0123456789ab/logs.txt",
        "/nowhere",
    ],
)
async def test_what_is_not_there_is_not_found_in_words(site: WebSite, path: str) -> None:
    answer = await site.client.get(path)

    assert answer.status_code == 404
    assert "ot found" in answer.text


@pytest.mark.parametrize(
    "query", ["?tab=nonsense", "?tab=tasks&cursor=x", "?tab=logs&level=x&until=-1", "?tab=events&page=0", "?tab=tasks&search=%00%ff"]
)
async def test_nonsense_in_a_query_is_passed_over_or_refused(site: WebSite, query: str) -> None:
    await site.history.project("tutorial")
    flow = await site.history.flow("hello-flow", project="tutorial", **chain(["say_hello"]))
    run = await site.history.run(flow.flow_id)

    answer = await site.client.get(f"/default/flow-run/{run.run_id}{query}")

    assert answer.status_code in {200, 400}, answer.text


async def test_a_waiting_run_says_why_it_waits(site: WebSite) -> None:
    await site.history.project("tutorial")
    flow = await site.history.flow("hello-flow", project="tutorial", **chain(["say_hello"]), labels=["gpu"])
    waiting = await site.history.run(flow.flow_id)
    assert "No agent is online" in await site.page(f"/default/flow-run/{waiting.run_id}")

    await site.history.agent("plain", ["cpu"])
    later = await site.history.run(flow.flow_id, due_at=site.history.clock() + timedelta(hours=1))
    for run in (waiting, later):
        page = unescape(await site.page(f"/default/flow-run/{run.run_id}"))
        found = await explain_run(site.log, run.run_id)
        assert found.words.partition(":")[0] in page
        assert found.hint in page
    assert "It is not due yet: it starts at " in page
    assert "Agent 'plain' lacks gpu." in unescape(await site.page(f"/default/flow-run/{waiting.run_id}"))


async def test_lists_turn_pages_and_filter(site: WebSite) -> None:
    await site.history.project("tutorial")
    flow = await site.history.flow("hello-flow", project="tutorial", **chain(["say_hello"]))
    names = [f"run number {number:03}" for number in range(60)]
    for name in names:
        await site.history.run(flow.flow_id, name=name)

    first = await site.page("/default/runs")
    following = first.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    second = await site.page(f"/default/runs{following}")

    assert [name in first for name in names] == [False] * 10 + [True] * 50
    assert [name in second for name in names] == [True] * 10 + [False] * 50
    found = await site.page("/default/runs?search=NUMBER+007")
    assert found.count("run number") == 1


async def test_versions_tell_what_changed(site: WebSite) -> None:
    await site.history.project("tutorial")
    await site.history.flow("grows", project="tutorial", **chain(["one", "two"]))
    flow = await site.history.flow("grows", project="tutorial", **chain(["one", "three"]), labels=["big"])

    html = await site.page(f"/default/flow/{flow.flow_group_id}?tab=versions")

    for text in ("From version 1 to 2", "Task three-1 is new.", "Task two-1 is gone.", "Labels: [] became"):
        assert text in html


async def test_without_postgres_pages_say_so_and_health_goes_on(nats_url: str) -> None:
    async with opened(nats_url) as log, web_site(log, "postgresql://nobody@/nothing?host=/nowhere") as site:
        page = await site.client.get("/")
        assert page.status_code == 503
        assert "PostgreSQL is away" in page.text
        assert (await site.client.get("/health")).status_code == 200
        ready = await site.client.get("/ready")
        assert ready.status_code == 503
        assert "PostgreSQL" in ready.json()["problems"]["views"]


async def test_a_ready_server_says_so(site: WebSite) -> None:
    answer = await site.client.get("/ready")

    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "ready"


async def test_metrics_tell_of_the_log_the_views_the_runs_the_agents_and_the_queues(site: WebSite) -> None:
    await site.history.project("tutorial")
    flow = await site.history.flow("hello-flow", project="tutorial", **chain(["say_hello"]), labels=["a", 'b"'])
    await site.history.run(flow.flow_id)
    await site.history.agent("river-1")
    await site.page("/")

    tail = (await site.log.events.tail()).position
    answer = await site.client.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain")
    for line in (
        'headwater_runs{state="Scheduled"} 1.0',
        'headwater_runs{state="Failed"} 0.0',
        "headwater_projector_lag_commits 0.0",
        'headwater_agents{health="silent"} 1.0',
        'headwater_queue_waiting_runs{labels="a,b\\""} 1.0',
        'headwater_commits_total{kind="run"} 1.0',
        "headwater_views_up 1.0",
        "headwater_append_seconds_count",
        f'headwater_stream_messages{{stream="EVENTS"}} {tail}.0',
        'headwater_stream_messages{stream="WORK"} 1.0',
        'headwater_stream_bytes{stream="LOGS"} 0.0',
    ):
        assert line in answer.text, (line, answer.text)
    server = await site.page("/default/server")
    for words in ("EVENTS", "facts, kept for ever", "7 days"):
        assert words in server


async def test_hostile_log_lines_are_shown_as_text_and_downloaded_whole(site: WebSite) -> None:
    await site.history.project("tutorial")
    flow = await site.history.flow("hello-flow", project="tutorial", **chain(["say_hello"]))
    run = await site.history.run(flow.flow_id)
    await run.claim()
    huge = "x" * 90_000  # longer ones are cut where they are logged
    for line in ("\x1b[31m<script>alert(1)</script>\x1b[0m", "null\x00 and \u202ebidi", huge, "y" * 1_000_000):
        await run.log(line)

    async def all_shown() -> bool:
        return (await site.page(f"/default/flow-run/{run.run_id}?tab=logs")).count("the download has all of it") == 2

    await eventually(all_shown, "a cut line on the page")
    page = await site.page(f"/default/flow-run/{run.run_id}")
    assert "&lt;script&gt;alert(1)" in page
    assert "\x1b" not in page
    assert len(page) < 100_000
    text = (await site.client.get(f"/default/flow-run/{run.run_id}/logs.txt")).text
    assert huge in text
    rows = (await site.client.get(f"/default/flow-run/{run.run_id}/logs.json")).text.splitlines()
    assert len(rows) == 4

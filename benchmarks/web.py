"""How long pages take when there are many runs, how soon an event is on an open page, and what open pages cost.

    python benchmarks/web.py [--runs 100000] [--tasks 10000] [--times 50] [--pages 200]

A whole server as people start it, in a process of its own. Most runs are put into the views' tables directly (see listing.py); one run
with very many task runs comes through the log. With Chromium on this machine, the last step is measured in a real browser.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx
import psutil

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "tests")]
from harness.browser import find_chromium
from harness.history_builder import Clock, History, PlayedRun, chain
from harness.web_site import OpenPage, live_address
from listing import fill
from measurement import Measurement, at_most, lines

from headwater.core.events import TaskRunEvent, TaskRunStarted, TaskRunSucceeded
from headwater.core.log.jetstream import open_log
from headwater.core.log.protocol import Log, LogLine
from headwater.core.operations.headwater import Headwater
from headwater.core.program.server_file import ServerFile, read_server_file
from headwater.core.queries.requests import ListFlows, ListRuns
from headwater.core.queries.views_client import ViewsClient

HEADWATER = Path(sysconfig.get_path("scripts")) / "headwater"
COMMIT_EVENTS = 1_000
LOG_LINES = 20_000
OPENED_TIMES = 10
EVENTS_WATCHED = 60


@asynccontextmanager
async def a_server(home: Path) -> AsyncIterator[tuple[ServerFile, psutil.Process]]:
    """A server of its own, and its process."""
    command = [str(HEADWATER), "server", "start", "--home", str(home), "--port", "0", "--nats-port", "0"]
    with (home.parent / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: ASYNC220 - it takes no time
    try:
        while (found := read_server_file(home)) is None:
            assert process.poll() is None, (home.parent / "server.log").read_text()[-2000:]
            await anyio.sleep(0.05)
        yield found, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(timeout=60)


async def a_big_run(log: Log, tasks: int) -> PlayedRun:
    """A run of one mapped task with so many children, and a long log."""
    history = History(log, Clock())
    await history.project("tutorial")
    flow = await history.flow("big", project="tutorial", **chain(["begin", "work", "end"], mapped=["work"]))
    run = await history.run(flow.flow_id, name="big-run")
    await run.claim()
    await run.start()
    await run.mapped("work-1", tasks)
    events: list[TaskRunEvent] = []
    for child in range(tasks):
        at = history.clock.pass_seconds(0.001)
        events += [TaskRunStarted(slug="work-1", at=at, map_index=child), TaskRunSucceeded(slug="work-1", at=at, map_index=child)]
        if len(events) >= COMMIT_EVENTS:
            await run.tasks(*events)
            events = []
    if events:
        await run.tasks(*events)
    written = [
        LogLine(history.clock(), 20, "headwater.work", f"line {number} of a long log", "work-1", number % 100)
        for number in range(LOG_LINES)
    ]
    await log.logs.write(run.run_id, 1, written)
    await run.finish()
    return run


async def page_times(url: str, paths: dict[str, str], times: int) -> list[Measurement]:
    measured: list[Measurement] = []
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60, headers={"Accept": "text/html"}) as client:
        for name, path in paths.items():
            taken, size = [], 0
            for _ in range(times + 1):
                began = time.perf_counter()
                answer = await client.get(path)
                taken.append((time.perf_counter() - began) * 1e3)
                assert answer.status_code == 200, (path, answer.text[:500])
                size = len(answer.content)
            taken = sorted(taken[1:])
            measured.append(Measurement(f"{name} ({size // 1024} KB), p50", statistics.median(taken), "ms"))
            measured.append(at_most(f"{name}, p95", _p95(taken), "ms", 150))
    return measured


def _p95(taken: Sequence[float]) -> float:
    return sorted(taken)[int(len(taken) * 0.95)]


async def event_to_stream(log: Log, url: str) -> list[Measurement]:
    """From an append to the part of the page that shows it, as it reaches a browser. A run that waits is renamed: no agent is needed."""
    history = History(log, Clock())
    flow = await history.flow("watched", project="tutorial", **chain(["one"]))
    run = await history.run(flow.flow_id)
    taken = []
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=None) as client:
        position = (await log.events.tail()).position
        async with client.stream("GET", live_address(f"/default/flow-run/{run.run_id}", position=position)) as answer:
            page = OpenPage("", "", answer.aiter_lines())
            for number in range(EVENTS_WATCHED):
                await asyncio.sleep(0.2)
                began = time.perf_counter()
                await Headwater(log, history.actor()).runs.rename(run.run_id, f"name {number}")
                await page.until(f"name {number}<", in_part="live_header")
                taken.append((time.perf_counter() - began) * 1e3)
    return _latencies("event → sent to a page", taken)


def _latencies(what: str, taken: Sequence[float]) -> list[Measurement]:
    return [Measurement(f"{what}, p50", statistics.median(taken), "ms"), at_most(f"{what}, p95", _p95(taken), "ms", 300)]


async def event_to_pixel(log: Log, url: str) -> list[Measurement]:
    """From an append to the change of the page in Chromium."""
    program = find_chromium()
    if program is None:
        print("no Chromium: the way to the pixel is not measured", file=sys.stderr)
        return []
    from harness.browser import QUIET
    from playwright.async_api import async_playwright

    history = History(log, Clock())
    flow = await history.flow("pixels", project="tutorial", **chain(["one"]))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=list(QUIET))
        page = await browser.new_page()
        await page.goto(f"{url}/default/flow/{flow.flow_group_id}")
        await page.wait_for_selector(".link.on")
        await page.evaluate("""() => { window.seen = {}; new MutationObserver(() => {
            for (const link of document.querySelectorAll("#live_runs a")) window.seen[link.textContent] ??= Date.now();
        }).observe(document.getElementById("live_runs"), { childList: true, subtree: true, characterData: true }); }""")
        began = {}
        for number in range(EVENTS_WATCHED):
            name = f"pixel-{number}"
            began[name] = time.time() * 1e3
            await history.run(flow.flow_id, name=name)
            await page.wait_for_function("name => name in window.seen", arg=name)
            await asyncio.sleep(0.1)
        seen = await page.evaluate("window.seen")
        await browser.close()
    return _latencies("create a run → in the browser", [seen[name] - at for name, at in began.items()])


async def opening(url: str, paths: dict[str, str], times: int) -> list[Measurement]:
    """From going to a page of a big run in Chromium until it is laid out, all its parts are there and it follows the log."""
    program = find_chromium()
    if program is None:
        return []
    from harness.browser import QUIET
    from playwright.async_api import async_playwright

    found = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=list(QUIET))
        page = await browser.new_page()
        for what, path in paths.items():
            taken = []
            for _ in range(times):
                began = time.perf_counter()
                await page.goto(f"{url}{path}", wait_until="load")
                await page.wait_for_selector(".link.on")
                taken.append((time.perf_counter() - began) * 1e3)
            found.append(at_most(f"{what}, opened in the browser, p95", _p95(taken), "ms", 1_000))
        await browser.close()
    return found


async def open_pages(log: Log, url: str, process: psutil.Process, pages: int) -> list[Measurement]:
    """The server's CPU while a run goes on that no browser, or that many watch."""
    history = History(log, Clock())
    flow = await history.flow("crowd", project="tutorial", **chain(["one"]))
    run = await history.run(flow.flow_id)
    path = f"/default/flow-run/{run.run_id}"

    async def cost() -> float:
        before, began = sum(process.cpu_times()[:2]), time.perf_counter()
        for number in range(50):
            await Headwater(log, history.actor()).runs.rename(run.run_id, f"name {number}")
            await asyncio.sleep(0.1)
        return float(sum(process.cpu_times()[:2]) - before) / (time.perf_counter() - began) * 100

    nobody = await cost()
    limits = httpx.Limits(max_connections=pages + 10)
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=None, limits=limits) as client, anyio.create_task_group() as group:
        opened = 0
        everybody = anyio.Event()

        async def look() -> None:
            nonlocal opened
            async with client.stream("GET", live_address(path, position=(await log.events.tail()).position)) as answer:
                opened += 1
                if opened == pages:
                    everybody.set()
                async for _ in answer.aiter_raw():
                    pass

        for _ in range(pages):
            group.start_soon(look)
        await everybody.wait()
        many = await cost()
        group.cancel_scope.cancel()
    return [
        Measurement("CPU of the server, 10 events/s, nobody watches", nobody, "% of a core"),
        Measurement(f"CPU of the server, 10 events/s, {pages} pages watch", many, "% of a core", nobody, "nobody watches"),
    ]


async def measurements(runs: int, tasks: int, times: int, pages: int) -> list[Measurement]:
    with tempfile.TemporaryDirectory() as directory:
        async with a_server(Path(directory) / "home") as (server, process), open_log(server.nats_url) as log:
            views = ViewsClient(log, wait_seconds=60)
            await fill(log, views, server.database_url, runs)
            began = time.perf_counter()
            big = await a_big_run(log, tasks)
            await views.run(big.run_id, at_least=(await log.events.tail()).position)
            flow = (await views.flows(ListFlows(name="flow-03")))[0]
            one = (await views.runs(ListRuns(flow="flow-03", project="tutorial", limit=1)))[0].id
            print(f"{tasks:,} task runs written and in the views after {time.perf_counter() - began:.1f} s", file=sys.stderr)
            paths = {
                "dashboard": "/",
                "dashboard of a project": f"/?project={flow.project_id}",
                "flows": "/default/flows",
                "runs": "/default/runs",
                "runs that failed": "/default/runs?state=Failed",
                "runs, searched": "/default/runs?search=run-77",
                "runs, nothing found": "/default/runs?search=no+such+run",
                "flow": f"/default/flow/{flow.flow_group_id}",
                "flow's runs": f"/default/flow/{flow.flow_group_id}?tab=runs",
                "run": f"/default/flow-run/{one}",
                "agents": "/default/agents",
                "queues": "/default/queues",
                "event log": "/default/log",
                "search": "/default/search?q=run-77",
                f"run of {tasks:,} task runs": f"/default/flow-run/{big.run_id}",
                "its tasks": f"/default/flow-run/{big.run_id}?tab=tasks",
                "its tasks, searched": f"/default/flow-run/{big.run_id}?tab=tasks&state=Success&search=work",
                "its schematic": f"/default/flow-run/{big.run_id}?tab=schematic",
                "its log": f"/default/flow-run/{big.run_id}?tab=logs",
                "its events": f"/default/flow-run/{big.run_id}?tab=events",
                "one of its task runs": f"/default/task-run/{big.run_id}/work-1?index=77",
            }
            return [
                *await page_times(server.http_url, paths, times),
                *await event_to_stream(log, server.http_url),
                *await event_to_pixel(log, server.http_url),
                *await opening(server.http_url, {what: path for what, path in paths.items() if big.run_id in path}, OPENED_TIMES),
                *await open_pages(log, server.http_url, process, pages),
            ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--pages", type=int, default=200)
    chosen = parser.parse_args()
    print("\n".join(lines(asyncio.run(measurements(chosen.runs, chosen.tasks, chosen.times, chosen.pages)))))

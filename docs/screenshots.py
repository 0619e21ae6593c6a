"""Pictures of every page for the documentation, of a history that is played into a server of its own: `make screenshots`.

    python docs/screenshots.py [--all DIRECTORY]

Without `--all`, those that the guides show are written to `docs/images/`. With it, every page at 1440 and at 390 pixels, light and dark,
for a developer who wants to look at all of them.
"""

# ruff: noqa: E402, PLR2004 - a program that finds its modules first, and a history with numbers in it
from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import anyio
import msgspec

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]
from harness.browser import QUIET, find_chromium
from harness.history_builder import ETL_TASKS, Clock, History, PlayedRun, chain, play_etl
from playwright.async_api import Browser, async_playwright

from headwater.core.calendar.clocks import CronClock
from headwater.core.calendar.schedules import Schedule
from headwater.core.events import BackfillChoice, ParameterSpec
from headwater.core.log import subjects
from headwater.core.log.heartbeats import Heartbeat
from headwater.core.log.jetstream import open_log
from headwater.core.operations.headwater import Headwater
from headwater.core.queries.backfill_plan import plan_backfill
from headwater.core.queries.views_client import ViewsClient
from headwater.core.values.identifiers import schedule_id
from web import a_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from headwater.core.log.protocol import Log

SCREEN, PHONE = 1440, 390
HEIGHT_MAX = 1300
"""Long pages are cut here: what is below looks the same."""


@dataclass
class Played:
    """What the pictures are of."""

    etl: str
    hello: str
    parameters: str
    wide: str
    running: str
    failed: str
    waiting: str
    deleted: str
    report: str
    backfill: str


async def play(log: Log) -> Played:
    """A day in which flows of two projects ran, mostly well."""
    now = datetime.now(UTC)
    history = History(log, Clock(now - timedelta(hours=23)))
    await history.project("tutorial", "First steps")
    await history.project("warehouse", "What the nights bring")
    hello = await history.flow("hello-flow", project="tutorial", **chain(["say_hello"]))
    parameters = await history.flow(
        "parameters-flow",
        project="tutorial",
        **chain(["greetings", "say"]),
        parameters=[
            ParameterSpec("name", default="Cloud"),
            ParameterSpec("times", default=1),
            ParameterSpec("names", default=["Ada", "Grace"]),
        ],
    )
    layers = [
        [f"{word} {letter}" for letter in "abcd"[: 2 + index % 3]] for index, word in enumerate(["read", "clean", "join", "check", "write"])
    ]
    edges = [(a, b) for left, right in pairwise(layers) for a in left for b in right if (ord(a[-1]) + ord(b[-1])) % 3]
    names = [name for layer in layers for name in layer]
    wide = await history.flow("many-sources", project="warehouse", **_graph(names, edges))
    etl = None
    for labels in ((), ("warehouse",)):
        etl = await history.flow("etl", project="warehouse", **ETL_TASKS, labels=labels)
    assert etl is not None
    agents = {name: await history.agent(name, labels) for name, labels in {"river-1": ["warehouse"], "river-2": []}.items()}
    failed = ""
    for number in range(44):
        history.clock.now = now - timedelta(hours=22) + timedelta(minutes=29 * number)
        run = await play_etl(history, etl.flow_id, fail=number % 11 == 5, children=4 + number % 9)
        failed = run.run_id if number % 11 == 5 else failed
        if number % 3 == 0:
            await _say_hello(history, hello.flow_id, agents["river-2"])
    late = await history.run(parameters.flow_id)
    await Headwater(log, history.actor()).runs.cancel(late.run_id, reason="not needed any more")
    deleted = await _say_hello(history, hello.flow_id, agents["river-2"])
    await Headwater(log, history.actor()).runs.delete(deleted.run_id, reason="a trial")
    words = "Loads the orders of the day into the warehouse, at 2 in the morning.\nAsk Ana where it fails twice in a row."
    await Headwater(log, history.actor()).flows.describe(etl.flow_group_id, words)
    await Headwater(log, history.actor()).flows.describe(parameters.flow_group_id, "Greets whomever it is given.")
    await Headwater(log, history.actor()).flows.set_labels(parameters.flow_group_id, ["river"])
    await Headwater(log, history.actor()).flows.set_default_parameters(parameters.flow_group_id, {"times": 3, "names": ["Ada"]})
    for minutes in (12, 72, 132):
        history.clock.now = now
        await history.run(etl.flow_id, due_at=now + timedelta(minutes=minutes))
    history.clock.now = now - timedelta(seconds=50)
    waiting = await history.run(parameters.flow_id, labels=["gpu"], name="waits-for-a-gpu")
    history.clock.now = now - timedelta(seconds=9)
    running = await play_etl(history, etl.flow_id, finish=False, children=24, agent_id=agents["river-1"])
    return Played(
        etl.flow_group_id,
        hello.flow_group_id,
        parameters.flow_group_id,
        wide.flow_group_id,
        running.run_id,
        failed,
        waiting.run_id,
        deleted.run_id,
        *await _report_each_morning(history, now),
    )


async def _report_each_morning(history: History, now: datetime) -> tuple[str, str]:
    """A flow with a schedule, set twelve days ago: the server makes a run of each morning since, and they ended, but for one, well.

    A backfill is for the mornings of the days before; its first runs ended.
    """
    flow = await history.flow("orders-report", project="warehouse", **chain(["collect", "send"]))
    times = Schedule([CronClock("0 6 * * MON-FRI", datetime(2026, 1, 1, tzinfo=ZoneInfo("Europe/Berlin")))])
    policies = {"missed": "all", "window_seconds": 14 * 86_400, "overlap": "queue_all", "pause_on_failure": 3}
    history.clock.now = now - timedelta(days=12)
    await history.headwater().schedules.set(flow.flow_group_id, {**times.serialize(), "policies": policies})
    history.clock.now = now
    own = schedule_id(flow.flow_group_id, "")
    made: list[str] = []
    while len(made) < len([each for each in times.next(20, now - timedelta(days=12)) if each <= now]):
        await anyio.sleep(0.1)  # until the server has made them
        made = await history.fired(own)
    for number, run_id in enumerate(made):
        run = history.played(run_id)
        history.clock.now = datetime.now(UTC)
        await run.claim()
        await run.start()
        history.clock.pass_seconds(0.5)
        await run.finish(failed=number == 4)
    return flow.flow_group_id, await _backfill(history, own, now)


async def _backfill(history: History, own: str, now: datetime) -> str:
    headwater = history.headwater()
    definition = (await headwater.schedules.load(own)).state.definition
    assert definition is not None
    since, until = now - timedelta(days=30), now - timedelta(days=14)
    plan = await plan_backfill(ViewsClient(history.log), definition, since, until, BackfillChoice.MISSING)
    request = await headwater.backfills.request(definition, since, until, BackfillChoice.MISSING, plan.times, limit=2)
    backfill_id = request.state.requested.backfill_id
    for number in range(4):
        loaded = await headwater.backfills.load(backfill_id)
        while not (loaded.state.unfinished and await history.log.events.read(subjects.run(loaded.state.unfinished[0]))):
            await anyio.sleep(0.1)  # until the server has made the next
            await loaded.refresh()
        run = history.played(loaded.state.unfinished[0])
        history.clock.now = datetime.now(UTC)
        await run.claim()
        await run.start()
        history.clock.pass_seconds(0.4)
        await run.finish(failed=number == 2)
        while run.run_id in loaded.state.unfinished:
            await anyio.sleep(0.1)
            await loaded.refresh()
    return backfill_id


def _backfill_query(group_id: str) -> str:
    now = datetime.now(UTC)
    span = {"from": f"{now - timedelta(days=8):%Y-%m-%dT%H:%M:%SZ}", "to": f"{now:%Y-%m-%dT%H:%M:%SZ}", "choice": "all"}
    return urlencode({"tab": "schedule", "backfill": schedule_id(group_id, ""), **span})


def _graph(names: list[str], edges: list[tuple[str, str]]) -> dict[str, object]:
    from headwater.core.events import EdgeSpec, TaskSpec

    return {
        "tasks": tuple(TaskSpec(slug=f"{name}-1", name=name, type="FunctionTask") for name in names),
        "edges": tuple(EdgeSpec(f"{a}-1", f"{b}-1") for a, b in edges),
    }


async def _say_hello(history: History, flow_id: str, agent_id: str) -> PlayedRun:
    run = await history.run(flow_id)
    history.clock.pass_seconds(0.02)
    await run.claim(agent_id, "river-2")
    history.clock.pass_seconds(0.1)
    await run.start()
    await run.started("say_hello-1")
    await run.log("Hello, Cloud!", task="say_hello-1", logger="headwater.say_hello")
    history.clock.pass_seconds(0.03)
    await run.succeeded("say_hello-1")
    await run.finish()
    return run


def pages(played: Played) -> dict[str, str]:
    """Every page with the name of its picture."""
    run, flow, failed = f"/default/flow-run/{played.running}", f"/default/flow/{played.etl}", f"/default/flow-run/{played.failed}"
    return {
        "dashboard": "/",
        "flows": "/default/flows",
        "flow": flow,
        "flow-runs": f"{flow}?tab=runs",
        "flow-tasks": f"{flow}?tab=tasks",
        "flow-schematic": f"/default/flow/{played.wide}?tab=schematic",
        "flow-versions": f"{flow}?tab=versions",
        "flow-run": f"/default/flow/{played.parameters}?tab=run",
        "flow-schedule": f"/default/flow/{played.report}?tab=schedule",
        "flow-schedule-form": f"/default/flow/{played.hello}?tab=schedule&edit=1",
        "flow-backfill-form": f"/default/flow/{played.report}?{_backfill_query(played.report)}",
        "backfill": f"/default/backfill/{played.backfill}",
        "flow-settings": f"/default/flow/{played.parameters}?tab=settings",
        "run": run,
        "run-failed": failed,
        "run-waiting": f"/default/flow-run/{played.waiting}",
        "run-deleted": f"/default/flow-run/{played.deleted}",
        "run-tasks": f"{run}?tab=tasks",
        "run-schematic": f"{run}?tab=schematic",
        "run-logs": f"{failed}?tab=logs",
        "run-events": f"{failed}?tab=events",
        "task-run": f"/default/task-run/{played.failed}/load-1",
        "runs": "/default/runs",
        "agents": "/default/agents",
        "queues": "/default/queues",
        "projects": "/default/projects",
        "log": "/default/log",
        "server": "/default/server",
        "graphql": "/graphql",
        "search": "/default/search?q=hello",
    }


IN_DARK = ("dashboard", "run", "flow")
ON_A_PHONE = ("dashboard", "run", "flow", "runs")


@asynccontextmanager
async def heartbeats(log: Log) -> AsyncIterator[None]:
    """Let the agents of the history be heard."""

    async def beat() -> None:
        while True:
            for agent in await ViewsClient(log).agents(status="working"):
                beat = Heartbeat(agent_id=agent.id, interval_seconds=1, lease_seconds=3600)
                await log.publish(subjects.agent_heartbeat(agent.id), msgspec.json.encode(beat))
            await anyio.sleep(0.5)

    async with anyio.create_task_group() as group:
        group.start_soon(beat)
        yield
        group.cancel_scope.cancel()


async def shoot(browser: Browser, address: str, target: Path, *, width: int, scheme: str) -> None:
    """Take one picture. It must not be wider than the window."""
    height = 900 if width == SCREEN else 844
    context = await browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, device_scale_factor=1)  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(address)
    if await page.locator("body[data-live]").count():
        await page.wait_for_selector(".link.on")
    tall = min(await page.evaluate("document.documentElement.scrollHeight"), HEIGHT_MAX if width == SCREEN else height)
    await page.screenshot(path=target, full_page=True, clip={"x": 0, "y": 0, "width": width, "height": max(tall, height // 2)})
    assert await page.evaluate("document.documentElement.scrollWidth") <= width, address
    await context.close()


async def main(everything: Path | None) -> None:
    program = find_chromium()
    if program is None:
        raise SystemExit("No Chromium is installed; `make browser` installs Debian's.")
    target = everything or ROOT / "docs" / "images"
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        async with a_server(Path(directory) / "home") as (server, _), open_log(server.nats_url) as log, heartbeats(log):
            played = await play(log)
            await ViewsClient(log, wait_seconds=60).run(played.running, at_least=(await log.events.tail()).position)
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=program, args=list(QUIET))
                for name, path in pages(played).items():
                    for width in (SCREEN, PHONE):
                        for scheme in ("light", "dark"):
                            wanted = (width == SCREEN and (scheme == "light" or name in IN_DARK)) or (
                                name in ON_A_PHONE and scheme == "light"
                            )
                            if everything or wanted:
                                suffix = ("-phone" if width == PHONE else "") + ("-dark" if scheme == "dark" else "")
                                await shoot(browser, server.http_url + path, target / f"{name}{suffix}.png", width=width, scheme=scheme)
                await browser.close()
    print(f"{len(list(target.glob('*.png')))} pictures are in {target}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", type=Path, metavar="DIRECTORY")
    asyncio.run(main(parser.parse_args().all))

"""A home as a version of Headwater left it: its log, the flows stored there, the values kept there. Later versions must go on with it.

    PYTHONPATH=tests python tests/harness/kept_home.py v2     write the home of today's code into tests/histories/homes/v2

A home that was written is never rewritten: what it holds was stored once, and must be read for ever.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import nats

from harness.agent_harness import PROJECT, AgentHarness, agent_harness, running_agent
from harness.servers import NatsNode, Postgres
from harness.views_fixtures import views_of
from headwater.core.operations.headwater import Headwater
from headwater.core.operations.project_lookup import find_project
from headwater.core.states import StateName
from headwater.sdk.context.configuration import config
from headwater.sdk.language.flow import Flow
from headwater.sdk.storage import Local

HOMES = Path(__file__).parents[1] / "histories" / "homes"
PLACE = "@home@"
"""Stands in the kept log for the path of the home."""

LABEL = "kept"
FAR = datetime(2200, 1, 1, tzinfo=UTC)
FIRST_TIME = "first-time"
"""The gate of what is done once: it is open while the home is written."""
SCRIPT = """from headwater import Flow, task

with Flow("script") as flow:
    task(lambda: "from a script", name="tell")()
"""


def version_folders() -> list[Path]:
    return sorted(folder for folder in HOMES.iterdir() if (folder / "events.jsonl").exists())


async def stored(url: str, home: Path) -> list[dict[str, str]]:
    """Every message of EVENTS, in order, with the path of the home taken out."""
    async with await nats.connect(url) as client:
        stream = client.jetstream()
        count = (await stream.stream_info("EVENTS")).state.last_seq
        messages = [await stream.get_msg("EVENTS", number) for number in range(1, count + 1)]
    return [{"subject": each.subject or "", "data": (each.data or b"").decode().replace(str(home), PLACE)} for each in messages]


async def restored(folder: Path, url: str, home: Path) -> dict[str, Any]:
    """Put a kept home there and its log into this broker, whose streams must be new; return its description."""
    shutil.copytree(folder / "home", home)
    async with await nats.connect(url) as client:
        stream = client.jetstream()
        for line in (folder / "events.jsonl").read_text().splitlines():
            message = json.loads(line)
            await stream.publish(message["subject"], message["data"].replace(PLACE, str(home)).encode())
    told: dict[str, Any] = json.loads((folder / "told.json").read_text())
    return told


async def play(harness: AgentHarness, home: Path, kinds: list[Flow]) -> dict[str, Any]:
    """Register every kind of flow, run it until it ends or waits, do what people do with runs; return ids, and states of runs."""
    flows: dict[str, str] = {}
    first: dict[str, str] = {}
    (home / FIRST_TIME).touch()
    (home / "script.py").write_text(SCRIPT)
    for flow in kinds:
        flow.storage = Local(add_default_labels=False)
        flows[flow.name] = await harness.register(flow, labels=[LABEL])
    script = Flow("script", storage=Local(path=home / "script.py", stored_as_script=True, add_default_labels=False))
    script.add_task(next(iter(_script_tasks(home))))
    flows["script"] = await harness.register(script, labels=[LABEL])
    for name, flow_id in flows.items():
        run_id = first[name] = await harness.run(flow_id, run_name=f"first of {name}")
        if name == "paused":
            await harness.happened(run_id, "run.paused")
        elif name == "retried":
            await harness.happened(run_id, "run.scheduled", times=2)
        else:
            ended = await harness.ended(run_id)
            assert ended.state is (StateName.FAILED if name == "failing" else StateName.SUCCESS), (name, ended.message)
    actor = harness.client.actor
    far = await harness.run(flows["plain"], run_name="far away", scheduled_start_time=FAR)
    cancelled = await harness.run(flows["plain"], scheduled_start_time=FAR)
    await Headwater(harness.log, actor).runs.cancel(cancelled, reason="not wanted")
    deleted = await harness.run(flows["plain"])
    await harness.ended(deleted)
    await Headwater(harness.log, actor).runs.rename(deleted, "another name")
    await Headwater(harness.log, actor).runs.delete(deleted, reason="a trial")
    await Headwater(harness.log, actor).runs.restart(first["failing"])
    await harness.happened(first["failing"], "run.failed", times=2)
    project_id = await find_project(harness.log.events, PROJECT)
    await Headwater(harness.log, actor).key_values.set(project_id, "last day", {"day": "2026-11-27"})
    (home / FIRST_TIME).unlink()
    states = {each: (await harness.state(each)).state.value for each in (*first.values(), far, cancelled)}
    return {"flows": flows, "first": first, "far": far, "deleted": deleted, "states": states}


def _script_tasks(home: Path) -> set[Any]:
    from headwater.sdk.storage.loading import flows_in_file

    return set(flows_in_file(home / "script.py")[0].tasks)


@asynccontextmanager
async def _started(directory: Path) -> AsyncIterator[AgentHarness]:
    node, postgres = NatsNode(directory / "nats"), Postgres(directory / "postgres")
    async with AsyncExitStack() as stack:
        for server in (node, postgres):
            server.start()
        stack.callback(node.kill)
        stack.callback(postgres.stop)
        harness = await stack.enter_async_context(agent_harness(node.url))
        os.environ["HEADWATER_NATS_URL"] = node.url
        await stack.enter_async_context(views_of(harness.log, postgres.create_database()))
        await stack.enter_async_context(running_agent(node.url, labels=[LABEL]))
        yield harness


async def write(folder: Path) -> None:
    """Write the home of today's code."""
    import kept_flows  # type: ignore[import-not-found]  # the copy that `place` below is

    with tempfile.TemporaryDirectory() as made:
        home = Path(made) / "home"
        home.mkdir()
        os.environ["HEADWATER_HOME"] = str(home)
        config.reload()
        async with _started(Path(made)) as harness:
            told = await play(harness, home, [kind() for kind in kept_flows.KINDS])
            events = await stored(harness.url, home)
        keep(folder, home, events, {**told, "python": f"{sys.version_info.major}.{sys.version_info.minor}"})


def keep(folder: Path, home: Path, events: list[dict[str, str]], told: dict[str, Any]) -> None:
    for part in ("flows", "results"):
        shutil.copytree(home / part, folder / "home" / part)
    shutil.copy(home / "script.py", folder / "home")
    (folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    (folder / "told.json").write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    chosen = HOMES / sys.argv[1]
    if chosen.exists():
        sys.exit(f"{chosen} was written once, and stays as it is.")
    # The flows' code keeps the path of its file: not that of a developer's checkout.
    place = Path(tempfile.gettempdir()) / "kept-flows"
    if "KEPT_FLOWS" not in os.environ:
        place.mkdir(exist_ok=True)
        shutil.copy(HOMES / "kept_flows.py", place)
        sys.exit(subprocess.call([sys.executable, __file__, *sys.argv[1:]], env={**os.environ, "KEPT_FLOWS": str(place)}))
    sys.path.insert(0, os.environ["KEPT_FLOWS"])
    anyio.run(write, chosen)

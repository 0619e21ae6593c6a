"""`headwater demo`: the whole tutorial once, for real, in a home of its own that is gone afterwards."""

from __future__ import annotations

import logging
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headwater.cli.output import coloured, echo_stderr, examples

if TYPE_CHECKING:
    from headwater.core.log.protocol import Recorded
    from headwater.core.program.server_file import ServerFile
    from headwater.sdk.client.async_client import AsyncClient

app = typer.Typer(add_completion=False)

PROJECT = "tutorial"
FLOW = "hello-flow"
HELLO_FLOW = Path(__file__).resolve().parents[2] / "examples" / "hello_flow.py"


@app.command(epilog=examples("headwater demo", "headwater demo --keep"))
def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running, and say where; Ctrl-C ends it.")] = False,
) -> None:
    """Show everything once: start the servers, register a flow, start an agent, run the flow, read its events. Ends within seconds."""
    import anyio

    from headwater.core.program.exception_groups import unwrap_exception_group

    with _temporary_home() as home, unwrap_exception_group():
        anyio.run(_demo, home, keep)


@contextmanager
def _temporary_home() -> Iterator[Path]:
    """A home that is the one of this process and its children, and is removed in the end."""
    before = os.environ.get("HEADWATER_HOME")
    with tempfile.TemporaryDirectory(prefix="headwater-demo-", ignore_cleanup_errors=True) as folder:
        os.environ["HEADWATER_HOME"] = folder
        try:
            yield Path(folder)
        finally:
            if before is None:
                del os.environ["HEADWATER_HOME"]
            else:
                os.environ["HEADWATER_HOME"] = before


async def _demo(home: Path, keep: bool) -> None:
    import anyio

    from headwater.agents.local import LocalAgent
    from headwater.sdk.client.async_client import AsyncClient
    from headwater.server.options import ServerOptions
    from headwater.server.program import serve_headwater
    from headwater.server.services import server_services

    started = time.monotonic()
    ready: list[ServerFile] = []
    is_ready = anyio.Event()

    def announce(content: ServerFile) -> None:
        ready.append(content)
        is_ready.set()

    async def serve() -> None:
        options = ServerOptions(home=home, port=0, nats_port=0)
        await serve_headwater(options, server_services, on_ready=announce, stop_on_signals=False)

    # The servers' own lines would stand between those of the tutorial.
    logging.getLogger("headwater").setLevel(logging.WARNING)
    _step("Start the servers", "headwater server start")
    async with anyio.create_task_group() as group:
        group.start_soon(serve)
        await is_ready.wait()
        (addresses,) = ready
        print(f"A real NATS server and a real PostgreSQL are ready after {time.monotonic() - started:.1f} s, in {home}.")
        async with AsyncClient(addresses.nats_url, home=home) as client:
            _step("Create a project", f"headwater create project {PROJECT}")
            await client.create_project(PROJECT)
            print(f"{PROJECT} created")
            await _register()
            _step("Start an agent, in another terminal", "headwater agent local start")
            agent = LocalAgent(nats_url=addresses.nats_url)
            logging.getLogger("agent").setLevel(logging.WARNING)
            await group.start(agent.serve)
            print(f"Waits for runs with labels {list(agent.settings.labels)}; it is notified of each, and never polls.")
            run_id = await _run(client)
            await _schedule(client)
            await _show_events(client, run_id)
        took = time.monotonic() - started
        _outlook(addresses, took, keep=keep)
        if keep:
            await _until_interrupted()
        group.cancel_scope.cancel()


async def _register() -> None:
    """Run the tutorial's file as people do: in a process of its own, which finds the server by the home."""
    import anyio

    _step("Write a flow, which registers itself", f"python {HELLO_FLOW.name}")
    for line in HELLO_FLOW.read_text().splitlines():
        print(coloured(f"    {line}", "bright_black"))
    print(flush=True)
    await anyio.run_process([sys.executable, "-P", str(HELLO_FLOW)], stdout=None, stderr=None)


async def _run(client: AsyncClient) -> str:
    from headwater.cli.watch import RunWatch, print_line
    from headwater.core.operations.flow_lookup import find_flow

    _step("Run it", f"headwater run --name {FLOW} --project {PROJECT} --watch")
    flow = await find_flow(client.log.events, project_name=PROJECT, name=FLOW)
    run_id = await client.create_flow_run(flow.flow_id)
    run = await RunWatch(client, run_id, print_line).watch()
    print(f"The run is called {run.name!r} and ended in {run.state}.")
    return run_id


async def _schedule(client: AsyncClient) -> None:
    """Let the flow run every minute, and show when."""
    from datetime import timedelta

    from headwater.cli.schedule_words import next_times, print_times, times_words
    from headwater.core.calendar import IntervalSchedule
    from headwater.core.operations.flow_lookup import find_flow

    _step("Let it run by itself", f"headwater schedules set {FLOW} --interval 1m --project {PROJECT}")
    flow = await find_flow(client.log.events, project_name=PROJECT, name=FLOW)
    timetable = IntervalSchedule(timedelta(minutes=1)).serialize()
    state = (await client.headwater.schedules.set(flow.flow_group_id, timetable)).state
    assert state.progress is not None
    print(f"{FLOW}: {times_words(state.spec)}. The broker wakes a server at each time; nothing polls.\nNext times:")
    print_times(state.spec, next_times(state.spec, state.progress.decided, 3), indent="  ")


async def _show_events(client: AsyncClient, run_id: str) -> None:
    from headwater.cli.commands.events import Names, lines
    from headwater.core.log import subjects

    _step("Read what happened, from the log itself", f"headwater events {run_id}")
    history = await client.log.events.read(subjects.run(run_id))
    names = Names(client.log.events)
    for recorded in history:
        for line in await lines(recorded, names, whole=False):
            print(line)
    print()
    for name, milliseconds in await _latencies(client, run_id, history):
        print(f"  created → {name:<20}{milliseconds:8.1f} ms")


async def _latencies(client: AsyncClient, run_id: str, history: list[Recorded]) -> list[tuple[str, float]]:
    """Return how long after its creation the run was claimed, logged its first line of user code, and ended."""
    moments = {type(event).__name__: recorded.recorded_at for recorded in history for event in recorded.events}
    created = moments["RunCreated"]
    lines = [line for message in await client.log.logs.read(run_id) for line in message.lines]
    first = min(line.at for line in lines if line.logger == "headwater.say_hello")
    named = [("claimed by the agent", moments["RunSubmitted"]), ("your first line", first), ("finished", moments["RunSucceeded"])]
    return [(name, (moment - created).total_seconds() * 1000) for name, moment in named]


def _outlook(addresses: ServerFile, took: float, *, keep: bool) -> None:
    print(f"\n{coloured('Done', 'green')} in {took:.1f} s.", "Everything is still running:" if keep else "Nothing of it is left running.")
    if keep:
        print(f"  UI    {addresses.http_url}\n  NATS  {addresses.nats_url}")
        print(
            f"  export HEADWATER_NATS_URL={shlex.quote(addresses.nats_url)}    lets `headwater` in another terminal use it. Ctrl-C ends it."
        )
    else:
        print("Next: `headwater server start`, and docs/quickstart.md; or `headwater demo --keep` to look around.")


async def _until_interrupted() -> None:
    import signal

    import anyio

    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            echo_stderr("Ending everything ...")
            return


def _step(title: str, command: str) -> None:
    print(f"\n{coloured('●', 'cyan')} {coloured(title, 'bright_white')}\n{coloured(f'$ {command}', 'cyan')}", flush=True)

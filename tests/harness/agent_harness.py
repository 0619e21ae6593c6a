"""A log with a project in it, and agents that run there: for tests of agents and runs."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import anyio
import psutil

from harness.servers import wait_for
from headwater.agents.local import LocalAgent
from headwater.agents.retry import retry_until_available
from headwater.core.events import AnyEvent, event_type
from headwater.core.log import subjects
from headwater.core.log.jetstream import open_log
from headwater.core.log.protocol import Log, LogLine
from headwater.core.operations.run_lookup import load_run
from headwater.core.runs.state import Run
from headwater.sdk.client import AsyncClient
from headwater.sdk.language.flow import Flow

T = TypeVar("T")

PATIENCE_SECONDS = 60.0
PROJECT = "tutorial"


@dataclass
class AgentHarness:
    """One connection to a log, one project in it."""

    url: str
    log: Log
    client: AsyncClient

    async def register(self, flow: Flow, **settings: Any) -> str:
        return await self.client.register(flow, PROJECT, no_url=True, **settings)

    async def run(self, flow_id: str, **request: Any) -> str:
        return await self.client.create_flow_run(flow_id, **request)

    async def state(self, run_id: str) -> Run:
        return (await retry_until_available(lambda: load_run(self.log.events, run_id), "the run")).state

    async def reached(self, run_id: str, fact: Callable[[list[str], AnyEvent], bool]) -> list[AnyEvent]:
        """Return the run's events as soon as the fact holds of their names and the newest of them."""
        events: list[AnyEvent] = []
        names: list[str] = []
        with anyio.fail_after(PATIENCE_SECONDS):
            async with AsyncExitStack() as stack:
                follow = self.log.events.follow
                news = await retry_until_available(lambda: stack.enter_async_context(follow(subjects.run(run_id))), "the run's news")
                async for batch in news:
                    for recorded in batch:
                        for event in recorded.commit.events:
                            events.append(event)
                            names.append(event_type(event))
                            if fact(names, event):
                                return events
        raise AssertionError("the feed ended")

    async def happened(self, run_id: str, name: str, *, times: int = 1) -> list[AnyEvent]:
        """Return the run's events as soon as one of this name has happened so often."""
        return await self.reached(run_id, lambda names, _: names.count(name) >= times)

    async def ended(self, run_id: str) -> Run:
        """Return the run as soon as it has ended."""
        await self.reached(run_id, lambda _, event: event_type(event) in {"run.succeeded", "run.failed", "run.cancelled"})
        return await self.state(run_id)

    async def names(self, run_id: str) -> list[str]:
        """Return the names of all that happened to the run."""
        recorded = await self.log.events.read(subjects.run(run_id))
        return [event_type(event) for each in recorded for event in each.commit.events]

    async def lines(self, run_id: str) -> list[LogLine]:
        """Return what the run logged."""
        return [line for each in await self.log.logs.read(run_id) for line in each.lines]


@asynccontextmanager
async def agent_harness(url: str) -> AsyncIterator[AgentHarness]:
    """Open the log at this address; its streams and its project are made where they are missing."""
    async with open_log(url, ensure_streams=True, name="harness") as log, AsyncClient(url) as client:
        await client.create_project(PROJECT)
        yield AgentHarness(url, log, client)


@asynccontextmanager
async def running_agent(url: str, **settings: Any) -> AsyncIterator[LocalAgent]:
    """An agent in this process, ended with the block."""
    agent = LocalAgent(nats_url=url, **settings)
    async with anyio.create_task_group() as group:
        await group.start(agent.serve)
        yield agent
        group.cancel_scope.cancel()


@asynccontextmanager
async def hosted(manager: AbstractAsyncContextManager[T]) -> AsyncIterator[T]:
    """The manager's value, entered and left in a task of its own: fixtures are set up and torn down in different tasks."""
    entered: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    leave = asyncio.Event()

    async def host() -> None:
        try:
            async with manager as value:
                entered.set_result(value)
                await leave.wait()
        except BaseException as error:
            if entered.done():
                raise
            entered.set_exception(error)

    task = asyncio.create_task(host())
    try:
        yield await entered
    finally:
        leave.set()
        await task


@dataclass
class AgentProcess:
    """An agent in a process of its own, free to be killed. Its lines are in `output`."""

    directory: Path
    url: str
    settings: dict[str, Any] = field(default_factory=dict)
    before: Callable[[], object] | None = None
    """What the process does before it is an agent, such as entering a control group."""

    def start(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        program = f"from headwater.agents.local import LocalAgent; LocalAgent(nats_url={self.url!r}, **{self.settings!r}).start()"
        with self.output_file.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", program],
                cwd=self.directory,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                preexec_fn=self.before,  # noqa: PLW1509 - it writes one file
            )
        wait_for(lambda: "Waiting for flow runs" in self.output or self._process.poll() is not None, "an agent at work")
        assert self._process.poll() is None, self.output

    @property
    def output_file(self) -> Path:
        return self.directory / "output"

    @property
    def output(self) -> str:
        return self.output_file.read_text()

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self, timeout_seconds: float = PATIENCE_SECONDS) -> int:
        return self._process.wait(timeout_seconds)

    def kill(self) -> None:
        """Kill it outright, if it lives."""
        self._process.kill()
        self._process.wait()

    def part(self, module: str) -> psutil.Process:
        """The process that executes this module, of those that the agent itself started."""
        (found,) = [each for each in psutil.Process(self.pid).children() if module in each.cmdline()]
        return found

    def descendants(self) -> list[psutil.Process]:
        found: list[psutil.Process] = psutil.Process(self.pid).children(recursive=True)
        return found


async def eventually(fact: Callable[[], bool], what: str) -> None:
    """Return as soon as the fact holds; the event loop goes on meanwhile."""
    with anyio.move_on_after(PATIENCE_SECONDS):
        while not fact():  # noqa: ASYNC110 - facts of other processes send no events
            await anyio.sleep(0.005)
        return
    raise AssertionError(f"not within {PATIENCE_SECONDS:g} s: {what}")


def gone(processes: Sequence[psutil.Process]) -> bool:
    """Tell whether none of these processes is alive."""
    return not any(map(_lives, processes))


def is_alive(process_id: int) -> bool:
    try:
        return _lives(psutil.Process(process_id))
    except psutil.NoSuchProcess:
        return False


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False

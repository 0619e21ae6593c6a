"""Everything for real, and something killed every second: `python -m simulation.chaos --seconds 300 --runs 1000`.

A whole server with its broker and its database, agents, and runs of a moment and of seconds. What dies comes back as a service manager
would have it. In the end the log is checked: every run that was acknowledged is there and has ended, and no promise is broken.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from random import Random

import anyio
import msgspec
import psutil
from harness.agent_harness import AgentProcess
from harness.command_line import COMMAND, CommandLine
from harness.servers import free_ports, wait_for

from headwater.agents.retry import retry_until_available
from headwater.audit import verify
from headwater.audit.verify import verify_facts
from headwater.core.aggregates import Actor
from headwater.core.errors import HeadwaterError
from headwater.core.log.jetstream import open_log
from headwater.core.log.protocol import Log
from headwater.core.operations.headwater import Headwater
from headwater.core.operations.run_creation import RunRequest
from headwater.core.queries.requests import ListFlows
from headwater.sdk.client import AsyncClient
from headwater.server.supervision.orphan_cleanup import RememberedProcess

AGENTS, LEASE_SECONDS = 2, 3.0
ATTEMPTS_MAX = 50
"""So much is killed that three attempts would be few: a run that was unlucky so often is not a broken promise."""
LONG_SHARE = 0.2
CALM_SECONDS = 180.0
PROJECT = "chaos"
FLOW = """
import time
from headwater import Flow, Parameter, task

@task
def wait(seconds):
    time.sleep(seconds)
    return seconds

@task
def follow(seconds):
    time.sleep(seconds / 2)

with Flow("chaotic-flow") as flow:
    follow(wait(Parameter("seconds", default=0)))
"""


class Everything:
    """A server and agents that are started again whenever they have ended."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self.directory = directory
        port, self.nats_port = free_ports(2)
        self.url = f"nats://127.0.0.1:{self.nats_port}"
        self.command_line = CommandLine(directory)
        self._server_command = [str(COMMAND), "server", "start", "--port", str(port), "--nats-port", str(self.nats_port)]
        self.server: subprocess.Popen[bytes] | None = None
        self.agents = [
            AgentProcess(directory / name, self.url, {"name": name, "lease_seconds": LEASE_SECONDS, "limit": 6, "grace_seconds": 2.0})
            for name in (f"agent-{number}" for number in range(AGENTS))
        ]
        stack.callback(self.end)

    def start(self) -> None:
        """Start what does not run. The first time, return when all of it is ready."""
        if self.server is None or self.server.poll() is not None:
            is_first = self.server is None
            with (self.directory / "server.log").open("ab") as output:
                self.server = subprocess.Popen(
                    self._server_command,
                    cwd=self.directory,
                    env=dict(self.command_line.environment),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                )
            if is_first:
                wait_for((self.command_line.home / "server.json").exists, "the server ready", timeout_seconds=60)
        for agent in self.agents:
            if not agent.output_file.exists() or not agent.runs:
                with suppress(AssertionError):  # where the broker is away just now it ends at once, and is started again
                    agent.start()

    def end(self) -> None:
        for agent in self.agents:
            if agent.output_file.exists():
                agent.kill()
        if self.server is not None:
            self.server.send_signal(signal.SIGINT)
            try:
                self.server.wait(30)
            except subprocess.TimeoutExpired:
                self.server.kill()

    # What is killed

    def kill_an_agent(self, random: Random) -> None:
        random.choice(self.agents).kill()

    def kill_what_an_agent_started(self, random: Random) -> None:
        with suppress(psutil.NoSuchProcess, IndexError):
            random.choice(random.choice(self.agents).descendants()).kill()

    def kill_the_broker(self, _: Random) -> None:
        _kill_remembered(self.command_line.home / "nats" / "nats.pid")

    def kill_the_database(self, _: Random) -> None:
        _kill_remembered(self.command_line.home / "postgres" / "postgres.pid")

    def kill_the_server(self, _: Random) -> None:
        assert self.server is not None
        self.server.kill()
        self.server.wait()

    async def freeze_an_agent(self, random: Random) -> None:
        agent = random.choice(self.agents)
        if agent.runs:
            agent.send(signal.SIGSTOP)
            await anyio.sleep(random.random() * 2 * LEASE_SECONDS)
            agent.send(signal.SIGCONT)


def _kill_remembered(pid_file: Path) -> None:
    with suppress(OSError, msgspec.DecodeError):
        os.kill(msgspec.json.decode(pid_file.read_bytes(), type=RememberedProcess).pid, signal.SIGKILL)


class Chaos:
    """One go at it."""

    def __init__(self, everything: Everything, *, seed: int, runs: int, seconds: float) -> None:
        self._everything = everything
        self._random = Random(seed)
        self._runs = runs
        self._seconds = seconds
        self.happened: Counter[str] = Counter()
        self.acknowledged: set[str] = set()

    async def go(self) -> list[str]:
        """Let it happen, and return the promises that were broken."""
        flow_id = await self._register()
        async with open_log(self._everything.url, name="chaos") as log, anyio.create_task_group() as group:
            group.start_soon(self._keep_alive)
            async with anyio.create_task_group() as storm:
                storm.start_soon(self._create_runs, log, flow_id)
                storm.start_soon(self._break_things)
            for agent in self._everything.agents:
                with suppress(ProcessLookupError):
                    agent.send(signal.SIGCONT)
            broken = await self._verdict(log)
            group.cancel_scope.cancel()
        return broken

    async def _register(self) -> str:
        headwater = self._everything.command_line
        path = headwater.write("chaotic.py", FLOW)
        for arguments in (("create", "project", PROJECT), ("register", "--project", PROJECT, "--path", str(path))):
            ended = headwater(*arguments)
            assert ended.code == 0, ended.err
        async with AsyncClient(self._everything.url) as client:
            (flow,) = await client.views.flows(ListFlows(name="chaotic-flow", project=PROJECT))
            return str(flow.id)

    async def _create_runs(self, log: Log, flow_id: str) -> None:
        runs = Headwater(log, Actor("chaos")).runs
        for number in range(self._runs):
            is_long = self._random.random() < LONG_SHARE
            seconds = self._random.uniform(1, 4) if is_long else self._random.uniform(0, 0.1)
            request = RunRequest(parameters={"seconds": seconds}, idempotency_key=f"run {number}", attempts_max=ATTEMPTS_MAX)
            created = await retry_until_available(partial(runs.create, flow_id, request), "a run")
            self.acknowledged.add(created.run_id)
            self.happened["long runs created" if is_long else "short runs created"] += 1
            await anyio.sleep(self._random.random() * 2 * 0.8 * self._seconds / self._runs)

    async def _break_things(self) -> None:
        everything = self._everything
        mishaps: list[Callable[[Random], object]] = [
            everything.kill_an_agent,
            everything.kill_what_an_agent_started,
            everything.kill_what_an_agent_started,
            everything.kill_what_an_agent_started,
            everything.kill_the_broker,
            everything.kill_the_database,
            everything.kill_the_server,
        ]
        async with anyio.create_task_group() as frozen:
            with anyio.move_on_after(self._seconds):
                while True:
                    await anyio.sleep(1.0)
                    if self._random.random() < 1 / (len(mishaps) + 1):
                        frozen.start_soon(everything.freeze_an_agent, self._random)
                        self._tell("freeze an agent")
                    else:
                        mishap = self._random.choice(mishaps)
                        mishap(self._random)
                        self._tell(mishap.__name__.replace("_", " "))

    def _tell(self, what: str) -> None:
        self.happened[what] += 1
        print(f"{anyio.current_time():.1f} {what}", flush=True)

    async def _keep_alive(self) -> None:
        while True:
            self._everything.start()
            await anyio.sleep(0.5)

    async def _verdict(self, log: Log) -> list[str]:
        unfinished = ["a run"]
        with anyio.move_on_after(CALM_SECONDS):
            while unfinished:
                await anyio.sleep(1.0)
                with suppress(HeadwaterError):
                    unfinished = list((await verify_facts(log.events)).unfinished)
        broken = [f"{run_id} has not ended" for run_id in unfinished]
        checked = await retry_until_available(lambda: verify(log), "the check")
        broken += [f"{each.promise}, at {each.positions}: {each.words}" for each in checked.violations]
        history = await retry_until_available(lambda: verify_facts(log.events), "the log")
        runs = dict(history.runs.items())
        broken += [f"{run_id} was acknowledged and is not there" for run_id in self.acknowledged - runs.keys()]
        broken += [f"{run_id} is there and nobody asked for it" for run_id in runs.keys() - self.acknowledged]
        broken += await self._views_differ({run_id: str(run.state.state) for run_id, run in runs.items()})
        self.happened["commits"] = checked.commits
        self.happened["attempts"] = sum(run.state.attempt for run in runs.values())
        for run in runs.values():
            self.happened[f"runs that ended {run.state.state}"] += 1
        return broken

    async def _views_differ(self, states: dict[str, str]) -> list[str]:
        """Tell whether the views show the runs as the log has them, when the server has come back and caught up."""
        shown: dict[str, str] = {}
        listing = ("get", "flow-runs", "--project", PROJECT, "--limit", str(len(states)), "--output", "json")
        with anyio.move_on_after(CALM_SECONDS):
            while shown != states:
                listed = await anyio.to_thread.run_sync(self._everything.command_line, *listing)
                if listed.code == 0:
                    shown = {run["id"]: run["state"] for run in listed.json}
        return [] if shown == states else ["the views do not show the runs as they are"]


async def go(directory: Path, *, seed: int, runs: int, seconds: float) -> tuple[Chaos, list[str]]:
    """Start everything in the directory, let it happen, end everything; return what happened, and the promises that were broken."""
    with ExitStack() as stack:
        everything = Everything(directory, stack)
        everything.start()
        chaos = Chaos(everything, seed=seed, runs=runs, seconds=seconds)
        broken = await chaos.go()
    with suppress(AssertionError):
        wait_for(lambda: not _left(directory), "nothing is left")
    return chaos, broken + [f"process {each} is left" for each in _left(directory)]


def _left(directory: Path) -> list[str]:
    """Return the processes that work in the directory: all that was started does."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()).is_relative_to(directory):
                found.append(" ".join(process.cmdline())[:100])
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0, help="how long things are killed (default 300)")
    parser.add_argument("--runs", type=int, default=1000, help="how many runs (default 1000)")
    parser.add_argument("--seed", type=int, default=Random().randrange(10**9), help="what chance chooses; another each time by default")
    options = parser.parse_args()
    print(f"seed {options.seed}")
    with tempfile.TemporaryDirectory() as directory:
        chaos, broken = anyio.run(partial(go, Path(directory), seed=options.seed, runs=options.runs, seconds=options.seconds))
    for what, times in sorted(chaos.happened.items()):
        print(f"{times:6} {what}")
    for promise in broken:
        print(f"BROKEN: {promise}")
    print("The log keeps every promise." if not broken else f"{len(broken)} promises are broken.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

"""Agents on machines that run out of processes, threads, files and memory: the runs that can go on do, and the cause is named."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio
import psutil
import pytest
from harness.agent_harness import AgentHarness, AgentProcess, agent_harness, eventually
from harness.control_groups import ControlGroup, control_group
from harness.gates import gate_task, gated_flow
from harness.servers import NatsNode
from harness.small_disks import small_disk

from headwater import unmapped
from headwater.agents.errors import LauncherGone, LaunchFailed
from headwater.agents.launcher import LaunchSpec
from headwater.agents.local.local_launcher import LocalLauncher
from headwater.agents.local.local_process import LocalProcess
from headwater.agents.supervisor_protocol import Connect
from headwater.core.events import RunAttemptLost
from headwater.core.states import StateName
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def processes() -> Iterator[ControlGroup]:
    with control_group("pids") as group:
        yield group


@pytest.fixture
def memory() -> Iterator[ControlGroup]:
    with control_group("memory") as group:
        yield group


@asynccontextmanager
async def agent_in(group: ControlGroup, harness: AgentHarness, directory: Path) -> AsyncIterator[AgentProcess]:
    agent = AgentProcess(directory / "agent", harness.url, {"name": "vm", "spares": 1}, before=group.enter)
    agent.start()
    try:
        yield agent
    finally:
        agent.kill()
        await eventually(lambda: group.is_empty, "nothing is left of the group")


@pytest.mark.parametrize("room", [0, 1], ids=["not one process", "one process"])
async def test_a_run_that_cannot_be_started_is_given_back_and_the_others_go_on(
    harness: AgentHarness, processes: ControlGroup, tmp_path: Path, room: int
) -> None:
    gate = tmp_path / "gate"
    async with agent_in(processes, harness, tmp_path) as agent:
        flow_id = await harness.register(gated_flow(gate))
        healthy = await harness.run(flow_id)
        await harness.happened(healthy, "task_run.started")
        limit = processes.count + room
        processes.limit(limit)
        others = [await harness.run(flow_id) for _ in range(3)]  # one of them may find a spare process
        given_back = [event for each in others for event in await lost_or_started(harness, each)]
        processes.limit(None)
        gate.touch()
        ended = [await harness.ended(each) for each in (healthy, *others)]

    assert len(given_back) >= 2 - room
    assert all(event.released for event in given_back)
    assert all(event.reason.startswith("agent 'vm' cannot start processes: ") for event in given_back)
    assert all(f"limit of processes {limit}" in event.reason for event in given_back)
    assert [(run.state, run.attempts_lost) for run in ended] == [(StateName.SUCCESS, 0)] * 4
    assert ended[0].attempt == 1
    assert agent.output.count("No process can be started here: ") == 1
    assert "Processes can be started again" in agent.output
    assert "Traceback" not in agent.output


async def lost_or_started(harness: AgentHarness, run_id: str) -> list[RunAttemptLost]:
    """Return the losses of the run, as soon as it has lost an attempt or runs."""
    events = await harness.reached(run_id, lambda names, _: names[-1] in {"run.attempt_lost", "run.started"})
    return [event for event in events if isinstance(event, RunAttemptLost)]


async def test_a_run_killed_for_memory_says_how_much_it_held_and_how_much_there_was(
    harness: AgentHarness, memory: ControlGroup, tmp_path: Path
) -> None:
    @task
    def hold_everything() -> None:
        held = []
        while True:
            held.append(b"x" * 10_000_000)

    async with agent_in(memory, harness, tmp_path):
        memory.limit(400_000_000)
        run_id = await harness.run(await harness.register(Flow("hungry-flow", tasks=[hold_everything])))
        (lost,) = [event for event in await harness.happened(run_id, "run.attempt_lost") if isinstance(event, RunAttemptLost)]

    assert "killed by the kernel for want of memory (it held " in lost.reason
    assert "of 400 MB)" in lost.reason


async def test_an_agent_whose_run_cannot_record_what_happens_says_so_though_it_is_connected(tmp_path: Path) -> None:
    gate = tmp_path / "gate"

    @task
    def do_much(number: int) -> int:
        return number

    with Flow("gated-flow") as flow:
        do_much.map(list(range(300)), upstream_tasks=[unmapped(gate_task(gate)())])  # more than fits into what is left of a page

    with small_disk(tmp_path / "disk", "160m") as disk:
        node = NatsNode(disk.path / "nats")
        node.start()
        try:
            async with agent_harness(node.url) as harness, agent_process(harness, tmp_path) as agent:
                run_id = await harness.run(await harness.register(flow))
                await harness.happened(run_id, "task_run.started")
                disk.fill()
                gate.touch()
                await eventually(lambda: "The log takes nothing (" in agent.output, "the agent says so")
                assert "): 1 run waits to record what happened." in agent.output

                disk.make_room()
                node.kill()  # it takes no more writes until it is started again
                node.start()
                await harness.ended(run_id)
                await eventually(lambda: "The log takes commits again." in agent.output, "the agent says that it goes on")
        finally:
            node.kill()


@asynccontextmanager
async def agent_process(harness: AgentHarness, directory: Path) -> AsyncIterator[AgentProcess]:
    agent = AgentProcess(directory / "agent", harness.url)
    agent.start()
    try:
        yield agent
    finally:
        agent.kill()


# The launcher by itself: what limits do to the process that starts the others.


NO_LOG = Connect("nats://127.0.0.1:1", "nobody")
"""The processes started here have no attempt, and their supervisor nothing to record."""


@asynccontextmanager
async def launcher(retry_seconds: float = 1.0) -> AsyncIterator[LocalLauncher]:
    made = LocalLauncher(os.environ, NO_LOG, retry_seconds=retry_seconds)
    async with anyio.create_task_group() as group:
        await group.start(made.serve)
        with anyio.fail_after(60):
            yield made
        group.cancel_scope.cancel()


def zygote() -> psutil.Process:
    (found,) = [each for each in psutil.Process().children() if "headwater.agents.local.zygote" in each.cmdline()]
    return found


def sleeper(directory: Path) -> LaunchSpec:
    (directory / "sitecustomize.py").write_text("import time; time.sleep(600)\n")
    return LaunchSpec(environment={**os.environ, "PYTHONPATH": str(directory)}, directory=directory)


CANNOT_FORK = """
import os, resource, socket, sys
from headwater.agents.launcher_protocol import Frames, Launch, NotLaunched, read_answers
from headwater.agents.local.spare_pool import SparePool
from headwater.agents.local.zygote import Zygote

ours, theirs = socket.socketpair()
spares = SparePool(1)
keeper = Zygote(theirs, spares)
resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
if os.geteuid() == 0:
    os.setuid(65534)  # the limit does not hold for root
for number in range(3):
    keeper._descriptors = [os.dup(1), os.dup(1)]
    keeper._launch(Launch(number, {}, "/"))
    spares.make(None)
answers = read_answers(ours, Frames())
assert all(isinstance(each, NotLaunched) for each in answers), answers
print(*{each.reason for each in answers})
"""


def test_a_zygote_that_may_not_fork_says_which_limit_it_was_and_lives() -> None:
    done = subprocess.run([sys.executable, "-P", "-c", CANNOT_FORK], capture_output=True, text=True, check=False, timeout=60)

    assert done.stdout == "Resource temporarily unavailable; limit of processes 1\n", done.stderr


LOWEST_FREE = 5
"""A zygote keeps the numbers below it for what every run has."""


async def test_a_zygote_without_room_for_files_refuses_one_launch_and_keeps_what_it_started(tmp_path: Path) -> None:
    async with launcher() as starts:
        healthy = await starts.launch(sleeper(tmp_path))
        before = zygote()
        limits = resource.prlimit(before.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(before.pid, resource.RLIMIT_NOFILE, (LOWEST_FREE, limits[1]))

        with pytest.raises(LaunchFailed, match="Too many open files; limit of open files"):
            await starts.launch(sleeper(tmp_path))
        resource.prlimit(before.pid, resource.RLIMIT_NOFILE, limits)
        again = await starts.launch(sleeper(tmp_path))

        assert zygote().pid == before.pid
        assert healthy.process_id is not None
        assert psutil.pid_exists(healthy.process_id)
        for process in (healthy, again):
            await process.stop(grace_seconds=30)


async def test_an_agent_without_room_for_files_refuses_one_launch(tmp_path: Path) -> None:
    order = sleeper(tmp_path)
    async with launcher() as starts:
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        lowest_free = os.open(os.devnull, os.O_RDONLY)
        os.close(lowest_free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, limits[1]))
        try:
            with pytest.raises(LaunchFailed, match="Too many open files"):
                await starts.launch(order)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        process = await starts.launch(order)
        await process.stop(grace_seconds=30)


async def test_where_no_new_zygote_can_be_made_launches_are_refused_until_one_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with launcher(retry_seconds=0.01) as starts:
        with monkeypatch.context() as away:
            away.setattr(sys, "executable", str(tmp_path / "removed"))
            zygote().kill()
            with pytest.raises(LaunchFailed, match="No such file or directory"):
                await refused(starts, tmp_path)
        process = await launched(starts, tmp_path)
        await process.stop(grace_seconds=30)


async def refused(starts: LocalLauncher, directory: Path) -> None:
    """Launch until it is refused: the launcher may not have heard yet that its zygote is dead."""
    while True:
        with suppress(LauncherGone):  # its socket may be closed already, before it is heard that it ended
            await (await starts.launch(sleeper(directory))).wait()


async def launched(starts: LocalLauncher, directory: Path) -> LocalProcess:
    while True:
        try:
            return await starts.launch(sleeper(directory))
        except (LaunchFailed, LauncherGone):
            await anyio.lowlevel.checkpoint()


async def test_an_agent_may_have_as_many_files_as_the_system_lets_it_and_its_runs_as_many_as_before(
    harness: AgentHarness, tmp_path: Path
) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    agent = AgentProcess(tmp_path / "agent", harness.url, before=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, hard), hard)))
    agent.start()

    @task
    def tell() -> None:
        (tmp_path / "limit").write_text(str(resource.getrlimit(resource.RLIMIT_NOFILE)[0]))

    await harness.ended(await harness.run(await harness.register(Flow("telling-flow", tasks=[tell]))))
    soft, _ = resource.prlimit(agent.pid, resource.RLIMIT_NOFILE)
    agent.kill()

    assert soft == hard
    assert (tmp_path / "limit").read_text() == str(min(512, hard))

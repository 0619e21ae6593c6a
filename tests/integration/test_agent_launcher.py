"""Processes that a local agent starts: warm or cold, heard to the last line, and never outliving it."""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import psutil
import pytest
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus
from harness.agent_harness import AgentHarness, AgentProcess, agent_harness, eventually, is_alive, running_agent
from harness.gates import gated_flow

from headwater.agents import shortages
from headwater.agents.errors import LaunchFailed
from headwater.agents.launcher import LaunchSpec
from headwater.agents.launcher_protocol import Launch, frame
from headwater.agents.local.forked_child import take_environment
from headwater.agents.local.kept_program import KeptProgram
from headwater.agents.local.local_launcher import LocalLauncher
from headwater.agents.local.local_process import LAST_LINES_MAX
from headwater.agents.local.rehearsal import rehearse
from headwater.agents.local.spare_pool import PreforkedChild, SparePool
from headwater.agents.supervisor_protocol import Connect
from headwater.sdk.context.context import context
from headwater.sdk.language.case import case
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow
from headwater.sdk.language.parameter import Parameter
from headwater.sdk.language.triggers import all_finished
from headwater.sdk.run_configs import LocalRun

NO_LOG = Connect("nats://127.0.0.1:1", "nobody")
"""The processes started here have no attempt, and their supervisor nothing to record."""


@asynccontextmanager
async def launcher(lines: list[str] | None = None) -> AsyncIterator[LocalLauncher]:
    made = LocalLauncher(os.environ, NO_LOG, show_line=None if lines is None else lines.append)
    async with anyio.create_task_group() as group:
        await group.start(made.serve)
        with anyio.fail_after(60):
            yield made
        group.cancel_scope.cancel()


def order(directory: Path, **environment: str) -> LaunchSpec:
    """An order that names no attempt: the process says so and ends. With PROGRAM, a new interpreter runs that first."""
    return LaunchSpec(environment={**os.environ, **environment}, directory=directory)


def program(directory: Path, text: str) -> LaunchSpec:
    """A process that runs `text`, as a new interpreter does with the test's own `sitecustomize`, and nothing else."""
    (directory / "sitecustomize.py").write_text(text + "\nimport sys; sys.stdout.flush(); sys.stderr.flush()\n")
    return order(directory, PYTHONPATH=str(directory))


async def zygote_of(process: Any) -> psutil.Process:
    """The process that forked this one: its own parent, whatever else the tests have started."""
    await eventually(lambda: process.process_id is not None, "the process is started")
    return psutil.Process(process.process_id).parent()


async def test_a_process_without_an_attempt_ends_at_once_and_says_why(tmp_path: Path) -> None:
    async with launcher() as starts:
        for environment in ({}, {"PYTHONHASHSEED": "5"}):  # warm and cold
            ending = await (await starts.launch(order(tmp_path, **environment))).wait()

            assert ending.status == 1
            assert ending.report is None
            assert any("no agent started it" in line for line in ending.last_lines)


async def test_what_a_process_prints_is_shown_and_its_last_lines_are_kept(tmp_path: Path) -> None:
    shown: list[str] = []
    async with launcher(shown) as starts:
        text = r"import os, sys; sys.stdout.write(''.join(f'line {n}\n' for n in range(5000))); sys.stdout.flush(); os._exit(3)"
        process = await starts.launch(program(tmp_path, text))
        ending = await process.wait()

    assert shown == [f"line {n}" for n in range(5000)]
    assert ending.status == 3
    assert ending.last_lines == tuple(f"line {n}" for n in range(5000 - LAST_LINES_MAX, 5000))


async def test_a_process_stopped_by_a_signal_ends_with_it(tmp_path: Path) -> None:
    async with launcher() as starts:
        process = await starts.launch(program(tmp_path, "import time; print('up', flush=True); time.sleep(600)"))
        await process.stop(grace_seconds=30)
        ending = await process.wait()

    assert ending.status == -signal.SIGTERM
    assert "signal 15" in ending.words


async def test_nothing_of_a_process_group_is_left_when_its_leader_has_ended(tmp_path: Path) -> None:
    noted = tmp_path / "child"
    text = f"""
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"], env={{}})
open({str(noted)!r}, "w").write(str(child.pid))
os._exit(0)
"""
    async with launcher() as starts:
        await (await starts.launch(program(tmp_path, text))).wait()
        await eventually(lambda: not is_alive(int(noted.read_text())), "the child is gone")


async def test_processes_and_zygote_end_with_the_launcher(tmp_path: Path) -> None:
    async with launcher() as starts:
        process = await starts.launch(program(tmp_path, "import time; time.sleep(600)"))
        process_ids = [(await zygote_of(process)).pid, process.process_id]
        assert all(map(is_alive, process_ids))

    await eventually(lambda: not any(map(is_alive, process_ids)), "nothing is left")
    assert (await process.wait()).status == -signal.SIGKILL


async def test_a_zygote_that_dies_is_replaced_and_its_processes_count_as_killed(tmp_path: Path) -> None:
    async with launcher() as starts:
        process = await starts.launch(program(tmp_path, "import time; time.sleep(600)"))
        before = await zygote_of(process)
        before.kill()

        assert (await process.wait()).status == -signal.SIGKILL
        again = await starts.launch(program(tmp_path, "import time; time.sleep(600)"))
        assert (await zygote_of(again)).pid != before.pid


def test_a_rehearsal_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path))
    logger = logging.getLogger("headwater")

    def seen() -> tuple[object, ...]:
        return (
            *logger.handlers,
            logger.level,
            signal.getsignal(signal.SIGTERM),
            dict(os.environ),
            logging.getLogRecordFactory(),
            gc.isenabled(),
        )

    before = seen()
    rehearse(2)

    assert seen() == before
    assert list(tmp_path.iterdir()) == []


class ShortLived:
    """A program that ends right after its start, until the fourth one."""

    starts = 0

    def __init__(self, on_end: Callable[[], None]) -> None:
        self.ended = anyio.Event()
        self._on_end = on_end

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        ShortLived.starts += 1
        task_status.started()
        if ShortLived.starts == 4:
            await anyio.sleep_forever()
        self._on_end()
        self.ended.set()


async def test_a_program_that_dies_again_and_again_is_started_after_pauses_that_grow() -> None:
    kept = KeptProgram(ShortLived, retry_seconds=0.02)
    began = anyio.current_time()
    refusals: set[str] = set()
    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            await group.start(kept.serve)
            while ShortLived.starts < 4:
                try:
                    await kept.current()
                except LaunchFailed as refused:
                    refusals.add(refused.reason)
                await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()

    assert anyio.current_time() - began >= 0.02 + 0.04
    assert all("ended 0.0 s after its start" in reason for reason in refusals)
    assert refusals


@pytest.mark.parametrize(("settings", "spares"), [({"spares": 3}, 3), ({"spares": 3, "limit": 1}, 1), ({"spares": 0}, 0)])
async def test_an_agent_keeps_so_many_spare_processes(harness: AgentHarness, tmp_path: Path, settings: dict[str, int], spares: int) -> None:
    agent = AgentProcess(tmp_path / "agent", harness.url, settings)
    agent.start()
    try:
        flow_id = await harness.register(gated_flow(tmp_path / "gate"))
        zygote = agent.part("headwater.agents.local.zygote")
        await eventually(lambda: len(zygote.children()) == spares, "they are made")
        run_id = await harness.run(flow_id)
        await harness.happened(run_id, "task_run.started")
        still = min(spares, settings.get("limit", spares + 1) - 1)
        await eventually(lambda: len(zygote.children()) == 1 + still, "one takes the place of the one that is a run's now")
        (tmp_path / "gate").touch()
        await harness.ended(run_id)
    finally:
        agent.kill()


@pytest.mark.parametrize("short", ["processes", "memory"])
def test_one_spare_process_is_enough_where_processes_or_memory_are_short(monkeypatch: pytest.MonkeyPatch, short: str) -> None:
    monkeypatch.setattr(shortages, f"{short}_left", lambda: 10)
    pool = SparePool(4)
    assert pool.lacks_one(running=0)

    ours, theirs = socket.socketpair()
    with ours, theirs:
        pool.add(PreforkedChild(1, ours))
        assert not pool.lacks_one(running=0)


def test_a_forked_process_takes_exactly_the_environment_of_its_order() -> None:
    before, zone = dict(os.environ), time.tzname
    try:
        take_environment({"PATH": before["PATH"], "TZ": "Pacific/Auckland", "GREETING": "kia ora"})

        assert dict(os.environ) == {"PATH": before["PATH"], "TZ": "Pacific/Auckland", "GREETING": "kia ora"}
        assert time.tzname[0] == "NZST"
    finally:
        take_environment(before)
    assert (dict(os.environ), time.tzname) == (before, zone)


async def test_a_forked_run_finds_all_it_needs_imported(nats_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path / "home"))
    program = "from headwater.agents.local import zygote; zygote.run_process.warm_up(); import runpy, sys; print(*sys.modules)"
    warm = (await anyio.run_process([sys.executable, "-P", "-c", program])).stdout.decode().split()

    @task(trigger=all_finished)
    def look(word: str) -> None:
        context.logger.info(" ".join(name for name in sys.modules if name not in warm))

    with Flow("looking-flow", run_config=LocalRun()) as flow:
        word = Parameter("word", default="open")
        with case(word, "open"):
            look(word + "!")

    async with agent_harness(nats_url) as harness, running_agent(nats_url):
        run_id = await harness.run(await harness.register(flow))
        await harness.ended(run_id)
        lines = await harness.lines(run_id)

    (imported,) = [line.message for line in lines if line.task == "look-1" and "Task " not in line.message]
    assert imported.split() == []


def test_a_process_that_took_its_order_is_not_replaced_however_late_the_zygote_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    orders, spare_s_end = socket.socketpair()
    output, session = os.pipe()
    send_fds = socket.send_fds

    def lose_the_processor_behind_it(*arguments: Any) -> int:
        sent = send_fds(*arguments)
        spare_s_end.close()  # as a spare process does, which has read its order and executes it by now
        return sent

    with subprocess.Popen(["/bin/sleep", "600"], start_new_session=True) as spare:
        pool = SparePool(1)
        pool.add(PreforkedChild(spare.pid, orders))
        monkeypatch.setattr(socket, "send_fds", lose_the_processor_behind_it)
        try:
            taken_by = pool.order(frame(Launch(1, {"NAME": "value"}, "/")), [output, session])

            assert (taken_by, spare.poll()) == (spare.pid, None)
        finally:
            spare.kill()
            for descriptor in (output, session):
                os.close(descriptor)

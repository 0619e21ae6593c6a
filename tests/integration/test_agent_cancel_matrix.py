"""Cancel is true: whatever a run's code does, and whichever program is left to stop it, the run ends Cancelled and nothing of it lives on.

Each waits for facts, at most for the grace and two seconds more where nothing else than the stop takes its time.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import psutil
import pytest
from harness.agent_harness import AgentHarness, AgentProcess, eventually, gone, is_alive, running_agent
from harness.monitor_fixtures import promises_are_kept, running_monitor

from headwater.core.states import StateName
from headwater.sdk.executors import DaskExecutor, Executor, ProcessExecutor, ThreadExecutor
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow
from headwater.server.monitor.monitor_times import MonitorTimes

pytestmark = pytest.mark.usefixtures("home")

GRACE_SECONDS = 0.5
LEASE_SECONDS = 1.0
STOP_SECONDS = GRACE_SECONDS + 2.0
OVERLOAD = 10.0
"""The machine that runs the tests may be busy with others: its seconds are longer."""


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Path]:
    """Where the processes of a run note their numbers, each in a file of that name. None outlives the test."""
    directory = tmp_path / "family"
    directory.mkdir()
    yield directory
    for process_id in members(directory):
        with suppress(ProcessLookupError):
            os.kill(process_id, signal.SIGKILL)


def members(family: Path) -> list[int]:
    return [int(each.name) for each in family.iterdir()]


DEAF = "import os, pathlib, signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
NOTE = "pathlib.Path(sys.argv[1], str(os.getpid())).touch(); time.sleep(600)"


def note(family: Path) -> None:
    (family / str(os.getpid())).touch()


def ignoring_sigterm(family: Path) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note(family)
    time.sleep(600)


def spinning_in_a_sum(family: Path) -> None:
    note(family)
    sum(range(10**13))


def spinning_in_a_match(family: Path) -> None:
    note(family)
    re.match(r"(a+)+$", "a" * 60 + "b")


def holding_the_lock_in_a_call(family: Path) -> None:
    import ctypes

    note(family)
    ctypes.PyDLL(None).sleep(600)


def sleeping_in_a_call(family: Path) -> None:
    note(family)
    os.read(os.pipe()[0], 1)


def swallowing_the_interrupt(family: Path) -> None:
    note(family)
    while True:
        with suppress(BaseException):
            time.sleep(600)


def with_a_deaf_child(family: Path) -> None:
    note(family)
    subprocess.run([sys.executable, "-c", DEAF + NOTE, str(family)], check=False)


def with_a_grandchild_in_its_own_session(family: Path) -> None:
    note(family)
    twice = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {DEAF + NOTE!r}, sys.argv[1]], start_new_session=True)"
    subprocess.run([sys.executable, "-c", twice, str(family)], check=True)
    time.sleep(600)


def with_a_daemon_that_closed_everything(family: Path) -> None:
    note(family)
    if not os.fork():
        os.setsid()
        if not os.fork():
            os.environ.clear()
            os.closerange(0, 1024)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            note(family)
            while True:
                time.sleep(600)
        os._exit(0)
    time.sleep(600)


def with_threads(family: Path) -> None:
    note(family)
    for _ in range(4):
        threading.Thread(target=time.sleep, args=(600,)).start()
    time.sleep(600)


def with_a_pool_of_processes(family: Path) -> None:
    note(family)
    with ProcessPoolExecutor(2, initializer=note, initargs=(family,)) as pool:
        list(pool.map(time.sleep, [600, 600]))


def with_a_child_that_must_succeed(family: Path) -> None:
    note(family)
    subprocess.run([sys.executable, "-c", "import os, pathlib, sys, time; " + NOTE, str(family)], check=True)


def while_forking(family: Path) -> None:
    note(family)
    while True:
        subprocess.run(["true"], check=True, preexec_fn=lambda: None)


BEHAVIOURS: dict[Callable[[Path], None], int] = {
    ignoring_sigterm: 1,
    spinning_in_a_sum: 1,
    spinning_in_a_match: 1,
    holding_the_lock_in_a_call: 1,
    sleeping_in_a_call: 1,
    swallowing_the_interrupt: 1,
    with_a_deaf_child: 2,
    with_a_grandchild_in_its_own_session: 2,
    with_a_daemon_that_closed_everything: 2,
    with_threads: 1,
    with_a_pool_of_processes: 3,
    with_a_child_that_must_succeed: 2,
    while_forking: 1,
}
"""What a task does, and how many processes note themselves."""
HOLD_THE_LOCK = (spinning_in_a_sum, spinning_in_a_match, holding_the_lock_in_a_call)
"""No other thread of the process may ever have told the log that the task began."""


def flow_that_is(behaviour: Callable[[Path], None], family: Path) -> Flow:
    def behave() -> None:
        behaviour(family)

    return Flow("stubborn-flow", tasks=[task(behave)])


def being_one_of_several(number: int, family: Path) -> None:
    (family / f"{os.getpid()}").touch()
    (family.parent / "at work" / str(number)).touch()
    while True:
        with suppress(BaseException):
            time.sleep(600)


EXECUTORS: dict[str, Callable[[], Executor]] = {
    "threads": lambda: ThreadExecutor(2),
    "processes": lambda: ProcessExecutor(2),
    "dask": lambda: DaskExecutor(cluster_kwargs={"n_workers": 2, "threads_per_worker": 1}),
}


@pytest.mark.parametrize("kind", EXECUTORS)
async def test_tasks_in_threads_processes_and_on_dask_end_with_their_cancelled_run(harness: AgentHarness, family: Path, kind: str) -> None:
    at_work = family.parent / "at work"
    at_work.mkdir()
    be_one = task(being_one_of_several)
    with Flow("several-flow", executor=EXECUTORS[kind]()) as flow:
        for number in range(2):
            be_one(number, family)

    async with running_agent(harness.url, grace_seconds=GRACE_SECONDS):
        run_id = await harness.run(await harness.register(flow))
        await eventually(lambda: len(list(at_work.iterdir())) == 2, "both tasks run")
        # The run's process, and the workers, nannies and trackers of its pool.
        run_process = process_of_the_run(members(family)[0])
        started = [run_process, *run_process.children(recursive=True)]
        assert set(members(family)) <= {process.pid for process in started}
        await cancel(harness, run_id)
        await cancelled(harness, run_id)

        assert gone(started)
    await promises_are_kept(harness.log)


def process_of_the_run(process_id: int) -> psutil.Process:
    """Return the child of the zygote, which is our child, from which this process comes."""
    lineage = [psutil.Process(process_id), *psutil.Process(process_id).parents()]
    return lineage[[process.pid for process in lineage].index(os.getpid()) - 2]


async def running(harness: AgentHarness, behaviour: Callable[[Path], None], family: Path) -> str:
    run_id = await harness.run(await harness.register(flow_that_is(behaviour, family)))
    await eventually(lambda: len(members(family)) == BEHAVIOURS[behaviour], "all its processes run")
    return run_id


async def cancel(harness: AgentHarness, run_id: str) -> StateName:
    outcome = await harness.client.headwater.runs.cancel(run_id, reason="no longer wanted")
    return outcome.state.state


async def cancelled(harness: AgentHarness, run_id: str, *, seconds: float = STOP_SECONDS) -> None:
    """Return when the run and all its task runs that had begun are Cancelled."""
    with anyio.fail_after(seconds * OVERLOAD):
        run = await harness.ended(run_id)
    assert run.state is StateName.CANCELLED
    assert {found.state for found in run.task_runs.values()} <= {StateName.CANCELLED}


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda behaviour: behaviour.__name__)
async def test_a_cancelled_run_is_over_and_nothing_of_it_is_alive(
    harness: AgentHarness, family: Path, behaviour: Callable[[Path], None]
) -> None:
    async with running_agent(harness.url, grace_seconds=GRACE_SECONDS):
        run_id = await running(harness, behaviour, family)

        assert await cancel(harness, run_id) is StateName.CANCELLING
        await cancelled(harness, run_id)

        # The end is recorded by who saw it: nothing is alive from the moment at which the log says so.
        assert not any(map(is_alive, members(family)))
        assert (await harness.state(run_id)).task_runs or behaviour in HOLD_THE_LOCK


@pytest.mark.parametrize("behaviour", [spinning_in_a_sum, with_a_daemon_that_closed_everything], ids=lambda each: each.__name__)
async def test_a_run_whose_agent_is_dead_is_cancelled_by_the_monitor(
    harness: AgentHarness, family: Path, tmp_path: Path, behaviour: Callable[[Path], None]
) -> None:
    agent = AgentProcess(tmp_path / "agent", harness.url, {"lease_seconds": LEASE_SECONDS})
    agent.start()
    try:
        async with running_monitor(harness.url, times=MonitorTimes(lease=LEASE_SECONDS)):
            run_id = await running(harness, behaviour, family)
            agent.kill()

            assert await cancel(harness, run_id) is StateName.CANCELLING
            await cancelled(harness, run_id, seconds=LEASE_SECONDS + STOP_SECONDS)
    finally:
        agent.kill()

    await eventually(lambda: not any(map(is_alive, members(family))), "nothing of the attempt is alive")


async def test_what_a_run_started_dies_with_a_killed_zygote(harness: AgentHarness, family: Path, tmp_path: Path) -> None:
    agent = AgentProcess(tmp_path / "agent", harness.url, {"lease_seconds": LEASE_SECONDS, "grace_seconds": GRACE_SECONDS})
    agent.start()
    try:
        run_id = await running(harness, with_a_grandchild_in_its_own_session, family)
        first = members(family)
        zygote = agent.part("headwater.agents.local.zygote")

        zygote.kill()
        await eventually(lambda: len(members(family)) == 4, "the next attempt runs")

        assert not any(map(is_alive, first))
        await cancel(harness, run_id)
        await cancelled(harness, run_id)
        assert gone([zygote])
        assert not any(map(is_alive, members(family)))
    finally:
        agent.kill()


async def test_a_run_that_waits_for_an_agent_or_for_its_time_is_cancelled_at_once(harness: AgentHarness, family: Path) -> None:
    flow_id = await harness.register(flow_that_is(sleeping_in_a_call, family))
    for start_time in (None, datetime.now(UTC) + timedelta(hours=1)):
        run_id = await harness.run(flow_id, scheduled_start_time=start_time)

        assert await cancel(harness, run_id) is StateName.CANCELLED
        assert not await harness.log.queues.is_waiting(run_id) or start_time is None

    assert not members(family)


async def test_a_run_that_waits_for_a_retry_is_cancelled(harness: AgentHarness, family: Path) -> None:
    @task(max_retries=1, retry_delay=timedelta(minutes=5))
    def fail() -> None:
        note(family)
        raise ValueError("not yet")

    async with running_agent(harness.url, grace_seconds=GRACE_SECONDS):
        run_id = await harness.run(await harness.register(Flow("retried-flow", tasks=[fail])))
        await harness.happened(run_id, "task_run.retry_scheduled")
        await cancel(harness, run_id)
        await cancelled(harness, run_id)

        assert not any(map(is_alive, members(family)))
    assert len(members(family)) == 1


async def test_cancelling_again_changes_nothing_and_says_how_it_is(harness: AgentHarness, family: Path) -> None:
    @task
    def quick() -> None: ...

    async with running_agent(harness.url, grace_seconds=GRACE_SECONDS):
        run_id = await running(harness, ignoring_sigterm, family)
        answers = [await cancel(harness, run_id) for _ in range(2)]
        await cancelled(harness, run_id)
        answers.append(await cancel(harness, run_id))
        finished = await harness.run(await harness.register(Flow("quick-flow", tasks=[quick])))
        await harness.ended(finished)
        answers.append(await cancel(harness, finished))

    assert answers == [StateName.CANCELLING, StateName.CANCELLING, StateName.CANCELLED, StateName.SUCCESS]
    assert (await harness.names(run_id)).count("run.cancel_requested") == 1
    assert "run.cancel_requested" not in await harness.names(finished)

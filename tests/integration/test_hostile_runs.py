"""Whatever a task prints, returns, raises or does to its process: its run ends, and what is to follow happens."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import anyio
import pytest
from harness.agent_harness import AgentHarness, running_agent
from harness.hostile import BAD, ENDS, LOST, NOT_UTF8, TASKS

from headwater.core.events import TaskRunFailed
from headwater.core.states import StateName
from headwater.sdk.context.context import context
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow
from headwater.sdk.language.triggers import all_finished
from headwater.sdk.storage import Local

pytestmark = pytest.mark.usefixtures("home")

ESCAPED = NOT_UTF8.encode(errors="backslashreplace").decode()
PATIENCE_SECONDS = 240.0
RUNS_AT_ONCE = 6


@task(trigger=all_finished, skip_on_upstream_skip=False)
def clean_up() -> None:
    pass


def hostile_flow(name: str) -> Flow:
    """The task; where it fails it is tried once more; whatever came of it, another task cleans up."""
    hostile = TASKS[name].copy(max_retries=1, retry_delay=0) if ENDS[name] == BAD else TASKS[name].copy()
    with Flow(name) as flow:
        flow.add_task(hostile)
        clean_up(upstream_tasks=[hostile])
    flow.set_reference_tasks([hostile])
    return flow


async def test_a_run_ends_whatever_its_task_does_and_what_follows_happens(harness: AgentHarness) -> None:
    ended: dict[str, tuple[str, int, str]] = {}

    async def wait(name: str, run_id: str) -> None:
        names = await harness.reached(run_id, lambda names, _: names[-1] in {"run.succeeded", "run.failed", "run.cancelled"})
        assert names
        run = await harness.state(run_id)
        hostile, follower = run.task_runs.get((f"{name}-1", -1)), run.task_runs.get(("clean_up-1", -1))
        how = LOST if run.attempt > 1 else run.state.value
        ended[name] = (how, hostile.run_count if hostile else 0, follower.state.value if follower else "")

    async with running_agent(harness.url, limit=RUNS_AT_ONCE):
        run_ids = {name: await harness.run(await harness.register(hostile_flow(name))) for name in TASKS}
        with anyio.move_on_after(PATIENCE_SECONDS):
            async with anyio.create_task_group() as group:
                for name, run_id in run_ids.items():
                    group.start_soon(wait, name, run_id)

    alive = {name: how for name, how in ENDS.items() if how != LOST}
    assert {name: how for name, (how, _, _) in ended.items()} == ENDS
    assert {name: ended[name][1] for name in alive} == {
        name: 2 if how == BAD or TASKS[name].max_retries else 1 for name, how in alive.items()
    }
    assert {ended[name][2] for name in alive} == {StateName.SUCCESS.value}


async def test_text_that_is_not_utf8_is_shown_escaped(harness: AgentHarness) -> None:
    @task(log_stdout=True)
    def say() -> None:
        print("printed", NOT_UTF8)
        context.logger.info("logged %s", NOT_UTF8)
        raise FileNotFoundError(NOT_UTF8)

    async with running_agent(harness.url):
        run_id = await harness.run(await harness.register(Flow("not-utf8", tasks=[say])))
        await harness.ended(run_id)

    (failed,) = [each for each in await harness.happened(run_id, "task_run.failed") if isinstance(each, TaskRunFailed)]
    assert failed.failure is not None
    assert failed.failure.message == ESCAPED
    lines = [line.message for line in await harness.lines(run_id)]
    assert f"printed {ESCAPED}" in lines
    assert f"logged {ESCAPED}" in lines
    assert any(f"FileNotFoundError: {ESCAPED}" in line for line in lines)


async def test_a_run_whose_task_closed_the_descriptors_says_so(harness: AgentHarness) -> None:
    async with running_agent(harness.url):
        run_id = await harness.run(await harness.register(Flow("closing", tasks=[TASKS["closes_all_descriptors"]])))
        run = await harness.ended(run_id)

    assert run.state is StateName.FAILED
    assert "did the flow's code close files or sockets" in run.message


def deaf_to_signals() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    time.sleep(3600)


def holding_the_lock_in_a_call() -> None:
    import ctypes

    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    ctypes.PyDLL(None).sleep(3600)


def spinning_in_a_sum() -> None:
    sum(range(10**13))


def stopped() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def deaf_without_descriptors() -> None:
    os.closerange(3, 1024)
    deaf_to_signals()


STUCK = (deaf_to_signals, holding_the_lock_in_a_call, spinning_in_a_sum, stopped, deaf_without_descriptors)


@pytest.mark.parametrize("stuck", STUCK, ids=lambda each: each.__name__)
async def test_a_task_that_nothing_interrupts_is_timed_out_and_the_others_go_on(harness: AgentHarness, stuck: Callable[[], None]) -> None:
    @task
    def other() -> None:
        pass

    with Flow("stuck") as flow:
        clean_up(upstream_tasks=[task(stuck, name="stuck", timeout=0.1, max_retries=1, retry_delay=0)()])
        other()
    async with running_agent(harness.url):
        run_id = await harness.run(await harness.register(flow))
        run = await harness.ended(run_id)

    assert {key[0]: (found.state, found.run_count) for key, found in run.task_runs.items()} == {
        "stuck-1": (StateName.TIMED_OUT, 2),
        "clean_up-1": (StateName.SUCCESS, 1),
        "other-1": (StateName.SUCCESS, 1),
    }
    assert "could not be interrupted" in run.task_runs["stuck-1", -1].message
    assert "run.attempt_lost" not in await harness.names(run_id)
    lines = [line for message in await harness.log.logs.read(run_id) for line in message.lines]
    assert [line.task for line in lines if "could not be interrupted" in line.message] == ["stuck-1", "stuck-1"]


def waiting() -> None:
    time.sleep(3600)


def waiting_in_a_call() -> None:
    import ctypes

    ctypes.PyDLL(None).sleep(3600)


def computing() -> None:
    while True:
        sum(range(1000))


def swallowing_interrupts() -> None:
    with suppress(BaseException):
        time.sleep(3600)
    while True:
        time.sleep(3600)


def without_alarms() -> None:
    for number in (signal.SIGALRM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    threading.Event().wait()


INTERRUPTED = (waiting, waiting_in_a_call, computing, swallowing_interrupts, without_alarms)


async def test_tasks_are_interrupted_at_their_time_outs_without_a_thread(harness: AgentHarness) -> None:
    @task
    def count_threads() -> None:
        context.logger.info("%d threads", threading.active_count())

    with Flow("interrupted") as flow:
        flow.chain(*(task(each, timeout=0.1, trigger=all_finished) for each in INTERRUPTED), count_threads.copy(trigger=all_finished))
    async with running_agent(harness.url):
        run_id = await harness.run(await harness.register(flow))
        run = await harness.ended(run_id)

    assert {key[0]: (found.state, found.message) for key, found in run.task_runs.items() if key[0] != "count_threads-1"} == {
        f"{each.__name__}-1": (StateName.TIMED_OUT, "Task timed out during execution.") for each in INTERRUPTED
    }
    assert run.attempt == 1
    assert "1 threads" in [line.message for line in await harness.lines(run_id)]


GOOD_SCRIPT = "from headwater import Flow, task\nflow = Flow('script', tasks=[task(lambda: None, name='nothing')])\n"
SCRIPTS = {
    "exits": "import sys\nsys.exit('\\udcff')",
    "closes descriptors": "import os\nos.closerange(3, 256)",
    "is interrupted": "raise KeyboardInterrupt",
    "raises megabytes": "raise RuntimeError('x' * 5_000_000)",
    "raises what cannot be shown": "class E(Exception):\n    def __str__(self): raise SystemExit\nraise E",
    "is killed": "import os\nos.kill(os.getpid(), 9)",
    "is not a text": "\udcff",
    "ends in a hostile state": (
        "from headwater import Flow, task\n"
        "from headwater.engine.state import Failed\n"
        "class E:\n    def __str__(self): raise RuntimeError\n    __len__ = __bool__ = __str__\n"
        "flow = Flow('script', tasks=[task(lambda: None, name='nothing')], terminal_state_handler=lambda *_: Failed(E()))"
    ),
}


async def test_a_run_ends_whatever_the_script_of_its_flow_does(harness: AgentHarness, tmp_path: Path) -> None:
    ended: dict[str, StateName] = {}

    async def wait(name: str, run_id: str) -> None:
        ended[name] = (await harness.ended(run_id)).state

    async with running_agent(harness.url, limit=RUNS_AT_ONCE), anyio.create_task_group() as group:
        for number, (name, text) in enumerate(SCRIPTS.items()):
            script = tmp_path / f"script_{number}.py"
            script.write_text(GOOD_SCRIPT)
            flow = Flow("script", tasks=[task(lambda: None, name="nothing")], storage=Local(path=script, stored_as_script=True))
            flow_id = await harness.register(flow)
            script.write_bytes(text.encode(errors="surrogateescape"))
            group.start_soon(wait, name, await harness.run(flow_id))

    assert ended == dict.fromkeys(SCRIPTS, StateName.FAILED)

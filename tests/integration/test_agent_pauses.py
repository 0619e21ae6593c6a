"""Runs that wait for people: their process ends, and they go on in another one when a user resumes them."""

from __future__ import annotations

import os
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from harness.agent_harness import AgentHarness, eventually, is_alive, running_agent
from harness.monitor_fixtures import promises_are_kept, running_monitor
from harness.servers import NatsNode

from headwater.audit import explain_run
from headwater.core.errors import IllegalTransition, VersionConflict
from headwater.core.events import TaskRunResumed
from headwater.core.operations.headwater import Headwater
from headwater.core.runs.state import Run
from headwater.core.states import StateName
from headwater.sdk.executors import LocalDaskExecutor
from headwater.sdk.language.decorators import pause_task, task
from headwater.sdk.language.flow import Flow
from headwater.sdk.language.triggers import manual_only
from headwater.sdk.states.state import Failed, Paused, Success


@pytest.fixture
def harness_node(nats_node: NatsNode) -> NatsNode:
    return nats_node


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HEADWATER_RETRY_IN_PROCESS_SECONDS", "1")


async def resumed(harness: AgentHarness, run_id: str, *tasks: str, reason: str = "looks good") -> Run:
    assert await harness.client.resume_flow_run(run_id, tasks, reason)
    return await harness.state(run_id)


def approved_flow(noted: Path) -> Flow:
    """`prepare`, then `publish`, which waits for a person; `tidy` beside them."""

    def note(what: str) -> None:
        with noted.open("a") as file:
            file.write(f"{what} {os.getpid()}\n")

    @task
    def prepare() -> int:
        note("prepared")
        return 42

    @task(trigger=manual_only)
    def publish(prepared: int) -> int:
        note(f"published-{prepared}")
        return prepared

    @task
    def tidy() -> None:
        note("tidied")

    with Flow("approved-flow") as flow:
        publish(prepare())
        tidy()
    return flow


def words(noted: Path) -> list[str]:
    return [line.split()[0] for line in noted.read_text().splitlines()]


async def test_a_paused_run_frees_its_process_and_goes_on_when_a_user_resumes_it(harness: AgentHarness, tmp_path: Path) -> None:
    noted = tmp_path / "noted"
    async with running_monitor(harness.url):
        async with running_agent(harness.url, name="first"):
            run_id = await harness.run(await harness.register(approved_flow(noted)))
            await harness.happened(run_id, "run.paused")
            process = int(noted.read_text().split()[-1])
            await eventually(lambda: not is_alive(process), "its process has ended")
            assert sorted(words(noted)) == ["prepared", "tidied"], "whatever else can run has run"
            run = await harness.state(run_id)
            assert (run.state, run.held) == (StateName.PAUSED, False)
            assert "publish-1" in run.message
            state = await harness.client.get_flow_run_state(run_id)
            assert (type(state), getattr(state, "start_time", "")) == (Paused, None)
            told = await explain_run(harness.log, run_id)
            assert (told.reason, "publish-1" in told.words, "resume_flow_run" in told.hint) == ("paused", True, True)
            await promises_are_kept(harness.log)

        assert (await resumed(harness, run_id)).state is StateName.SCHEDULED
        assert not await harness.client.resume_flow_run(run_id), "it had been resumed already"
        async with running_agent(harness.url, name="second"):
            run = await harness.ended(run_id)

    assert (run.state, run.attempt, run.attempts_lost, run.agent_name) == (StateName.SUCCESS, 2, 0, "second")
    assert words(noted)[-1] == "published-42", "with the result that was kept"
    assert words(noted).count("prepared") == 1
    assert "looks good" in [event.message for event in await harness.happened(run_id, "run.succeeded") if isinstance(event, TaskRunResumed)]
    await promises_are_kept(harness.log)
    with pytest.raises(IllegalTransition, match="Success"):
        await resumed(harness, run_id)


async def test_a_paused_run_is_cancelled_at_once(harness: AgentHarness, tmp_path: Path) -> None:
    async with running_agent(harness.url):
        run_id = await harness.run(await harness.register(approved_flow(tmp_path / "noted")))
        await harness.happened(run_id, "run.paused")

        outcome = await harness.client.headwater.runs.cancel(run_id)

        assert outcome.state.state is StateName.CANCELLED
        assert outcome.state.task_runs["publish-1", -1].state is StateName.CANCELLED
        await promises_are_kept(harness.log)


async def test_a_pause_with_an_end_goes_on_by_itself_or_earlier_when_a_user_says_so(harness: AgentHarness) -> None:
    def flow_pausing_for(duration: timedelta) -> Flow:
        with Flow("timed") as flow:
            task(lambda: pause_task("A moment.", duration), name="wait")()
        return flow

    async with running_agent(harness.url):
        short = await harness.run(await harness.register(flow_pausing_for(timedelta(seconds=3))))
        long = await harness.run(await harness.register(flow_pausing_for(timedelta(hours=3))))
        parked = await harness.happened(long, "run.scheduled", times=2)
        assert "the pause of wait-1" in getattr(parked[-1], "message", "")
        await resumed(harness, long, "wait")
        runs = [await harness.ended(short), await harness.ended(long)]

    assert [(run.state, run.attempt) for run in runs] == [(StateName.SUCCESS, 2), (StateName.SUCCESS, 2)]
    assert [run.task_runs["wait-1", -1].run_count for run in runs] == [2, 2]


async def test_a_task_is_resumed_while_others_of_its_run_are_executed(harness: AgentHarness, tmp_path: Path) -> None:
    go_on = tmp_path / "go-on"

    @task
    def wait_for_the_other() -> None:
        while not go_on.exists():
            threading.Event().wait(0.01)

    @task(trigger=manual_only)
    def approved() -> None:
        go_on.touch()

    flow = Flow("beside", tasks=[wait_for_the_other, approved], executor=LocalDaskExecutor(num_workers=2))
    async with running_agent(harness.url):
        run_id = await harness.run(await harness.register(flow))
        await harness.happened(run_id, "task_run.paused")
        await resumed(harness, run_id, "approved")
        run = await harness.ended(run_id)

    assert (run.state, run.attempt) == (StateName.SUCCESS, 1), "in the attempt that paused"


async def test_what_a_person_approved_stays_approved_when_its_attempt_dies(harness: AgentHarness, tmp_path: Path) -> None:
    died = tmp_path / "died"

    @task
    def ask() -> None:
        pause_task("Have a look.")
        if not died.exists():
            died.touch()
            os._exit(9)

    async with running_agent(harness.url):
        run_id = await harness.run(await harness.register(Flow("approved-once", tasks=[ask])))
        await harness.happened(run_id, "run.paused")
        await resumed(harness, run_id)
        run = await harness.ended(run_id)

    assert (run.state, run.attempts_lost) == (StateName.SUCCESS, 1)
    assert (await harness.names(run_id)).count("task_run.paused") == 1
    await promises_are_kept(harness.log)


async def test_a_mapped_task_and_a_child_of_one_are_resumed(harness: AgentHarness) -> None:
    @task
    def numbers() -> list[int]:
        return [1, 2]

    @task
    def doubled(number: int) -> int:
        if number == 2:
            pause_task("Is that so?")
        return 2 * number

    @task(trigger=manual_only)
    def added(number: int) -> int:
        return number + 1

    with Flow("mapped-pauses") as flow:
        added.map(doubled.map(numbers()))
    async with running_agent(harness.url):
        run_id = await harness.run(await harness.register(flow))
        await harness.happened(run_id, "run.paused")
        await resumed(harness, run_id, "doubled[1]")
        await harness.happened(run_id, "run.paused", times=2)
        await resumed(harness, run_id)
        run = await harness.ended(run_id)

    assert run.state is StateName.SUCCESS
    assert [found.state for key, found in sorted(run.task_runs.items()) if key[1] >= 0] == [StateName.SUCCESS] * 4


async def test_a_paused_task_that_is_set_to_failed_lets_the_run_go_on_without_it(harness: AgentHarness, tmp_path: Path) -> None:
    log = harness.log
    noted = tmp_path / "noted"
    async with running_agent(harness.url):
        run_id = await harness.run(await harness.register(approved_flow(noted)))
        await harness.happened(run_id, "run.paused")
        set_to = await harness.client.set_task_run_state(f"{run_id}/publish-1/-1", Failed("not good enough"))
        refused = await harness.ended(run_id)

    assert (refused.state, type(set_to)) == (StateName.FAILED, Failed)
    assert refused.task_runs["publish-1", -1].message == "not good enough"
    seen = (await harness.client.get_flow_run_info(run_id)).position
    with pytest.raises(VersionConflict):
        await harness.client.set_flow_run_state(run_id, Success(), seen - 1)
    assert (await harness.client.set_flow_run_state(run_id, "success", seen, reason="it does not matter")).is_successful()
    run = await harness.state(run_id)
    assert (run.state, run.message, run.ended_at) == (StateName.SUCCESS, "it does not matter", refused.ended_at)
    told = await explain_run(log, run_id)
    assert told.reason == "set by hand"
    assert "It was Failed before" in told.words
    await promises_are_kept(log)


async def test_a_restart_takes_what_a_person_set_to_success_as_done(harness: AgentHarness, tmp_path: Path) -> None:
    log, actor = harness.log, harness.client.actor
    seen = tmp_path / "seen"

    @task
    def fetch() -> int:
        raise ValueError("the source is gone for good")

    @task
    def load(fetched: int | None) -> None:
        seen.write_text(repr(fetched))

    with Flow("patched") as flow:
        load(fetch())
    async with running_agent(harness.url):
        run_id = await harness.run(await harness.register(flow))
        assert (await harness.ended(run_id)).state is StateName.FAILED
        await Headwater(log, actor).runs.set_task_run_state(run_id, "fetch", "Success", reason="loaded manually")
        await Headwater(log, actor).runs.restart(run_id)
        await harness.happened(run_id, "run.succeeded")

    assert (await harness.names(run_id)).count("task_run.started") == 2, "fetch once, load once"
    assert seen.read_text() == "None", "there is no result"
    await promises_are_kept(log)

"""Runs that a local agent executes on a real log, from the creation to the last event."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from harness.agent_harness import AgentHarness, eventually, hosted, running_agent

from headwater.agents.local import LocalAgent
from headwater.core.events import TaskRunFailed
from headwater.core.states import StateName
from headwater.core.values.identifiers import parsed_task_run_id
from headwater.sdk.client import Client
from headwater.sdk.client.run_info import FlowRunInfo
from headwater.sdk.context.context import context
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow
from headwater.sdk.language.parameter import Parameter
from headwater.sdk.results import LocalResult
from headwater.sdk.run_configs import LocalRun
from headwater.sdk.states import signals

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
async def agent(harness: AgentHarness) -> AsyncIterator[LocalAgent]:
    async with hosted(running_agent(harness.url)) as working:
        yield working


@task
def say_hello() -> None:
    context.get("logger").info("Hello, World!")


async def test_a_run_is_recorded_from_its_creation_to_its_end_in_order(harness: AgentHarness, agent: LocalAgent) -> None:
    flow = Flow("hello-flow", tasks=[say_hello])

    run_id = await harness.run(await harness.register(flow))
    run = await harness.ended(run_id)

    assert await harness.names(run_id) == [
        "run.created",
        "run.scheduled",
        "run.submitted",
        "run.started",
        "task_run.started",
        "task_run.succeeded",
        "run.succeeded",
    ]
    assert (run.state, run.message, run.attempt) == (StateName.SUCCESS, "All reference tasks succeeded.", 1)
    assert run.agent_id == agent.settings.agent_id


async def test_items_whose_keys_hold_anything_run_as_tasks_of_their_own(harness: AgentHarness, agent: LocalAgent) -> None:
    keys = ["a/b", "x y", "it's", "*.>", "ü\n", "k" * 600]
    with Flow("items") as flow:
        rows = task(lambda: {key: number for number, key in enumerate(keys)}, name="rows")()
        items = [rows[key] for key in keys]
    slugs = [flow.slugs[item] for item in items]

    run_id = await harness.run(await harness.register(flow))
    run = await harness.ended(run_id)

    assert (run.state, run.message) == (StateName.SUCCESS, "All reference tasks succeeded.")
    assert slugs[:2] == ["rows['a/b']-1", "rows['x y']-1"]
    assert [parsed_task_run_id(f"{run_id}/{slug}/-1") for slug in slugs] == [(run_id, slug, -1) for slug in slugs]


async def test_what_a_run_logs_is_stored_with_the_task_that_said_it(harness: AgentHarness, agent: LocalAgent) -> None:
    run_id = await harness.run(await harness.register(Flow("hello-flow", tasks=[say_hello])))
    await harness.ended(run_id)

    lines = await harness.lines(run_id)

    assert [line.message for line in lines] == [
        "Beginning Flow run for 'hello-flow'",
        "Task 'say_hello': Starting task run...",
        "Hello, World!",
        "Task 'say_hello': Finished task run for task with final state: 'Success'",
        "Flow run SUCCESS: all reference tasks succeeded",
    ]
    hello = lines[2]
    assert (hello.logger, hello.level, hello.task) == ("headwater.say_hello", logging.INFO, "say_hello-1")


async def test_the_agent_says_when_a_run_starts_and_how_it_ended(
    harness: AgentHarness, agent: LocalAgent, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("agent"), "propagate", True)
    run_id = await harness.run(await harness.register(Flow("hello-flow", tasks=[say_hello])), run_name="brave-otter")

    await harness.ended(run_id)
    await eventually(lambda: bool(agent.agent and not len(agent.agent.held)), "the agent has let go of the run")

    said = [record.getMessage() for record in caplog.records if record.name == "agent"]
    assert f"Run 'brave-otter' ({run_id}) of flow 'hello-flow' started, attempt 1." in said
    assert said[-1].startswith(f"Run 'brave-otter' ({run_id}) ended: Success after ")
    assert said[-1].endswith(" s. All reference tasks succeeded.")


async def test_a_failed_task_is_retried_and_each_execution_is_recorded(harness: AgentHarness, agent: LocalAgent, tmp_path: Path) -> None:
    counter = tmp_path / "executions"

    @task(max_retries=2, retry_delay=timedelta(seconds=0.05))
    def flaky() -> int:
        counter.write_text(counter.read_text() + "x" if counter.exists() else "x")
        if len(counter.read_text()) < 3:
            raise ValueError("not yet")
        return 7

    run_id = await harness.run(await harness.register(Flow("flaky-flow", tasks=[flaky])))
    run = await harness.ended(run_id)

    names = await harness.names(run_id)
    assert names.count("task_run.started") == 3
    assert names.count("task_run.retry_scheduled") == 2
    assert run.state is StateName.SUCCESS
    assert run.task_runs["flaky-1", -1].run_count == 3


async def test_a_run_whose_task_fails_ends_failed_with_a_traceback_without_source(harness: AgentHarness, agent: LocalAgent) -> None:
    @task
    def divide(x: int) -> float:
        return 1 / x  # the marker: source_only_marker

    with Flow("dividing-flow") as flow:
        divide(0)
    run_id = await harness.run(await harness.register(flow))
    run = await harness.ended(run_id)

    (failed,) = [each for each in await harness.happened(run_id, "task_run.failed") if isinstance(each, TaskRunFailed)]
    assert failed.failure is not None
    assert (failed.failure.type, failed.failure.message) == ("ZeroDivisionError", "division by zero")
    assert [(Path(frame.file).name, frame.function.rpartition(".")[2], frame.source) for frame in failed.failure.traceback] == [
        (Path(__file__).name, "divide", None)
    ]
    assert run.state is StateName.FAILED
    assert run.message == "Some reference tasks failed."
    told = [line.message for line in await harness.lines(run_id) if line.level == logging.ERROR]
    assert any("ZeroDivisionError: division by zero" in each for each in told)
    assert not [each for each in told if "source_only_marker" in each]


async def test_source_lines_are_kept_where_the_user_switched_them_on(harness: AgentHarness) -> None:
    @task
    def fail() -> None:
        raise RuntimeError("no")  # the marker: kept_source

    async with running_agent(harness.url, env={"HEADWATER_TRACEBACK_SOURCE": "1"}):
        run_id = await harness.run(await harness.register(Flow("failing-flow", tasks=[fail])))
        await harness.ended(run_id)

    (failed,) = [each for each in await harness.happened(run_id, "task_run.failed") if isinstance(each, TaskRunFailed)]
    assert failed.failure is not None
    assert "kept_source" in (failed.failure.traceback[-1].source or "")


async def test_parameters_context_and_environment_reach_the_tasks(harness: AgentHarness, tmp_path: Path) -> None:
    @task
    def look(name: str) -> str:
        values: list[Any] = [
            name,
            os.environ["GREETING"],
            os.environ["FROM_AGENT"],
            context.flow_run_name,
            context.project_name,
            context.get("colour"),
            str(Path.cwd()),
        ]
        context.logger.info("%s", values)
        return ""

    with Flow("looking-flow", run_config=LocalRun(env={"GREETING": "hola"}, working_dir=str(tmp_path))) as flow:
        look(Parameter("name", default="Cloud"))
    async with running_agent(harness.url, env={"GREETING": "hi", "FROM_AGENT": "yes"}):
        flow_id = await harness.register(flow)
        run_id = await harness.run(flow_id, parameters={"name": "Ana"}, run_name="brave-otter", context={"colour": "blue"})
        await harness.ended(run_id)

    expected = ["Ana", "hola", "yes", "brave-otter", "tutorial", "blue", str(tmp_path)]
    assert str(expected) in [line.message for line in await harness.lines(run_id)]


async def test_an_environment_that_the_interpreter_reads_at_its_start_gets_a_new_interpreter(harness: AgentHarness, tmp_path: Path) -> None:
    (tmp_path / "beside_me.py").write_text("VALUE = 'found'\n")

    @task
    def look() -> str:
        import beside_me  # type: ignore[import-not-found]

        context.logger.info("%s, optimised %d", beside_me.VALUE, sys.flags.optimize)
        return ""

    environment = {"PYTHONPATH": str(tmp_path), "PYTHONOPTIMIZE": "2"}
    flow = Flow("cold-flow", tasks=[look], run_config=LocalRun(env=environment))
    async with running_agent(harness.url):
        run_id = await harness.run(await harness.register(flow))
        await harness.ended(run_id)

    assert "found, optimised 2" in [line.message for line in await harness.lines(run_id)]


async def test_a_run_whose_stored_flow_is_gone_fails_with_that_reason(harness: AgentHarness, agent: LocalAgent, home: Path) -> None:
    flow_id = await harness.register(Flow("lost-flow", tasks=[say_hello]))
    (stored,) = [path for path in (home / "flows").rglob("*") if path.is_file()]
    stored.unlink()

    run_id = await harness.run(flow_id)
    run = await harness.ended(run_id)

    assert run.state is StateName.FAILED
    assert str(stored) in run.message
    assert not any(name.startswith("task_run.") for name in await harness.names(run_id))
    assert any(str(stored) in line.message for line in await harness.lines(run_id))


async def test_a_run_whose_stored_flow_was_changed_fails_with_that_reason(harness: AgentHarness, agent: LocalAgent, home: Path) -> None:
    flow_id = await harness.register(Flow("changed-flow", tasks=[say_hello]))
    (stored,) = [path for path in (home / "flows").rglob("*") if path.is_file()]
    stored.write_bytes(stored.read_bytes() + b" ")

    run = await harness.ended(await harness.run(flow_id))

    assert run.state is StateName.FAILED
    assert "was changed after it was registered" in run.message


async def test_a_run_config_for_another_kind_of_agent_fails_the_run(harness: AgentHarness, agent: LocalAgent) -> None:
    flow_id = await harness.register(Flow("hello-flow", tasks=[say_hello]))

    run = await harness.ended(await harness.run(flow_id, run_config={"type": "DockerRun"}))

    assert run.state is StateName.FAILED
    assert "DockerRun" in run.message


async def test_a_process_that_dies_is_noticed_at_once_and_the_run_fails_after_three_attempts(
    harness: AgentHarness, agent: LocalAgent
) -> None:
    @task
    def vanish() -> None:
        print("so long", flush=True)
        os._exit(7)

    run_id = await harness.run(await harness.register(Flow("vanishing-flow", tasks=[vanish])))
    run = await harness.ended(run_id)

    names = await harness.names(run_id)
    assert names.count("run.submitted") == names.count("run.attempt_lost") == 3
    assert run.state is StateName.FAILED
    assert "status 7" in run.message
    assert "so long" in run.message
    assert "last output: so long" in [line.message for line in await harness.lines(run_id)]


async def test_the_next_attempt_does_not_repeat_what_succeeded(harness: AgentHarness, agent: LocalAgent, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    trace.write_text("")

    def successes(info: FlowRunInfo) -> int:
        return sum(each.state.is_successful() for each in info.task_runs)

    def wait_for(fact: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + 30
        while not fact():
            assert time.monotonic() < deadline, what

    def note(what: str) -> None:
        with trace.open("a") as file:
            file.write(what + " ")

    @task(result=LocalResult(dir=tmp_path / "results"))
    def kept() -> int:
        note("kept")
        return 41

    @task(checkpoint=False)
    def not_kept() -> int:
        note("not_kept")
        return 1

    @task
    def unneeded() -> None:
        note("unneeded")

    @task
    def add(x: int, y: int) -> None:
        note(f"add{x + y}")
        if trace.read_text().count("add") == 1:
            with Client() as client:
                wait_for(lambda: successes(client.get_flow_run_info(context.flow_run_id)) == 3, "three recorded successes")
            os._exit(1)

    with Flow("resuming-flow") as flow:
        add(kept(), not_kept(), upstream_tasks=[unneeded()])
    run_id = await harness.run(await harness.register(flow))
    run = await harness.ended(run_id)

    assert run.state is StateName.SUCCESS
    assert run.attempt == 2
    done = trace.read_text().split()
    assert {name: done.count(name) for name in ("kept", "not_kept", "unneeded", "add42")} == {
        "kept": 1,
        "not_kept": 2,
        "unneeded": 1,
        "add42": 2,
    }
    names = await harness.names(run_id)
    assert names.count("task_run.succeeded") == 4


async def test_a_skipping_task_and_a_paused_one_are_recorded_as_what_they_are(harness: AgentHarness, agent: LocalAgent) -> None:
    @task
    def skip() -> None:
        raise signals.SKIP("nothing new")

    @task
    def pause() -> None:
        raise signals.PAUSE("please look", start_time=None)

    run_id = await harness.run(await harness.register(Flow("waiting-flow", tasks=[skip, pause])))
    await harness.happened(run_id, "run.paused")
    run = await harness.state(run_id)

    assert run.task_runs["skip-1", -1].state is StateName.SKIPPED
    assert run.task_runs["pause-1", -1].state is StateName.PAUSED
    assert run.state is StateName.PAUSED
    assert "pause-1" in run.message

"""What a run that an agent executes keeps of its tasks' values by itself, and what it does not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from headwater.sdk.executors import Executor, LocalExecutor, ProcessExecutor
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow
from headwater.sdk.results import CheckpointResult
from headwater.sdk.results.checkpoints import Checkpoints
from headwater.sdk.states.state import State, Success

THREADS = 8
AGENT = {"running_with_backend": True, "checkpointing": True, "flow_run_id": "r-1", "attempt": 1}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def kept(home: Path) -> list[str]:
    return sorted(str(path.relative_to(home / "results")) for path in home.rglob("*") if path.is_file())


def chain(source: Callable[..., Any], **settings: Any) -> Flow:
    with Flow("chain") as flow:
        task(lambda x: None if x is None else 1, name="reader")(task(source, name="source", **settings)())
    return flow


def executed(flow: Flow, **more: Any) -> State:
    from headwater.sdk.engine.flow_runner import FlowRunner

    return FlowRunner(flow).run(context={**AGENT, **more})


def test_a_value_that_another_task_takes_is_kept_under_its_attempt(home: Path) -> None:
    flow = chain(lambda: [1, 2])

    states = executed(flow).result

    (file,) = kept(home)
    assert file.startswith("chain/r-1/values-1-")
    source = next(state for each, state in states.items() if each.name == "source")
    assert isinstance(source, Success)
    assert (source._result.location or "").startswith(f"{home / 'results' / file}#0+")
    assert State.deserialize(State.serialize(source)).load_result().result == [1, 2]


def test_values_lie_behind_each_other_and_are_distinguished(home: Path) -> None:
    with Flow("mapped") as flow:
        task(sum_of, name="total")(task(lambda x: 10 * x, name="times").map([1, 2, 3]))

    times = next(state for each, state in executed(flow).result.items() if each.name == "times")

    assert [State.deserialize(State.serialize(state)).load_result().result for state in times.map_states] == [10, 20, 30]
    assert len(kept(home)) == 1


@pytest.mark.parametrize("executor", [LocalExecutor(), ProcessExecutor(2)])
def test_values_are_kept_wherever_tasks_are_executed(home: Path, executor: Executor) -> None:
    flow = chain(lambda: [1, 2])
    flow.executor = executor

    assert executed(flow).is_successful()
    assert len(kept(home)) == 1


def sum_of(xs: list[int]) -> int:
    return sum(xs)


def test_threads_that_keep_their_first_values_at_once_do_not_mix_them_up() -> None:
    checkpoints, together = Checkpoints(["work-1"]), threading.Barrier(THREADS)

    def keep(number: int) -> str:
        together.wait()
        return checkpoints.store("x" * number, {**AGENT, "task_slug": "work-1"}).location or ""

    with ThreadPoolExecutor(THREADS) as threads:
        locations = list(threads.map(keep, range(1, THREADS + 1)))
    checkpoints.close()

    assert [len(CheckpointResult().read(location).value) for location in locations] == list(range(1, THREADS + 1))


def test_values_that_no_task_takes_and_runs_without_a_server_keep_nothing(home: Path) -> None:
    flow = chain(lambda: [1, 2])
    flow.run()
    executed(flow, running_with_backend=False)
    executed(Flow("alone", tasks=[task(lambda: 1, name="last")]))

    assert kept(home) == []


def test_a_task_may_forbid_it(home: Path) -> None:
    executed(chain(lambda: "secret", checkpoint=False))

    assert kept(home) == []


def test_a_value_that_cannot_be_kept_fails_nothing(home: Path) -> None:
    assert executed(chain(lambda: threading.Lock())).is_successful()  # noqa: PLW0108 - a task needs a function of Python
    assert kept(home) == []


@pytest.mark.parametrize("executor", [LocalExecutor(), ProcessExecutor(1)], ids=["here", "in a process"])
def test_a_run_says_once_that_its_values_find_no_place(home: Path, executor: Executor, caplog: pytest.LogCaptureFixture) -> None:
    home.mkdir()
    (home / "results").write_text("a file where a folder should be")
    with Flow("chain", executor=executor) as flow:
        task(lambda x: x, name="reader").map(task(lambda x: x, name="source").map(list(range(5))))

    state = executed(flow, flow_run_id=f"r-{executor.capacity}-{type(executor).__name__}")

    assert state.is_successful()
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(told) == 1
    assert told[0].startswith("Values of this run's tasks are not kept: [Errno ")

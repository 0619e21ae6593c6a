"""Pools of threads and processes, and a Dask cluster: what all executors owe to a flow."""

from __future__ import annotations

import logging
import os
import pickle
import signal
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from headwater import Flow, task
from headwater.core.errors import InvalidArgument
from headwater.sdk.context.context import context
from headwater.sdk.engine.flow_runner import FlowRunner
from headwater.sdk.engine.recorder import PriorAttempt
from headwater.sdk.executors import DaskExecutor, Executor, LocalDaskExecutor, LocalExecutor, ProcessExecutor, ThreadExecutor
from headwater.sdk.states.signals import SKIP
from headwater.sdk.states.state import Failed, Mapped, Retrying, Skipped, State, Success, TimedOut

# Dask and its event loops leave what only the garbage collector closes.
pytestmark = pytest.mark.filterwarnings("ignore")


class OwnError(Exception):
    """An exception of the user's own, with an argument that is not a message."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class WithLock(Exception):
    """Cannot be pickled."""

    def __init__(self) -> None:
        super().__init__("locked")
        self.lock = threading.Lock()


class Point:
    def __init__(self, x: int) -> None:
        self.x = x


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=logging.CRITICAL) as started:
        yield started


@pytest.fixture(params=["local", "threads", "processes", "dask"])
def executor(request: pytest.FixtureRequest) -> Executor:
    match request.param:
        case "threads":
            return ThreadExecutor(2)
        case "processes":
            return ProcessExecutor(2)
        case "dask":
            return DaskExecutor(request.getfixturevalue("cluster").scheduler_address)
    return LocalExecutor()


@pytest.fixture(params=["processes", "dask"])
def elsewhere(request: pytest.FixtureRequest) -> Executor:
    """An executor whose tasks are executed in other processes."""
    return ProcessExecutor(2) if request.param == "processes" else DaskExecutor(request.getfixturevalue("cluster").scheduler_address)


@task
def numbers(count: int) -> list[int]:
    return list(range(count))


@task
def square(x: int) -> int:
    return x * x


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@task
def where() -> tuple[int, int]:
    return os.getpid(), threading.get_ident()


def test_flows_run_the_same_on_all_of_them(executor: Executor) -> None:
    @task(max_retries=1, retry_delay=0)
    def second_time() -> int:
        if context.task_run_count == 1:
            raise OwnError(7)
        return 5

    @task
    def skip() -> None:
        raise SKIP("nothing to do")

    with Flow("f") as flow:
        summed = total(square.map(numbers(20)))
        retried = square(second_time())
        after_skip = square(skip())

    state = flow.run(executor=executor)

    assert state.is_successful()
    assert (state.result[summed].result, state.result[retried].result) == (sum(x * x for x in range(20)), 25)
    assert isinstance(state.result[after_skip], Skipped)


def test_an_exception_comes_with_its_facts_and_its_traceback(executor: Executor) -> None:
    @task
    def fail() -> None:
        context.logger.warning("about to fail")
        raise OwnError(42)

    error = Flow("f", tasks=[fail]).run(executor=executor).result[fail].result

    assert (type(error).__name__, error.code) == ("OwnError", 42)
    trace = error.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    assert trace.tb_frame.f_code.co_name == "fail"


def test_log_lines_come_back_as_those_of_the_task(elsewhere: Executor, caplog: pytest.LogCaptureFixture) -> None:
    @task(log_stdout=True)
    def say() -> int:
        context.logger.info("I am %s", context.task_name)
        context.logger.debug("unheard")
        print("printed")
        try:
            raise OwnError(1)  # noqa: TRY301 - logged by the same function, on purpose
        except OwnError:
            context.logger.exception("seen")
        return os.getpid()

    state = Flow("f", tasks=[say]).run(executor=elsewhere)

    assert state.result[say].result != os.getpid()
    lines = [(record.levelname, record.getMessage()) for record in caplog.records if record.name == "headwater.say"]
    assert lines == [("INFO", "I am say"), ("INFO", "printed"), ("ERROR", "seen")]
    (failure,) = [record.exc_info[1] for record in caplog.records if record.exc_info]
    assert (failure.code, failure.__traceback__ is not None) == (1, True)  # type: ignore[union-attr]


def test_log_lines_come_while_the_task_is_still_running(elsewhere: Executor, tmp_path: Path) -> None:
    heard = tmp_path / "heard"

    @task
    def say_and_wait() -> bool:
        thread = threading.Thread(target=context.logger.info, args=("from a thread",))
        thread.start()
        context.logger.info("is anybody there?")
        # It goes on only when the process that runs the flow has received it.
        deadline = time.monotonic() + 60
        while not heard.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        thread.join()  # what a thread logs after its task's end belongs to no task
        return heard.exists()

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append((record.getMessage(), context.get("task_slug")))
            if "anybody" in record.getMessage():
                heard.write_text("yes")

    said: list[tuple[str, str]] = []
    listener = Listener()
    logging.getLogger("headwater.say_and_wait").addHandler(listener)
    try:
        state = Flow("f", tasks=[say_and_wait]).run(executor=elsewhere)
    finally:
        logging.getLogger("headwater.say_and_wait").removeHandler(listener)

    assert state.result[say_and_wait].result is True
    assert sorted(said) == [("from a thread", "say_and_wait-1"), ("is anybody there?", "say_and_wait-1")]


def test_an_outcome_never_overtakes_the_lines_before_it(elsewhere: Executor, caplog: pytest.LogCaptureFixture) -> None:
    @task
    def say_much(x: int) -> None:
        for number in range(200):
            context.logger.info("%d.%d", x, number)

    with Flow("f") as flow:
        say_much.map([0, 1])

    assert flow.run(executor=elsewhere).is_successful()

    messages = [record.getMessage() for record in caplog.records]
    for x in range(2):
        said = [message for message in messages if message.startswith(f"{x}.")]
        assert said == [f"{x}.{number}" for number in range(200)]
        ended = messages.index(f"Task 'say_much[{x}]': Finished task run for task with final state: 'Success'")
        assert ended > messages.index(f"{x}.199")


def test_pools_work_at_the_same_time() -> None:
    @task
    def meet() -> bool:
        from concurrent.futures import BrokenExecutor  # noqa: F401 - an import of its own works there too

        return barrier.wait(30) >= 0

    barrier = threading.Barrier(3)
    with Flow("f") as flow:
        met = [meet(), meet(), meet()]

    state = flow.run(executor=LocalDaskExecutor(num_workers=3))

    assert all(state.result[each].result for each in met)


def test_each_process_executes_one_task_at_a_time_and_none_in_ours(elsewhere: Executor) -> None:
    with Flow("f") as flow:
        places = [where() for _ in range(6)]

    state = flow.run(executor=elsewhere)

    processes = {state.result[each].result[0] for each in places}
    assert os.getpid() not in processes
    assert 1 <= len(processes) <= 2


def test_values_of_own_classes_keep_their_class(elsewhere: Executor) -> None:
    @task
    def make() -> Point:
        return Point(3)

    point = Flow("f", tasks=[make]).run(executor=elsewhere).result[make].result

    assert isinstance(point, Point)
    assert point.x == 3


def test_what_cannot_travel_fails_the_task_with_advice(elsewhere: Executor) -> None:
    @task
    def give_back_a_lock() -> Any:
        return threading.Lock()

    @task
    def raise_a_lock() -> None:
        raise WithLock

    lock = threading.Lock()

    @task
    def take(x: Any) -> None: ...

    with Flow("f") as flow:
        given = take(lock)
        returned, raised = give_back_a_lock(), raise_a_lock()

    state = flow.run(executor=elsewhere)

    assert "cannot be sent to another process" in state.result[given].message
    assert "returned a lock, which cannot be sent back" in state.result[returned].message
    assert "cannot be sent back" in state.result[raised].message
    assert all(isinstance(state.result[each], Failed) for each in (given, returned, raised))


def test_a_process_that_dies_fails_its_task_and_the_flow_goes_on() -> None:
    @task(max_retries=1, retry_delay=0)
    def die_once() -> str:
        if context.task_run_count == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return "alive"

    flow = Flow("f", tasks=[die_once])

    assert flow.run(executor=ProcessExecutor(1)).result[die_once].result == "alive"


def test_a_time_out_in_a_process_really_ends_the_task() -> None:
    @task(timeout=timedelta(seconds=0.1))
    def wait_for_ever() -> None:
        threading.Event().wait(60)

    state = Flow("f", tasks=[wait_for_ever]).run(executor=ProcessExecutor(1))

    assert isinstance(state.result[wait_for_ever], TimedOut)
    assert "was interrupted" in str(state.result[wait_for_ever].result)


def test_what_is_being_executed_ends_with_a_run_that_is_stopped(executor: Executor) -> None:
    class StopAtOnce:
        asked = 0

        def flow_run_changed(self, old: State, new: State) -> None: ...
        def task_run_changed(self, slug: str, map_index: int, old: State, new: State, run_count: int) -> None: ...
        def task_run_named(self, slug: str, map_index: int, name: str) -> None: ...
        def prior_attempt(self, slug: str, map_index: int) -> PriorAttempt:
            return PriorAttempt()

        def resumed(self) -> list[tuple[str, int]]:
            return []

        def already_finished(self, slug: str, map_index: int) -> State | None:
            return None

        def should_stop(self) -> bool:
            self.asked += 1
            return self.asked > 1

    with Flow("f") as flow:
        for _ in range(3):
            square(2)

    state = FlowRunner(flow, recorder=StopAtOnce(), executor=executor).run()

    assert type(state).__name__ == "Cancelled"
    assert sum(type(each) is Success for each in state.result.values()) < 3


def test_a_cluster_can_be_started_for_each_run_and_grow() -> None:
    executor = DaskExecutor(
        cluster_class="distributed.LocalCluster",
        cluster_kwargs={"processes": False, "dashboard_address": None, "n_workers": 1, "silence_logs": logging.CRITICAL},
        adapt_kwargs={"minimum": 1, "maximum": 2},
    )
    with Flow("f", executor=executor) as flow:
        summed = total(square.map(numbers(5)))

    assert flow.run().result[summed].result == 30


def test_a_cluster_at_an_address_is_not_told_to_grow() -> None:
    with pytest.warns(UserWarning, match="adapt_kwargs is not followed"):
        executor = DaskExecutor("tcp://10.0.0.1:8786", adapt_kwargs={"maximum": 2})

    assert executor.adapt_kwargs == {}


def test_executors_are_stored_with_their_settings_alone() -> None:
    dask = DaskExecutor("tcp://10.0.0.1:8786", client_kwargs={"timeout": 3})
    for made in (dask, ProcessExecutor(3), ThreadExecutor(3), LocalDaskExecutor("threads", 3)):
        again = pickle.loads(pickle.dumps(made))
        assert again.capacity == made.capacity
    assert pickle.loads(pickle.dumps(dask)).address == "tcp://10.0.0.1:8786"


def test_the_known_name_of_pools_chooses_ours() -> None:
    kinds = {name: type(LocalDaskExecutor(scheduler=name)._pool) for name in ("threads", "PROCESSES", "sync")}

    assert kinds == {"threads": ThreadExecutor, "PROCESSES": ProcessExecutor, "sync": LocalExecutor}
    assert LocalDaskExecutor("multiprocessing").scheduler == "processes"
    with pytest.raises(InvalidArgument, match="no scheduler 'gpu'"):
        LocalDaskExecutor(scheduler="gpu")
    with pytest.raises(InvalidArgument, match="at least 1"):
        ProcessExecutor(0)
    with pytest.raises(InvalidArgument, match="both were given"):
        DaskExecutor("tcp://x", cluster_kwargs={"n_workers": 2})


def test_mapped_children_are_distinguished_from_failures_of_others(elsewhere: Executor) -> None:
    @task
    def ten_by(x: int) -> float:
        return 10 / x

    with Flow("f") as flow:
        divided = ten_by.map([0, 5])

    state = flow.run(executor=elsewhere)

    mapped = state.result[divided]
    assert isinstance(mapped, Mapped)
    assert [type(child) for child in mapped.map_states] == [Failed, Success]
    assert not any(isinstance(child, Retrying) for child in mapped.map_states)

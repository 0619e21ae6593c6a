"""What tasks can know of their run, and where their lines go."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

import headwater
from headwater import Flow, task
from headwater.sdk.context.context import context
from headwater.sdk.context.logging import get_logger
from headwater.sdk.executors import ThreadExecutor
from headwater.sdk.states.state import State


def test_a_task_knows_itself_and_its_run(run: Callable[..., State]) -> None:
    wanted = ("flow_name", "task_name", "task_full_name", "task_slug", "task_run_count", "map_index", "today", "tomorrow_nodash")

    @task(tags=["t"])
    def know() -> dict[str, Any]:
        return {**{key: headwater.context[key] for key in wanted}, "tags": headwater.context.task_tags}

    flow = Flow("f", tasks=[know])

    assert run(flow).result[know].result == {
        "flow_name": "f", "task_name": "know", "task_full_name": "know", "task_slug": "know-t-1", "task_run_count": 1,
        "map_index": None, "today": "2026-11-21", "tomorrow_nodash": "20261122", "tags": {"t"},
    }  # fmt: skip


def test_values_can_be_given_and_end_with_the_run(run: Callable[..., State]) -> None:
    know = task(lambda: headwater.context.colour, name="know")
    flow = Flow("f", tasks=[know])

    with context(colour="red"):
        assert flow.run().result[know].result == "red"
    assert flow.run(context={"colour": "blue"}).result[know].result == "blue"
    assert "colour" not in context
    with pytest.raises(AttributeError, match="has no 'colour' here"):
        _ = context.colour


def test_what_one_task_sets_another_does_not_see(run: Callable[..., State]) -> None:
    def leave() -> None:
        headwater.context.left = 1

    with Flow("f") as flow:
        left = task(leave, name="leave")()
        found = task(lambda: headwater.context.get("left", "nothing"), name="find")(upstream_tasks=[left])

    assert run(flow).result[found].result == "nothing"


def test_tasks_in_threads_see_their_own_values(run: Callable[..., State]) -> None:
    together = threading.Barrier(3, timeout=30)

    @task
    def know(number: int) -> tuple[int, int]:
        together.wait()
        return number, headwater.context.map_index

    with Flow("f") as flow:
        known = know.map([0, 1, 2])

    assert run(flow, executor=ThreadExecutor(3)).result[known].result == [(0, 0), (1, 1), (2, 2)]


def test_a_copied_context_reaches_the_users_own_threads(run: Callable[..., State]) -> None:
    @task
    def know() -> list[str]:
        seen: list[str] = []
        thread = threading.Thread(target=contextvars.copy_context().run, args=(lambda: seen.append(headwater.context.task_slug),))
        thread.start()
        thread.join()
        return seen

    flow = Flow("f", tasks=[know])

    assert run(flow).result[know].result == ["know-1"]


def test_the_context_is_a_mapping_and_pickles_as_itself() -> None:
    with context({"a": 1}, b=2):
        assert (context["a"], context.b, context.get("c", 3), "a" in context) == (1, 2, 3, True)
        context.update(c=4)
        assert context.to_dict().items() >= {"a": 1, "b": 2, "c": 4}.items()
        del context.c
    assert pickle.loads(pickle.dumps(context)) is context


def test_outside_of_a_run_the_logger_is_headwaters_own() -> None:
    assert context.get("logger") is get_logger()
    assert get_logger("x").name == "headwater.x"


def test_prints_become_lines_where_they_are_asked_for(run: Callable[..., State], capsys: pytest.CaptureFixture[str]) -> None:
    def speak() -> None:
        print("said aloud\n\nand more")

    with Flow("f") as flow:
        task(speak, name="logged", log_stdout=True)()
        task(speak, name="printed")()

    run(flow)

    lines = capsys.readouterr().out.splitlines()
    assert [line.partition("INFO - ")[2] for line in lines if "headwater.logged" in line] == [
        "headwater.logged | said aloud",
        "headwater.logged | and more",
    ]
    assert lines.count("said aloud") == 1


def test_the_level_comes_from_the_environment() -> None:
    code = "from headwater import Flow, Task; Flow('f', tasks=[Task(name='t')]).run()"

    def lines(level: str) -> int:
        done = subprocess.run(
            [sys.executable, "-c", code], env={"HEADWATER_LOG_LEVEL": level}, capture_output=True, text=True, check=True, timeout=60
        )
        return len(done.stdout.splitlines())

    assert (lines("WARNING"), lines("info")) == (0, 4)


def test_a_handler_of_the_users_own_stays_the_only_one() -> None:
    code = (
        "import logging, sys; logging.getLogger('headwater').addHandler(logging.StreamHandler(sys.stderr)); "
        "from headwater import Flow, Task; Flow('f', tasks=[Task(name='t')]).run()"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout == ""
    assert done.stderr.splitlines()[0] == "Beginning Flow run for 'f'"


def test_lines_about_a_task_are_written_in_its_context(run: Callable[..., State]) -> None:
    seen: list[tuple[str, str]] = []

    class Watch(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append((record.getMessage()[:14], context.get("task_slug", "")))

    watch = Watch()
    get_logger().addHandler(watch)
    try:
        run(Flow("f", tasks=[task(lambda: 1 / 0, name="t")]))
    finally:
        get_logger().removeHandler(watch)

    assert [slug for text, slug in seen if text.startswith("Task 't'")] == ["t-1"] * 3


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        (["rows:", " ", "5", "\n"], ["rows: 5"]),
        (["one\ntwo\nthr", "ee"], ["one", "two", "three"]),
        (["10%\r", "20%\r"], ["10%", "20%"]),
        (["\n", "  ", "\n\n"], []),
        (["dots", ".", ".", "."], ["dots..."]),
        (["x" * 150_000, "y\n"], ["x" * 150_000, "y"]),
    ],
)
def test_what_is_printed_becomes_one_log_line_for_each_line(pieces: list[str], lines: list[str], caplog: pytest.LogCaptureFixture) -> None:
    @task(log_stdout=True)
    def speak() -> None:
        for piece in pieces:
            print(piece, end="")

    with caplog.at_level(logging.INFO, "headwater.speak"):
        Flow("speaking", tasks=[speak]).run()

    assert [record.getMessage() for record in caplog.records if record.name == "headwater.speak"] == lines


def test_a_time_out_holds_for_async_tasks_too() -> None:
    @task(timeout=0.05)
    async def wait() -> None:
        await asyncio.sleep(60)

    state = Flow("waiting", tasks=[wait]).run()

    assert [type(each).__name__ for each in state.result.values()] == ["TimedOut"]

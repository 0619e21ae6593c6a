"""Flows of every kind, as people store them: what a home of an older version holds, and later ones must go on executing."""

from __future__ import annotations

import os
from collections import namedtuple
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from headwater import (
    DateTimeParameter,
    Flow,
    Parameter,
    Task,
    apply_map,
    case,
    context,
    flatten,
    merge,
    resource_manager,
    switch,
    task,
    unmapped,
)
from headwater.artifacts import create_markdown_artifact
from headwater.engine import signals
from headwater.engine.cache_validators import all_inputs
from headwater.engine.results import LocalResult
from headwater.engine.serializers import CompressedSerializer, JSONSerializer
from headwater.executors import LocalDaskExecutor, ProcessExecutor, ThreadExecutor
from headwater.schedules import CronSchedule
from headwater.tasks.headwater import create_flow_run, wait_for_flow_run
from headwater.tasks.shell import ShellTask
from headwater.tasks.templates import StringFormatter
from headwater.triggers import all_finished, any_failed, manual_only, some_failed

LONG = timedelta(days=20_000)
"""Longer than anybody keeps a fixture."""

Pair = namedtuple("Pair", ["left", "right"])  # noqa: PYI024 - the kind that people write


@dataclass
class Order:
    number: int
    lines: list[int]


class Add(Task):
    def __init__(self, amount: int, **settings: Any) -> None:
        self.amount = amount
        super().__init__(**settings)

    def run(self, x: int) -> int:
        return x + self.amount


@resource_manager
class Opened:
    def __init__(self, name: str) -> None:
        self.name = name

    def setup(self) -> list[str]:
        return [self.name]

    def cleanup(self, resource: list[str]) -> None:
        resource.clear()


def noted(task_: Any, old: Any, new: Any) -> Any:
    """A state handler."""
    return new


def is_open(gate: str) -> bool:
    return (Path(os.environ["HEADWATER_HOME"]) / gate).exists()


@task
def numbers(count: int) -> list[int]:
    return list(range(count))


@task
def double(x: int) -> int:
    return 2 * x


@task
def total(values: list[int]) -> int:
    return sum(values)


@task
def say(name: str) -> str:
    context.logger.info("Hello, %s!", name)
    return f"Hello, {name}!"


def plain() -> Flow:
    with Flow("plain", state_handlers=[noted]) as flow:
        said = say(Parameter("name", default="World"))
        Add(3, name="add", state_handlers=[noted], tags=["sum"])(4)
        task(lambda day: str(day), name="day")(DateTimeParameter("day", required=False))
        StringFormatter(template="{said} It is {n}.")(said=said, n=1)
    return flow


def mapped() -> Flow:
    with Flow("mapped", executor=ThreadExecutor(2)) as flow:
        doubled = double.map(numbers(4))
        nested = task(lambda x: [x, x], name="twice").map(doubled)
        total(double.map(flatten(nested)))
        Add(1, name="add one").map(doubled)
        task(lambda x, y: x + y, name="both").map(doubled, unmapped(10))
    return flow


def branches() -> Flow:
    with Flow("branches") as flow:
        which = Parameter("which", default="b")
        yes, no = task(lambda: "yes", name="yes"), task(lambda: "no", name="no")
        with case(task(lambda x: x == "b", name="is b")(which), True):
            first = yes()
        with case(which, "a"):
            second = no()
        merge(first, second)
        switch(which, {"a": task(lambda: 1, name="one")(), "b": task(lambda: 2, name="two")()})
    return flow


def containers() -> Flow:
    with Flow("containers") as flow:
        one, two = task(lambda: 1, name="one")(), task(lambda: 2, name="two")()
        task(lambda pair, order, both: (pair.left, order.lines, both), name="look")(
            Pair(one, two),
            Order(number=one, lines=[two, 5]),
            {"a": [one], "b": (two, 3)},  # type: ignore[arg-type]
        )
        (one + two) * 3
        task(lambda x: {"k": x}, name="dict")(one)["k"]
    return flow


def resources() -> Flow:
    with Flow("resources") as flow, Opened("file") as file:
        task(lambda f: len(f), name="use")(file)
    return flow


def loops() -> Flow:
    @task(max_retries=1, retry_delay=timedelta(0))
    def count() -> int:
        value = context.get("task_loop_result", 0)
        if value < 3:
            raise signals.LOOP(result=value + 1)
        return int(value)

    with Flow("loops", executor=ProcessExecutor(1)) as flow:
        count()
    return flow


def cached() -> Flow:
    @task(cache_for=LONG, cache_validator=all_inputs, cache_key="kept")
    def reckon(x: int) -> int:
        if not is_open("first-time"):
            raise RuntimeError("This is reckoned once, and served again from then on.")
        return x * x

    with Flow("cached") as flow:
        reckon(Parameter("x", default=12))
    return flow


def written() -> Flow:
    result = LocalResult(location="{flow_name}/{task_slug}.json", serializer=CompressedSerializer(JSONSerializer(), "zlib"))
    with Flow("written", result=result) as flow:
        task(lambda: {"rows": [1, 2, 3]}, name="rows")()
        task(lambda: 7, name="seven", target="written/seven.txt", result=LocalResult(serializer=JSONSerializer()))()
    return flow


def shells() -> Flow:
    with Flow("shells", executor=LocalDaskExecutor("threads", 2)) as flow:
        ShellTask(return_all=True)(command="printf 'a\\nb\\n'")
    return flow


def failing() -> Flow:
    """Fails until the gate is open; what came before it is kept."""

    @task
    def prepare() -> int:
        if not is_open("first-time"):
            raise RuntimeError("This was prepared once, and kept.")
        return 42

    @task
    def load(x: int) -> int:
        if not is_open("warehouse"):
            raise ConnectionError("The warehouse is closed.")
        return x + 1

    with Flow("failing") as flow:
        loaded = load(prepare())
        task(lambda: "told", name="tell", trigger=any_failed)(upstream_tasks=[loaded])
        task(lambda: "over", name="over", trigger=all_finished)(upstream_tasks=[loaded])
        flow.set_reference_tasks([loaded])
    return flow


def paused() -> Flow:
    with Flow("paused") as flow:
        task(lambda x: x + 1, name="approved", trigger=manual_only)(task(lambda: 1, name="ask")())
    return flow


def retried() -> Flow:
    """Waits for a retry that is years ahead."""

    @task(max_retries=1, retry_delay=timedelta(days=10_000))
    def fetch() -> str:
        if not is_open("warehouse"):
            raise TimeoutError("not yet")
        return "fetched"

    with Flow("retried") as flow:
        fetch()
    return flow


def scheduled() -> Flow:
    with Flow("scheduled", schedule=CronSchedule("0 6 * * *", start_date=datetime(2026, 1, 1, tzinfo=UTC))) as flow:
        task(lambda: None, name="nothing", trigger=some_failed(at_most=0))()
    return flow


def applied() -> Flow:
    def part(x: Any) -> Any:
        return double(double(x))

    with Flow("applied") as flow:
        total(apply_map(part, numbers(3)))
    return flow


def reports() -> Flow:
    @task
    def report() -> None:
        create_markdown_artifact("# All *well*")

    with Flow("reports") as flow:
        report()
    return flow


def parent() -> Flow:
    with Flow("parent") as flow:
        child = create_flow_run(flow_name="plain", project_name="tutorial", parameters={"name": "child"})
        wait_for_flow_run(child)
    return flow


KINDS = (
    plain,
    mapped,
    branches,
    containers,
    resources,
    loops,
    cached,
    written,
    shells,
    failing,
    paused,
    retried,
    scheduled,
    applied,
    reports,
    parent,
)

"""Flows that use as much of Headwater's own code as a flow can: their fingerprints decide whether a registration is a new version."""

from __future__ import annotations

from datetime import date, timedelta

import headwater
import headwater.engine.signals as by_module
from headwater import Flow, Parameter, Task, apply_map, case, context, mapped, resource_manager, switch, task, unmapped
from headwater.engine import signals
from headwater.engine.cache_validators import all_inputs, all_parameters, duration_only, never_use, partial_inputs_only
from headwater.engine.results import LocalResult, S3Result
from headwater.engine.serializers import CompressedSerializer, JSONSerializer, PickleSerializer
from headwater.engine.state import Failed, State
from headwater.environments import LocalEnvironment
from headwater.executors import DaskExecutor, LocalDaskExecutor, LocalExecutor, ProcessExecutor, ThreadExecutor
from headwater.run_configs import DockerRun, KubernetesRun, LocalRun
from headwater.schedules import CronSchedule, IntervalSchedule, Schedule
from headwater.schedules.adjustments import next_weekday
from headwater.schedules.clocks import CronClock
from headwater.schedules.filters import between_dates, is_weekday
from headwater.tasks.control_flow import FilterTask, merge
from headwater.tasks.core.constants import Constant
from headwater.tasks.core.function import FunctionTask
from headwater.tasks.database import SQLiteQuery
from headwater.tasks.files import Copy, Zip
from headwater.tasks.headwater import StartFlowRun, create_flow_run
from headwater.tasks.notifications import EmailTask, SlackTask
from headwater.tasks.secrets import EnvVarSecret, PrefectSecret
from headwater.tasks.shell import ShellTask
from headwater.tasks.templates import JinjaTemplate, StringFormatter
from headwater.triggers import (
    all_failed,
    all_finished,
    any_failed,
    any_successful,
    manual_only,
    not_all_skipped,
    some_failed,
    some_successful,
)
from headwater.utilities.notifications import callback_factory, gmail_notifier, slack_notifier
from headwater.utilities.tasks import as_task, defaults_from_attrs, pause_task

TRIGGERS = (all_failed, all_finished, any_failed, any_successful, manual_only, not_all_skipped, some_failed(0.5), some_successful(1, 3))
VALIDATORS = (all_inputs, all_parameters, duration_only, never_use, partial_inputs_only(["x"]))


def told(task_: object, state: State) -> None:
    print(task_, state)


class Own(Task):
    """A task of the user's own, with a base class of ours."""

    @defaults_from_attrs("amount")
    def run(self, amount: int | None = None) -> int:
        if amount is None:
            raise signals.FAIL("nothing")
        return amount

    def __init__(self, amount: int, **settings: object) -> None:
        self.amount = amount
        super().__init__(**settings)


class Further(ShellTask):
    def run(self, command: str) -> str:
        return str(super().run(command=command))


def triggers() -> Flow:
    with Flow("triggers") as flow:
        for number, trigger in enumerate(TRIGGERS):
            task(lambda: 1, name=f"t{number}", trigger=trigger)()
    return flow


def caches() -> Flow:
    with Flow("caches") as flow:
        for number, validator in enumerate(VALIDATORS):
            task(lambda x: x, name=f"c{number}", cache_for=timedelta(hours=1), cache_validator=validator, cache_key="k")(number)
    return flow


def handlers() -> Flow:
    handled = [slack_notifier(only_states=[Failed]), gmail_notifier(ignore_states=[Failed]), callback_factory(told, check=lambda s: s.is_failed())]
    with Flow("handlers", state_handlers=handled, on_failure=told) as flow:
        task(lambda: 1, name="handled", state_handlers=handled, on_failure=told)()
        task(lambda: 2, name="slack", state_handlers=[slack_notifier])()
    return flow


def names_of_ours() -> Flow:
    @task
    def uses() -> object:
        context.get("logger").info("%s", headwater.config)
        if isinstance(headwater.context.get("state"), Failed):
            raise by_module.SKIP("no")
        pause_task("wait")
        return LocalResult, as_task, PickleSerializer, Parameter, unmapped, JSONSerializer().serialize(1)

    @task
    def imports() -> object:
        from headwater.engine.state import Success
        from headwater.utilities.logging import get_logger

        get_logger().info("x")
        return Success

    with Flow("names") as flow:
        uses()
        imports()
        Own(3)()
        Further(name="further")(command="ls")
    return flow


def library() -> Flow:
    with Flow("library") as flow:
        said = ShellTask(command="ls", return_all=True)()
        StringFormatter(template="{x}")(x=said)
        JinjaTemplate(template="{{ x }}")(x=said)
        SQLiteQuery(db="a.db", query="select 1")()
        Copy()("a", "b")
        Zip()("a", zip_path="b")
        EmailTask(subject="s", msg="m", email_to="a@b.c")()
        SlackTask(message="m")()
        PrefectSecret("name")()
        EnvVarSecret("NAME")()
        StartFlowRun(flow_name="a", project_name="b")()
        create_flow_run(flow_name="a", project_name="b")
        FilterTask(filter_func=lambda x: x)([said])
        FunctionTask(lambda x: x, name="f")(said)
        Constant([1, 2])
    return flow


def language() -> Flow:
    @resource_manager
    class Opened:
        def setup(self) -> list[str]:
            return ["x"]

        def cleanup(self, resource: list[str]) -> None:
            resource.clear()

    with Flow("language") as flow:
        x = Parameter("x", default=1)
        y = (x + 1) * 2 - x["a"]
        with case(y > 3, True):
            a = task(lambda v: v, name="a")(y)
        with case(y, "b"):
            b = task(lambda v: v, name="b")({"k": [x, y], "t": (x, 3), "s": {1, 2}})
        merge(a, b)
        switch(x, {"a": task(lambda: 1, name="one")(), "b": task(lambda: 2, name="two")()})
        with Opened() as opened:
            task(lambda o: o, name="use")(opened)
        task(lambda v, w: v, name="m").map([1, 2], unmapped(3))
        task(lambda v: v, name="n")(mapped([x, y]))
        apply_map(lambda v: task(lambda z: z, name="z")(task(lambda z: z, name="zz")(v)), [1, 2])
        y.is_equal(3).or_(x.not_())
    return flow


def settings() -> Flow:
    result = LocalResult(location="{flow_name}", serializer=CompressedSerializer(JSONSerializer(), "zlib"))
    clock = CronClock("0 6 * * *", parameter_defaults={"x": 1})
    schedule = Schedule(clocks=[clock], filters=[is_weekday, between_dates(1, 1, 6, 1)], adjustments=[next_weekday])
    with Flow("settings", result=result, schedule=schedule, executor=LocalDaskExecutor("threads", 2), run_config=LocalRun(env={"A": "b"})) as flow:
        task(lambda: date(2026, 1, 1), name="r", result=S3Result(bucket="b"), target="a/{today}")()
    return flow


def _with(name: str, **given: object) -> Flow:
    with Flow(name, **given) as flow:
        task(lambda: 1, name="one")()
    return flow


KINDS = (
    triggers,
    caches,
    handlers,
    names_of_ours,
    library,
    language,
    settings,
    lambda: _with("local executor", executor=LocalExecutor()),
    lambda: _with("threads", executor=ThreadExecutor(2)),
    lambda: _with("processes", executor=ProcessExecutor(2)),
    lambda: _with("dask", executor=DaskExecutor(address="tcp://a:1")),
    lambda: _with("environment", environment=LocalEnvironment(labels=["a"], on_start=told, executor=LocalExecutor())),
    lambda: _with("docker", run_config=DockerRun(image="a")),
    lambda: _with("kubernetes", run_config=KubernetesRun(image="a")),
    lambda: _with("interval", schedule=IntervalSchedule(interval=timedelta(hours=1))),
    lambda: _with("cron", schedule=CronSchedule("0 6 * * *")),
)

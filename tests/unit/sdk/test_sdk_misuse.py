"""What people write wrongly: each is refused where it stands, in a sentence, with what to write instead."""

# mypy: disable-error-code="arg-type,list-item"
from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from headwater import Flow, Parameter, Task, case, ifelse, merge, switch, task, unmapped
from headwater.core.calendar import CronSchedule, IntervalSchedule, RRuleSchedule, Schedule
from headwater.core.calendar.adjustments import add
from headwater.core.calendar.clocks import CronClock, DatesClock, IntervalClock
from headwater.core.calendar.filters import at_time, between_dates, between_times, is_day_of_week, on_date, on_datetime
from headwater.core.errors import HeadwaterError
from headwater.sdk.executors import LocalDaskExecutor, LocalExecutor
from headwater.sdk.language.cache_validators import partial_inputs_only
from headwater.sdk.language.constants import Constant
from headwater.sdk.language.decorators import pause_task
from headwater.sdk.results import LocalResult
from headwater.sdk.run_configs import UniversalRun
from headwater.sdk.states.signals import ENDRUN
from headwater.sdk.states.state import Failed, State
from headwater.sdk.storage import Module


@task
def double(x: int) -> int:
    return 2 * x


def in_flow(build: Callable[[Flow], Any]) -> Any:
    with Flow("f") as flow:
        return build(flow)


MISUSES: dict[str, tuple[Callable[[], Any], str, str]] = {
    "a flow named by a number": (lambda: Flow(3), "The name of a flow is text, and 3 is none", "Write '3'"),
    "one task for tasks": (lambda: Flow("f", tasks=double), "tasks takes a list of tasks, not <Task: double>", r"tasks=\[...\]"),
    "edges that are tuples": (lambda: Flow("f", edges=[(double, double)]), "edges takes Edge objects", "Write Edge"),
    "an executor's class": (lambda: Flow("f", executor=LocalExecutor), "executor=LocalExecutor is a class", r"Call it: .*Executor\(...\)"),
    "an executor's name": (lambda: Flow("f", executor="threads"), "'threads' is not of type Executor", r"executor=LocalDaskExecutor\(\)"),
    "a run config that is a dict": (lambda: Flow("f", run_config={}), "is not of type RunConfig", "LocalRun"),
    "a storage's name": (lambda: Flow("f", storage="s3"), "'s3' is not of type Storage", "Local"),
    "a folder for a result": (lambda: Flow("f", result="/tmp"), "'/tmp' is not of type Result", "LocalResult"),
    "a schedule's text": (lambda: Flow("f", schedule="* * * * *"), "is not a schedule", "CronSchedule"),
    "a terminal state handler": (lambda: Flow("f", terminal_state_handler=3), "takes a function, and 3 is none", "Write a function"),
    "on_failure of a flow": (lambda: Flow("f", on_failure=3), "Flow 'f': on_failure takes a function", "what failed"),
    "one handler for a list": (lambda: Flow("f", state_handlers=print), "state_handlers is a list of functions", r"\[ \]"),
    "run in the block": (lambda: in_flow(lambda flow: flow.run()), "inside the `with Flow", "remove its indentation"),
    "register in the block": (lambda: in_flow(lambda flow: flow.register("p")), "inside the `with Flow", "after the block"),
    "run_agent in the block": (lambda: in_flow(lambda flow: flow.run_agent()), "inside the `with Flow", "after the block"),
    "parameters as a list": (lambda: Flow("f").run(parameters=[1]), r"parameters takes a dict, and \[1\] is a list", "parameters={"),
    "a default that is not a number": (lambda: Parameter("x", default=float("nan")), "the default nan is not JSON", "Use text, numbers"),
    "a task outside of a flow": (lambda: double(1), "Cannot call task 'double' here", r"double.run\(...\)"),
    "upstream that is no list": (lambda: in_flow(lambda _: double(1, upstream_tasks=3)), "takes a list of tasks, not 3", "upstream_tasks="),
    "task_args that are not a dict": (lambda: in_flow(lambda _: double(1, task_args="x")), "task_args takes a dict", "{'name': 'load'}"),
    "an unknown setting": (lambda: task(double.run, max_retry=3), "tasks have no setting 'max_retry'", "Did you mean 'max_retries'"),
    "a number as a tag": (lambda: Task(tags=[1]), "tags are texts, and 1 is none", r"tags=\['1'\]"),
    "one number for tags": (lambda: Task(tags=1), "tags are texts, and 1 is none", r"tags=\['1'\]"),
    "an exception to retry on": (lambda: Task(max_retries=1, retry_delay=0, retry_on=OSError(1)), "exception classes", "retry_on=OSError"),
    "a name to retry on": (lambda: Task(max_retries=1, retry_delay=0, retry_on="OSError"), "'OSError' is none", "retry_on="),
    "a trigger's name": (lambda: Task(trigger="all_failed"), "'all_failed' is none", "from headwater.triggers import all_failed"),
    "a number for a trigger": (lambda: Task(trigger=3), "takes a function, and 3 is none", "headwater.triggers"),
    "a validator not called": (lambda: Task(cache_for=1, cache_validator=partial_inputs_only), "makes a validator", r"\(\['name'\]\)"),
    "a result's class": (lambda: Task(result=LocalResult), "result=LocalResult is a class", r"Call it: result=LocalResult\(...\)"),
    "a folder for a task's result": (lambda: Task(result="/tmp"), "'/tmp' is not a Result", "LocalResult"),
    "a number for switch": (lambda: in_flow(lambda _: switch(double(1), [1])), "cases of a switch are a dict", "{value: task}"),
    "ifelse of nothing": (lambda: in_flow(lambda _: ifelse(double(1), None, None)), "both are None", "ifelse"),
    "merge of nothing": (lambda: in_flow(lambda _: merge()), "none was given", "merge"),
    "a case that is a task": (lambda: in_flow(lambda _: case(double(1), double(2))), "is a constant", "is_equal"),
    "no interval": (IntervalSchedule, "needs an interval", "interval=timedelta"),
    "an end before the start": (
        lambda: IntervalClock(timedelta(1), start_date=datetime(2026, 1, 2, tzinfo=UTC), end_date=datetime(2026, 1, 1, tzinfo=UTC)),
        "ends .* before it starts",
        "Exchange",
    ),
    "dates that are texts": (lambda: DatesClock(["2026-01-01"]), "takes datetimes, and '2026-01-01' is none", "datetime"),
    "one clock": (lambda: Schedule(clocks=CronClock("* * * * *")), "takes a list of clocks", r"\[ \]"),
    "a bad cron": (lambda: CronSchedule("61 * * * *"), "'61 \\* \\* \\* \\*' is not a cron expression: bad minute", "Five fields"),
    "parameters of a clock as a list": (lambda: CronClock("* * * * *", parameter_defaults=["a"]), "takes a dict", "{'name'"),
    "a thirteenth month": (lambda: on_date(13, 1), "no day 1 of month 13", "1 to 12"),
    "a thirtieth of February": (lambda: between_dates(1, 1, 2, 30), "no day 30 of month 2", "1 to 12"),
    "an eighth day": (lambda: is_day_of_week(7), "no day 7 of a week", "6 is Sunday"),
    "times that are texts": (lambda: between_times("9", "10"), "must be a time, not '9'", "time\\(6, 30\\)"),
    "a time that is a text": (lambda: at_time("9"), "must be a time, not '9'", "time\\(6, 30\\)"),
    "a moment that is a text": (lambda: on_datetime("today"), "must be a datetime", "datetime\\("),
    "an adjustment by a number": (lambda: add(3), "must be a timedelta, not 3", "timedelta"),
    "workers that are text": (lambda: LocalDaskExecutor(num_workers="4"), "at least 1, not '4'", ""),
    "an environment as a list": (lambda: UniversalRun(env=["A"]), "env takes a dict", "{'NAME'"),
    "a module that is a number": (lambda: Module(3), "needs the name of a module, and 3 is none", "mypackage"),
    "a pause that is text": (lambda: pause_task(duration="1h"), "duration must be a timedelta or a number", ""),
    "a clock's unknown parameter": (
        lambda: Flow("f", schedule=Schedule([CronClock("* * * * *", parameter_defaults={"z": 1})])).validate(),
        "gives 'z', and the flow has no such parameter",
        "",
    ),
}


@pytest.mark.parametrize("misuse", MISUSES)
def test_a_misuse_is_refused_in_a_sentence_that_says_what_to_write(misuse: str) -> None:
    wrong, sentence, advice = MISUSES[misuse]

    with pytest.raises(HeadwaterError, match=sentence) as refused:
        wrong()

    assert re.search(advice, refused.value.hint or "")
    assert not advice or refused.value.__notes__ == [f"hint: {refused.value.hint}"]


def test_a_run_ends_in_a_state_and_nothing_else() -> None:
    with pytest.raises(TypeError, match="'done' is none"):
        ENDRUN("done")


def state_of(build: Callable[[], Task]) -> State:
    with Flow("f") as flow:
        made = build()
    state: State = flow.run().result[made]
    assert type(state) is Failed
    return state


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (lambda: double.copy(task_run_name="{nobody}")(1), "task_run_name='{nobody}' asks for 'nobody', which is not there"),
        (lambda: double.copy(target="{nobody}")(1), "target='{nobody}' asks for 'nobody', which is not there"),
        (lambda: double.map(Constant(3)), "a value of type int has no elements. Wrap inputs that are the same for all in unmapped"),
    ],
)
def test_what_only_a_run_can_know_ends_its_task_with_the_sentence(build: Callable[[], Task], sentence: str) -> None:
    assert sentence in str(state_of(build).message)


def test_either_order_of_start_and_interval_means_the_same() -> None:
    start, hour = datetime(2026, 1, 1, 0, 30, tzinfo=UTC), timedelta(hours=1)

    named = IntervalSchedule(interval=hour, start_date=start)
    assert IntervalSchedule(start, hour).clocks == IntervalSchedule(hour, start).clocks == named.clocks


def test_a_rule_as_text_is_the_same_schedule_each_time() -> None:
    assert RRuleSchedule("FREQ=DAILY").next(1, after=datetime(2026, 1, 1, 5, tzinfo=UTC)) == [datetime(2026, 1, 2, tzinfo=UTC)]


def test_unmapped_alone_is_not_a_map() -> None:
    with Flow("f") as flow:
        once = double.map(unmapped(3))

    assert flow.run().result[once].result == 6


SCRIPT = """\
from headwater import Flow, task


@task(max_retries=3)
def fetch(): ...
"""


def test_a_script_shows_the_users_line_the_sentence_and_the_advice_and_no_frame_of_headwater(tmp_path: Path) -> None:
    script = tmp_path / "my_flow.py"
    script.write_text(SCRIPT)

    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, check=False)

    lines = [line for line in done.stderr.splitlines() if not set(line) <= {" ", "^", "~"}]
    assert done.returncode == 1
    assert lines == [
        "Traceback (most recent call last):",
        f'  File "{script}", line 4, in <module>',
        "    @task(max_retries=3)",
        "headwater.sdk.language.errors.InvalidTask: Task 'fetch' has max_retries=3 but no retry_delay.",
        "hint: Add retry_delay=timedelta(seconds=10) or another wait; 0 is allowed.",
    ]


def test_other_errors_of_a_script_are_shown_as_python_shows_them(tmp_path: Path) -> None:
    script = tmp_path / "my_flow.py"
    script.write_text("import headwater.graph.flow, json\njson.loads('no')\n")

    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, check=False)

    assert "json.decoder.JSONDecodeError" in done.stderr
    assert "raw_decode" in done.stderr

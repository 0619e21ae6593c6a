"""The settings, copies and methods of tasks, as Prefect 1.4.1 has them, and mistakes that are refused where they are written."""

from __future__ import annotations

import inspect
import logging
import typing
import warnings
from collections.abc import Callable
from typing import Any

import cloudpickle
import pytest

from headwater import Flow, Parameter, Task, case, context, mapped, merge, tags, task, unmapped
from headwater.sdk.language.constants import Constant
from headwater.sdk.language.decorators import defaults_from_attrs
from headwater.sdk.language.edge import Edge
from headwater.sdk.language.errors import InvalidFlow, InvalidTask, WrongArguments
from headwater.sdk.language.filter import FilterTask
from headwater.sdk.language.function import FunctionTask
from headwater.sdk.language.triggers import some_failed, some_successful
from headwater.sdk.states.state import State, Success


@task
def identity(x: Any) -> Any:
    return x


@task
def one() -> int:
    return 1


@task
def fails() -> None:
    raise ZeroDivisionError


# Tags


def test_tags_of_the_context_are_those_of_the_tasks_made_copied_or_bound_there() -> None:
    flow = Flow("f")
    model = Task(name="model", tags=["a"])

    with context(tags=["b", "c"]), tags("d"):
        made, copied, bound = Task(), model.copy(), model.bind(flow=flow)

    assert (made.tags, copied.tags, bound.tags) == ({"b", "c", "d"}, {"a", "b", "c", "d"}, {"a", "b", "c", "d"})
    assert Task().tags == set()


def test_the_tags_of_a_task_can_be_added_to_and_are_its_own() -> None:
    model = Task(tags=["a"])
    copied = model.copy()

    copied.tags.add("b")

    assert (model.tags, copied.tags) == ({"a"}, {"a", "b"})


# Triggers


@pytest.mark.parametrize("trigger", [some_failed, some_successful])
@pytest.mark.parametrize("before", [one, fails])
def test_a_trigger_of_some_that_is_not_called_has_no_bounds(trigger: Any, before: Task, run: Callable[..., State]) -> None:
    with pytest.warns(UserWarning, match="has no bounds, so the task always runs") as warned:
        always = one.copy(trigger=trigger)
    with Flow("f") as flow:
        made = always(upstream_tasks=[before()])

    assert warned[0].filename == __file__
    assert type(run(flow).result[made]) is Success


@pytest.mark.parametrize(("at_least", "kind"), [(1.0, "Success"), (1, "Success"), (0.99, "TriggerFailed"), (2, "TriggerFailed")])
def test_from_one_on_a_bound_is_a_number_of_tasks(at_least: float, kind: str, run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        made = one.copy(trigger=some_successful(at_least=at_least))(upstream_tasks=[one(), fails()])

    assert type(run(flow).result[made]).__name__ == kind


# Copies and calls


@pytest.mark.parametrize("trigger", [some_failed, some_successful])
@pytest.mark.parametrize("given", [{}, {Edge(Task(), Task()): Success()}])
def test_a_trigger_that_asks_for_amounts_without_bounds_always_runs(trigger: Any, given: dict[Edge, State]) -> None:
    assert trigger(given)


@pytest.mark.parametrize(
    ("changed", "words", "attempts"),
    [
        ({"max_retries": 2}, "no retry_delay: it is tried again at once", 3),
        ({"retry_delay": 5}, "no max_retries, so it is never tried again", 1),
        ({"max_retries": 2, "retry_delay": 0}, None, 3),
    ],
)
@pytest.mark.parametrize("made_by", [lambda one, changed: one.copy(**changed)(), lambda one, changed: one(task_args=changed)])
def test_one_setting_of_retries_alone_is_warned_of(made_by: Any, changed: dict[str, Any], words: str | None, attempts: int) -> None:
    runs: list[int] = []

    @task
    def fails() -> None:
        runs.append(1)
        raise ValueError

    with Flow("f") as flow, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        made_by(fails, changed)
    flow.run()

    assert [(words or "") in str(each.message) for each in warned] == ([] if words is None else [True])
    assert len(runs) == attempts


def test_a_slug_that_was_given_becomes_that_of_a_copy() -> None:
    model = Task(name="load", slug="load-rows")
    with Flow("f") as flow:
        called = model()

    assert flow.slugs[called] == "load-rows-copy"
    assert model.copy(slug="other").slug == "other"
    with pytest.raises(InvalidFlow, match="'load-rows-copy' already"):
        model(flow=flow)


def test_copying_a_task_that_has_dependencies_in_the_open_flow_warns_that_these_are_not_copied() -> None:
    with Flow("f"):
        made = one()
        made.set_downstream(identity(1))
        with pytest.warns(UserWarning, match="Task 'one' has dependencies in flow 'f' already; its copy does not have them") as warned:
            made()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made.copy()

    assert warned[0].filename == __file__


def test_task_args_may_change_what_a_class_has_for_all_its_tasks() -> None:
    class Load(Task):
        table = "orders"

        def run(self) -> str:
            return self.table

    with Flow("f") as flow:
        made = Load()(task_args={"table": "customers"})
        with pytest.raises(AttributeError, match="tasks have no setting 'tables'"):
            Load()(task_args={"tables": "x"})
        with pytest.raises(TypeError, match="tasks have no setting 'bind'"):
            made.copy(bind=1)

    assert flow.run().result[made].result == "customers"


def test_a_mapped_task_has_as_many_results_as_elements() -> None:
    pair = task(lambda x: (x, x), nout=2)
    with Flow("f"):
        children = pair.map([1, 2, 3])
        assert len(list(pair(1))) == 2
        with pytest.raises(TypeError, match="cannot be unpacked or iterated over"):
            iter(children)
        assert pair.map([1], task_args={"nout": 1}).nout == 1


@pytest.mark.parametrize(
    ("annotation", "nout"),
    [(typing.Tuple, None), (tuple, None), (tuple[()], 0), (tuple[int, ...], None), (typing.Tuple[int, str], 2)],  # noqa: UP006
)
def test_the_number_of_results_is_that_of_the_annotation(annotation: Any, nout: int | None) -> None:
    def run() -> None: ...

    run.__annotations__["return"] = annotation

    assert task(run).nout == nout


# What a task tells of itself


def test_a_task_tells_what_it_takes_and_what_a_pipe_gives_it() -> None:
    @task
    def add(x: int, y: int = 5, **more: str) -> int:
        return x + y + len(more)

    assert add.inputs() == {
        "x": {"type": "int", "default": None, "required": True},
        "y": {"type": "int", "default": 5, "required": False},
        "more": {"type": "str", "default": None, "required": False},
    }
    called = inspect.signature(add)
    assert str(called.replace(parameters=list(called.parameters.values())[:2])) == "(x: 'int', y: 'int' = 5) -> 'Task'"
    assert [*called.parameters] == ["x", "y", "mapped", "task_args", "upstream_tasks", "flow", "more"]
    with Flow("f") as flow:
        piped = one().pipe(unmapped).pipe(add, y=1).pipe(add)
    assert flow.run().result[piped].result == 7


def test_a_task_serializes_to_the_metadata_that_its_flow_has_of_it() -> None:
    made = Task(name="load", slug="load-1", tags=["a"], max_retries=2, retry_delay=5)
    flow = Flow("f", tasks=[made])

    metadata = made.serialize()

    assert metadata == {name: value for name, value in flow.serialize()["tasks"][0].items() if name not in ("mapped", "reference")}
    assert (metadata["name"], metadata["max_retries"], metadata["retry_delay_seconds"]) == ("load", 2, 5.0)
    parameter = Parameter("x", default=1).serialize()
    assert (parameter["slug"], parameter["required"], parameter["default"]) == ("x", False, 1)


def test_a_constant_is_named_after_its_value_or_its_type() -> None:
    assert [Constant(value).name for value in (4, "ab", [1, 2, 3, 4], None, "\udcff")] == [
        "4",
        "'ab'",
        "Constant[list]",
        "None",
        r"'\udcff'",
    ]
    assert Constant([1, 2, 3, 4], name="numbers").name == "numbers"


class Logging(Task):
    def run(self) -> None:
        self.logger.info("inside %s", self.name)


def test_tasks_and_flows_have_a_logger_of_their_name(run: Callable[..., State], caplog: pytest.LogCaptureFixture) -> None:
    made = Logging(name="load rows")
    flow = Flow("nightly", tasks=[made])
    again = cloudpickle.loads(cloudpickle.dumps(flow))

    with caplog.at_level(logging.INFO, logger="headwater"):
        assert run(again).is_successful()
    flow.logger.warning("outside")

    assert (made.logger.name, flow.logger.name) == ("headwater.load rows", "headwater.nightly")
    assert ("headwater.load rows", "inside load rows") in [(record.name, record.getMessage()) for record in caplog.records]
    assert ("headwater.nightly", "outside") in [(record.name, record.getMessage()) for record in caplog.records]


def test_a_class_may_have_another_logger() -> None:
    class Own(Task):
        def __init__(self) -> None:
            super().__init__()
            self.logger = logging.getLogger("mine")

    assert Own().logger.name == "mine"


class Table(Task):
    def __init__(self, name: str | None = None, limit: int | None = 5) -> None:
        self.table, self.limit = "orders", limit
        super().__init__(name)

    @defaults_from_attrs("table", "limit")
    def run(self, table: str | None = None, limit: int | None = None) -> tuple[Any, Any]:
        return table, limit


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({}, ("orders", 5)),
        ({"limit": 1}, ("orders", 1)),
        ({"limit": None}, ("orders", None)),
        ({"table": None, "limit": None}, (None, None)),
    ],
)
def test_defaults_from_attributes_serve_for_what_is_not_given(inputs: dict[str, Any], expected: Any, run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        made = Table()(**inputs)

    assert Table().run(**inputs) == expected
    assert run(flow).result[made].result == expected
    assert Table().run(None, 2) == (None, 2)


def test_the_words_of_a_filter_tell_what_it_kept(run: Callable[..., State], caplog: pytest.LogCaptureFixture) -> None:
    keeps = FilterTask(filter_func=lambda x: x != 5, log_func=lambda kept: f"Valid: {','.join(map(str, kept))}")
    with Flow("f") as flow:
        keeps([4, 5, 6])

    with caplog.at_level(logging.INFO, logger="headwater"):
        run(flow)

    assert "Valid: 4,6" in caplog.text


# Mistakes that are refused where they are written


class Own(Task):
    def run(self, x: Any) -> Any:
        return x


def define(run: Callable[..., Any]) -> type:
    return type("Defined", (Task,), {"run": run})


FIVE: Any = 5
ANYTHING: Any = print
REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "a class whose run takes *args": (lambda: define(lambda self, *xs: xs), InvalidTask, r"Task 'Defined': run takes \*xs"),
    "a class whose run takes flow": (lambda: define(lambda self, flow: flow), InvalidTask, "run has an argument 'flow'"),
    "a class whose run takes mapped": (lambda: define(lambda self, *, mapped: mapped), InvalidTask, "run has an argument 'mapped'"),
    "an argument by position only": (lambda: task(lambda x, /: x), TypeError, "by position only"),
    "a class with one": (lambda: define(lambda self, x, /: x), TypeError, "by position only"),
    "tags that are one text": (lambda: Task(tags="a"), TypeError, "is one text"),
    "one state handler": (lambda: Task(state_handlers=ANYTHING), TypeError, "state_handlers is a list of functions"),
    "what is not a function": (lambda: FunctionTask(fn=FIVE), TypeError, "takes a function, and 5 is none"),
    "a value that is not a task in a flow": (lambda: Flow("f").add_task(FIVE), TypeError, "Only tasks can be added"),
    "a task as the value of a case": (lambda: case(one, identity), TypeError, "is a task"),
    "a task before itself": (lambda: Edge(one, one), InvalidFlow, "cannot be upstream of itself"),
    "a mapped task before itself": (lambda: Edge(mapped(one), one), InvalidFlow, "cannot be upstream of itself"),
    "a value before itself": (lambda: Edge(FIVE, FIVE), InvalidFlow, "'5' cannot be upstream of itself"),
    "a flow without a name": (lambda: Flow(""), ValueError, "The name of a flow cannot be empty"),
    "a flow whose name is not a text": (lambda: Flow(FIVE), ValueError, "The name of a flow is text, and 5 is none"),
    "a key that is a word of Python": (lambda: Edge(one, identity, key="class"), InvalidTask, "cannot name an argument"),
    "a parameter after a task": (lambda: Flow("f").add_edge(one, Parameter("x")), InvalidFlow, "nothing can come before it: 'one' cannot"),
    "a parameter fed by a task": (
        lambda: Parameter("x").set_upstream(one, flow=Flow("f")),
        InvalidFlow,
        "Parameter 'x' is given to the whole flow",
    ),
    "an argument that there is not": (lambda: Flow("f").add_edge(one, Own(), key="y", validate=True), WrongArguments, "is fed 'y'"),
    "a merge that is skipped with one branch": (lambda: merge(1, 2, skip_on_upstream_skip=True), InvalidTask, "would skip it always"),
}


@pytest.mark.parametrize("mistake", REFUSED)
def test_a_mistake_is_refused_where_it_is_written(mistake: str) -> None:
    wrong, kind, sentence = REFUSED[mistake]

    with pytest.raises(kind, match=sentence) as refused:
        wrong()

    assert isinstance(refused.value, ValueError | TypeError)


class Taking(Task):
    def __init__(self, x: Any = None, *rest: Any, **settings: Any) -> None:
        super().__init__(**settings)
        self.kept = (x, rest)


class Renamed(Taking):
    def __init__(self, given: Any, *, other: Any = None) -> None:
        super().__init__(5)
        self.other = given or other


@pytest.mark.parametrize(
    "make",
    [
        lambda: Taking(one),
        lambda: Taking(1, one),
        lambda: Taking(x=one),
        lambda: Renamed(one),
        lambda: Renamed(1, other=one),
    ],
)
def test_a_task_that_a_constructor_is_given_is_warned_of(make: Callable[[], Task]) -> None:
    with pytest.warns(UserWarning, match=r"A task was given to \w+\(...\), which makes a task and takes its settings") as warned:
        make()

    assert warned[0].filename == __file__


def test_an_attribute_that_a_setting_overwrites_is_warned_of() -> None:
    class Sink(Task):
        target = "s3://bucket"

    with pytest.warns(UserWarning, match="Sink has an attribute 'target' of its own, which is overwritten"):
        Sink()


def test_ordinary_classes_of_tasks_are_made_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Taking(5, max_retries=1, retry_delay=1)
        Own(name="x", target="y")
        Table()

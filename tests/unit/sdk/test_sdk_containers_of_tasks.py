"""Containers of tasks as inputs: the tasks are run, and the container is one of the same kind, of their results."""

from __future__ import annotations

import dataclasses
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

import cloudpickle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater import Flow, Task, task, unmapped
from headwater.sdk.engine.flow_runner import FlowRunner
from headwater.sdk.language.containers import elements_of, maker_for
from headwater.sdk.language.errors import InvalidTask
from headwater.sdk.language.inputs import as_task, holds_tasks
from headwater.sdk.states.state import State


@task
def identity(x: Any) -> Any:
    return x


@task
def one() -> int:
    return 1


class Point(NamedTuple):
    x: Any
    y: Any = 0


Pair = namedtuple("Pair", "left right")  # noqa: PYI024 - as people write it


@dataclass
class Job:
    name: str
    source: Any
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Frozen:
    value: Any


@dataclass
class VerificationReport:
    low: Any
    width: Any
    high: Any = field(init=False)

    def __post_init__(self) -> None:
        if not isinstance(self.low, Task):
            self.high = self.low + self.width


@dataclass
class Handed:
    given: dataclasses.InitVar[Any] = 5
    kept: Any = field(init=False)

    def __post_init__(self, given: Any) -> None:
        self.kept = given


class Rows(list[Any]):
    title = "untitled"


class Version(tuple[Any, ...]):  # noqa: SLOT001 - with attributes, as people write it
    def __new__(cls, text: str) -> Self:
        return super().__new__(cls, text.split("."))


class Settings(dict[str, Any]):
    def __init__(self, owner: str) -> None:
        super().__init__()
        self.owner = owner


def titled_rows(*elements: Any) -> Rows:
    rows = Rows(elements)
    rows.title = "orders"
    return rows


def settings_of(owner: str, **values: Any) -> Settings:
    made = Settings(owner)
    made.update(values)
    return made


def default_dict(**values: Any) -> defaultdict[str, Any]:
    return defaultdict(list, values)


# What is given, and what the task gets: `f` makes it with a task, and with the task's result.
KINDS: dict[str, Callable[[Any], Any]] = {
    "list": lambda x: [x, 2],
    "tuple": lambda x: (x, 2),
    "set": lambda x: {x, 2},
    "frozenset": lambda x: frozenset([x, 2]),
    "dict": lambda x: {"a": x, "b": [x]},
    "key of a dict": lambda x: {x: "a"},
    "named tuple": Point,
    "named tuple of the old kind": lambda x: Pair(left=2, right=x),
    "dataclass": lambda x: Job("load", source=x),
    "dataclass in which a list is": lambda x: Job("load", 1, {"tables": [x]}),
    "frozen dataclass with slots": Frozen,
    "dataclass that reckons a field": lambda x: VerificationReport(x, width=10),
    "slice": lambda x: slice(x, 10, None),
    "OrderedDict": lambda x: OrderedDict(b=x, a=2),
    "Counter": lambda x: Counter({"a": x}),
    "deque": lambda x: deque([1, x], maxlen=2),
    "tuple subclass with another constructor": lambda x: tuple.__new__(Version, (x, "2")),
    "nested": lambda x: {"rows": [Point((x, {"k": Job("n", [x])}))]},
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_task_gets_a_container_of_the_kind_that_it_was_given(kind: str, run: Callable[..., State]) -> None:
    make = KINDS[kind]
    with Flow("f") as flow:
        made = identity(make(one()))

    result = run(flow).result[made].result

    assert (type(result), result) == (type(make(1)), make(1))


def test_what_a_container_keeps_besides_its_elements_stays(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        makes = (titled_rows, lambda x: settings_of("me", a=x), lambda x: default_dict(a=x), lambda x: deque([x], maxlen=3))
        rows, mine, defaults, last = [identity(make(one())) for make in makes]

    states = run(flow).result

    assert (states[rows].result, states[rows].result.title) == ([1], "orders")
    assert (states[mine].result, states[mine].result.owner) == ({"a": 1}, "me")
    assert states[defaults].result.default_factory is list
    assert states[last].result.maxlen == 3


def test_a_view_of_a_dict_of_tasks_is_a_list(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        made = identity({"a": one(), "b": identity(2)}.values())

    assert run(flow).result[made].result == [1, 2]


def test_a_field_that_its_class_makes_of_another_is_made_of_results(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        made = identity([Handed(given=one())])
        flow_of_one = identity(VerificationReport(one(), 4))

    states = run(flow).result

    assert states[flow_of_one].result.high == 5
    assert states[made].result[0].kept == 5, "what only the class was given is not kept, so that its default serves"


def test_attrs_classes_are_made_again(run: Callable[..., State]) -> None:
    attrs = pytest.importorskip("attrs")
    cls = attrs.make_class("Order", {"_number": attrs.field(), "total": attrs.field(init=False, default=0)}, frozen=True)
    with Flow("f") as flow:
        made = identity(cls(number=one()))

    assert run(flow).result[made].result == cls(number=1)


def test_a_slice_of_tasks_is_one_of_their_results(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        made = identity([1, 2, 3])[one() :]

    assert run(flow).result[made].result == [2, 3]


def test_a_container_of_tasks_can_be_mapped_over_and_be_unmapped(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        each = identity.map(Point(one(), 2))
        whole = task(lambda x, y: (x, y)).map([7, 8], unmapped(Point(one(), 2)))

    states = run(flow).result

    assert states[each].result == [1, 2]
    assert states[whole].result == [(7, Point(1, 2)), (8, Point(1, 2))]


def test_the_tasks_of_a_container_are_named_after_its_kind_and_hash_alike() -> None:
    def build() -> Flow:
        with Flow("f") as flow:
            identity([Point(one(), 2), Job("n", one())])
        return flow

    assert {"Point-1", "Job-1", "List-1"} <= set(build().slugs.values())
    assert build().serialized_hash() == build().serialized_hash()


def test_a_flow_with_containers_is_the_same_after_it_was_pickled() -> None:
    with Flow("f") as flow:
        identity({"rows": [Point(one(), 2), default_dict(a=one()), Job("n", one())]})

    state = FlowRunner(cloudpickle.loads(cloudpickle.dumps(flow))).run()

    (made,) = [each.result for task, each in state.result.items() if task.name == "identity"]
    assert made == {"rows": [Point(1, 2), {"a": 1}, Job("n", 1)]}


def test_values_that_hold_no_task_are_constants_as_they_are() -> None:
    given = Job("n", [Point(1), default_dict(a=[1])])
    with Flow("f") as flow:
        made = identity(given)

    assert flow.constants[made] == {"x": given}
    assert flow.constants[made]["x"] is given
    assert flow.tasks == {made}


def test_objects_that_hold_each_other_in_a_circle_are_constants() -> None:
    parent, child = Job("parent", []), Job("child", [])
    parent.source, child.source = child, parent

    assert not holds_tasks(parent)


def test_a_container_that_holds_a_task_and_itself_is_refused() -> None:
    circle: list[Any] = [one]
    circle.append([circle])

    with Flow("f"), pytest.raises(InvalidTask, match="holds itself"):
        as_task(circle)


VALUES = st.recursive(
    st.integers() | st.text(max_size=3) | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.lists(inner, max_size=3).map(deque)
        | st.dictionaries(st.text(max_size=2), inner, max_size=3)
        | st.dictionaries(st.text(max_size=2), inner, max_size=3).map(OrderedDict)
        | st.builds(Point, inner, inner)
        | st.builds(Job, st.text(max_size=2), inner)
        | st.builds(Frozen, inner)
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(value=VALUES)
def test_a_container_made_of_its_own_elements_is_equal(value: Any) -> None:
    elements = elements_of(value)
    if elements is not None:
        made = maker_for(value)(list(elements))

        assert (type(made), made) == (type(value), value)

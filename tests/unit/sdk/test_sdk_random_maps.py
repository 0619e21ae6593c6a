"""Random flows of plain and mapped tasks that succeed, fail and skip: each task run ends as evaluating the flow plainly says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater import Flow, flatten, task, unmapped
from headwater.sdk.context.context import context
from headwater.sdk.context.logging import get_logger
from headwater.sdk.executors import ThreadExecutor
from headwater.sdk.language.triggers import all_finished, all_successful, any_failed, any_successful
from headwater.sdk.states.signals import SKIP
from headwater.sdk.states.state import Mapped, State

TRIGGERS: dict[str, Any] = {
    "all_successful": all_successful,
    "any_successful": any_successful,
    "any_failed": any_failed,
    "all_finished": all_finished,
}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logger = get_logger()
    level = logger.level
    logger.setLevel("CRITICAL")
    yield
    logger.setLevel(level)


@dataclass(frozen=True)
class Node:
    """A task of a random flow. `shape`: a source of `length` elements, a map over `before`, a map that flattens it, or plain."""

    shape: str
    before: int
    beside: int | None
    length: int
    fails_at: int | None
    skips_at: int | None
    trigger: str
    skips_with_upstream: bool


@dataclass(frozen=True)
class End:
    """How a task run ended; of a mapped task, `children` tell how each of its own did."""

    kind: str
    value: Any = None
    children: tuple[End, ...] | None = None

    @property
    def as_input(self) -> Any:
        if self.children is None:
            return self.value if self.kind == "Success" else None
        return [child.as_input for child in self.children]


nodes = st.lists(
    st.builds(
        Node,
        shape=st.sampled_from(["source", "map", "map", "flat map", "plain"]),
        before=st.integers(0, 9),
        beside=st.none() | st.integers(0, 9),
        length=st.integers(0, 3),
        fails_at=st.none() | st.integers(-1, 2),
        skips_at=st.none() | st.integers(-1, 2),
        trigger=st.sampled_from(sorted(TRIGGERS)),
        skips_with_upstream=st.booleans(),
    ),
    min_size=1,
    max_size=7,
)


def work(node: Node, index: int, x: Any, beside: Any) -> Any:
    """What each task does: decided by its own number among its brothers, -1 where it is not mapped."""
    if node.fails_at == index:
        raise ValueError(index)
    if node.skips_at == index:
        raise SKIP(str(index))
    if node.shape == "source":
        return [[f"{number}"] for number in range(node.length)]
    return [[plain(x), plain(beside)]]


def plain(value: Any) -> Any:
    """Return the value with None for what failed: a task that runs all the same is given the exception."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    return None if isinstance(value, BaseException) else value


def expected_run(node: Node, index: int, before: Sequence[End], x: Any, beside: Any) -> End:
    """One task run, by the words of the rules: first skipping, then the trigger, then its code."""
    seen = [each for end in before for each in ([end] if end.children is None else end.children)]
    if node.skips_with_upstream and any(each.kind == "Skipped" for each in seen):
        return End("Skipped")
    badly = [each.kind in {"Failed", "TriggerFailed"} for each in seen]
    allowed = {
        "all_successful": not any(badly),
        # Each task is given its node, a constant: a success that triggers count too.
        "any_successful": True,
        "any_failed": any(badly),
        "all_finished": True,
    }[node.trigger]
    if not allowed:
        return End("TriggerFailed")
    try:
        return End("Success", work(node, index, x, beside))
    except ValueError:
        return End("Failed")
    except SKIP:
        return End("Skipped")


def elements(end: End, *, flat: bool) -> list[End] | None:
    """What there is to map over; None where that is nothing with elements."""
    if end.children is None:
        if end.as_input is None:
            return None
        values = [inner for each in end.as_input for inner in each] if flat else end.as_input
        return [End("Success", each) for each in values]
    if not flat:
        return list(end.children)
    found: list[End] = []
    for child in end.children:
        found += [End("Success", value) for value in child.value] if child.kind == "Success" else [child]
    return found


def expected(plan: Sequence[Node]) -> list[End]:
    ends: list[End] = []
    for number, node in enumerate(plan):
        if not number or node.shape == "source":
            ends.append(expected_run(Node(**{**vars(node), "shape": "source"}), -1, (), None, None))
            continue
        before = ends[node.before % number]
        beside = None if node.beside is None else ends[node.beside % number]
        around = [before] if beside is None else [before, beside]
        other = None if beside is None else beside.as_input
        if node.shape == "plain":
            ends.append(expected_run(node, -1, around, before.as_input, other))
            continue
        # The parent is skipped as a task would be, but sees a mapped task that it maps over as one success. Triggers are the children's.
        parent = [End("Success") if before.children is not None else before, *around[1:]]
        asks_no_trigger = Node(**{**vars(node), "trigger": "all_finished", "fails_at": None, "skips_at": None})
        refused = expected_run(asks_no_trigger, -1, parent, None, None)
        mapped_over = elements(before, flat=node.shape == "flat map")
        if refused.kind != "Success":
            ends.append(refused)
        elif mapped_over is None:
            ends.append(End("Failed"))
        else:
            children = [expected_run(node, index, [each, *around[1:]], each.as_input, other) for index, each in enumerate(mapped_over)]
            ends.append(End("Mapped", children=tuple(children)))
    return ends


@task
def do(node: Node, x: Any = None, beside: Any = None) -> Any:
    return work(node, -1 if context.map_index is None else context.map_index, x, beside)


def built(plan: Sequence[Node]) -> tuple[Flow, list[Any]]:
    made: list[Any] = []
    with Flow("random") as flow:
        for number, node in enumerate(plan):
            own = do.copy(trigger=TRIGGERS[node.trigger], skip_on_upstream_skip=node.skips_with_upstream, name=f"t{number}")
            if not number or node.shape == "source":
                made.append(own(Node(**{**vars(node), "shape": "source"})))
                continue
            x = made[node.before % number]
            more: dict[str, Any] = {} if node.beside is None else {"beside": made[node.beside % number]}
            if node.shape == "plain":
                made.append(own(node, x, **more))
            else:
                over = flatten(x) if node.shape == "flat map" else x
                whole: dict[str, Any] = {name: unmapped(value) for name, value in more.items()}
                made.append(own.map(unmapped(node), over, **whole))
    return flow, made


def seen(state: State) -> Any:
    if isinstance(state, Mapped):
        return [seen(child) for child in state.map_states]
    return (type(state).__name__, state.result if type(state).__name__ == "Success" else None)


def wanted(end: End) -> Any:
    if end.children is not None:
        return [wanted(child) for child in end.children]
    return (end.kind, end.value if end.kind == "Success" else None)


@settings(max_examples=150, deadline=None)
@given(plan=nodes, in_threads=st.booleans())
def test_each_task_run_ends_as_plain_evaluation_says(plan: list[Node], in_threads: bool) -> None:
    flow, made = built(plan)

    state = flow.run(executor=ThreadExecutor(3) if in_threads else None)

    assert [seen(state.result[each]) for each in made] == [wanted(end) for end in expected(plan)]

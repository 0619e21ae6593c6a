"""Tasks in an order in which they can run."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from headwater.sdk.language.errors import InvalidFlow

if TYPE_CHECKING:
    from headwater.sdk.language.edge import Edge
    from headwater.sdk.language.task import Task

Edges = Mapping["Task", Iterable["Edge"]]


def in_order(tasks: Iterable[Task], edges_to: Edges, edges_from: Edges, slugs: Mapping[Task, str]) -> tuple[Task, ...]:
    """Return the tasks so that each comes after all that are before it; otherwise as they are given.

    Raises:
        InvalidFlow: they run in a circle, which is named.

    """
    given = list(tasks)
    position = {task: number for number, task in enumerate(given)}
    missing = [sum(1 for _ in edges_to[task]) for task in given]
    ready = [number for number, count in enumerate(missing) if count == 0]
    order: list[Task] = []
    while ready:
        task = given[heapq.heappop(ready)]
        order.append(task)
        for edge in edges_from[task]:
            after = position[edge.downstream_task]
            missing[after] -= 1
            if missing[after] == 0:
                heapq.heappush(ready, after)
    if len(order) < len(given):
        circle = " → ".join(slugs[task] for task in _circle(set(given) - set(order), edges_to, slugs))
        raise InvalidFlow(f"The tasks run in a circle: {circle}.", hint="Remove one of these dependencies; a task cannot wait for itself.")
    return tuple(order)


def _circle(unsorted: set[Task], edges_to: Edges, slugs: Mapping[Task, str]) -> list[Task]:
    # Every task that could not be sorted has one before it that could not either: going back must meet itself.
    task = min(unsorted, key=lambda each: slugs[each])
    path: dict[Task, None] = {}
    while task not in path:
        path[task] = None
        task = next(edge.upstream_task for edge in edges_to[task] if edge.upstream_task in unsorted)
    steps = list(path)
    circle = steps[steps.index(task) :]
    return [task, *reversed(circle)]

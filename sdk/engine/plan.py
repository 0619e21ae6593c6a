"""A flow as the engine sees it: its tasks in order, numbered, with what each needs and what waits for it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from headwater.graph.edge import Edge
from headwater.graph.task import Task
from headwater.utilities.logging import get_logger

if TYPE_CHECKING:
    from headwater.graph.flow import Flow


class Step:
    """One task of a plan. `before` and `after` are positions of other steps; `sources` are those of the edges' tasks."""

    __slots__ = ("after", "before", "constants", "context", "edges", "inputs", "is_mapped", "logger", "position", "slug", "sources", "task")

    def __init__(self, position: int, task: Task, slug: str, logger: logging.Logger) -> None:
        self.position = position
        self.task = task
        self.slug = slug
        self.logger = logger
        self.edges: tuple[Edge, ...] = ()
        self.sources: tuple[int, ...] = ()
        self.before: frozenset[int] = frozenset()
        self.after: tuple[int, ...] = ()
        self.constants: dict[str, Any] = {}
        self.inputs: tuple[tuple[str, int, bool], ...] = ()
        """For each argument that is fed by a task: its name, the number of the edge, whether it is flattened."""
        self.is_mapped = False
        self.context: dict[str, Any] = {
            "task_name": task.name,
            "task_full_name": task.name,
            "task_slug": slug,
            "task_tags": task.tags,
            "map_index": -1,
            "logger": logger,
        }


def plan_of(flow: Flow) -> list[Step]:
    """Return the steps of the flow, each after all that are before it.

    Raises:
        InvalidFlow: the graph has a cycle.

    """
    loggers: dict[str, logging.Logger] = {}
    steps: list[Step] = []
    position_of: dict[Task, int] = {}
    after: list[list[int]] = []
    for position, task in enumerate(flow.sorted_tasks()):
        logger = loggers.get(task.name)
        if logger is None:
            logger = loggers[task.name] = get_logger(task.name)
        step = Step(position, task, flow.slugs[task], logger)
        position_of[task] = position
        after.append([])
        edges = flow._edges_to[task]  # noqa: SLF001 - without a copy for each of many tasks
        if edges:
            step.edges = tuple(edges)
            step.sources = tuple(position_of[edge.upstream_task] for edge in step.edges)
            step.before = frozenset(step.sources)
            step.inputs = tuple(
                (edge.key, number, edge.flattened and not edge.mapped) for number, edge in enumerate(step.edges) if edge.key is not None
            )
            step.is_mapped = any(edge.mapped for edge in step.edges)
            for source in step.before:
                after[source].append(position)
        constants = flow.constants.get(task)
        if constants:
            step.constants = constants
        steps.append(step)
    for step, followers in zip(steps, after, strict=True):
        step.after = tuple(followers)
    return steps

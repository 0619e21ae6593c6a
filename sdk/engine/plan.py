"""A flow as the engine sees it: its tasks in order, numbered, with what each needs and what waits for it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from headwater.sdk.context.logging import get_logger
from headwater.sdk.language.edge import Edge
from headwater.sdk.language.task import Task

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow


class Step:
    """One task of a plan. `sources` are the positions of the edges' tasks, `after` those of the tasks that wait for it."""

    # Few objects for each step: a large flow has many, and the garbage collector walks over them all again and again.
    __slots__ = (
        "after",
        "before_count",
        "constants",
        "early",
        "edges",
        "inputs",
        "is_mapped",
        "logger",
        "position",
        "root",
        "slug",
        "sources",
        "task",
    )

    def __init__(self, position: int, task: Task, slug: str, logger: logging.Logger) -> None:
        self.position = position
        self.task = task
        self.slug = slug
        self.logger = logger
        self.edges: tuple[Edge, ...] = ()
        self.sources: tuple[int, ...] = ()
        self.before_count = 0
        """How many different tasks are before it."""
        self.after: list[int] = []
        self.constants: dict[str, Any] = NO_CONSTANTS
        self.inputs: tuple[tuple[str, int, bool], ...] = ()
        """For each argument that is fed by a task: its name, the number of the edge, whether it is flattened."""
        self.is_mapped = False
        self.early: frozenset[int] = NOWHERE
        """Of `after`, those that map over this mapped task: each of their children needs only one of its children."""
        self.root = position
        """Where the row of mapped tasks begins of which each maps over the one before; the task's own position, if it is in none."""


NO_CONSTANTS: dict[str, Any] = {}
NOWHERE: frozenset[int] = frozenset()


def plan_of(flow: Flow) -> list[Step]:
    """Return the steps of the flow, each after all that are before it.

    Raises:
        InvalidFlow: the graph has a cycle.

    """
    loggers: dict[str, logging.Logger] = {}
    steps: list[Step] = []
    position_of: dict[Task, int] = {}
    for position, task in enumerate(flow.sorted_tasks()):
        logger = loggers.get(task.name)
        if logger is None:
            logger = loggers[task.name] = get_logger(task.name)
        step = Step(position, task, flow.slugs[task], logger)
        position_of[task] = position
        edges = flow._edges_to[task]  # noqa: SLF001 - without a copy for each of many tasks
        if edges:
            sources, inputs = [], []
            for number, edge in enumerate(edges):
                sources.append(position_of[edge.upstream_task])
                if edge.key is not None:
                    inputs.append((edge.key, number, edge.flattened and not edge.mapped))
                if edge.mapped:
                    step.is_mapped = True
            step.edges, step.sources, step.inputs = tuple(edges), tuple(sources), tuple(inputs)
            before = set(sources)
            step.before_count = len(before)
            for source in before:
                steps[source].after.append(position)
            if step.is_mapped:
                _join_row(step, steps)
        constants = flow.constants.get(task)
        if constants:
            step.constants = constants
        steps.append(step)
    return steps


def _join_row(step: Step, steps: list[Step]) -> None:
    """Note which mapped tasks the children of this one can follow one by one."""
    for source in set(step.sources):
        edges = [edge for edge, position in zip(step.edges, step.sources, strict=True) if position == source]
        if steps[source].is_mapped and all(edge.mapped and not edge.flattened for edge in edges):
            steps[source].early |= {step.position}
            step.root = min(step.root, steps[source].root)

"""What keeps a flow from running, each as a sentence."""

from __future__ import annotations

import inspect
from collections import Counter
from typing import TYPE_CHECKING

from headwater.sdk.language.errors import InvalidFlow

if TYPE_CHECKING:
    from headwater.sdk.language.flow_graph import FlowGraph


def problems_of(flow: FlowGraph) -> tuple[str, ...]:
    """Return a sentence for each reason why the flow cannot run; none if it can."""
    unknown = _unknown_tasks(flow)
    if unknown:
        # The other checks walk along the edges, which they cannot before these are mended.
        return tuple(unknown)
    return (*_cycles(flow), *_inputs(flow), *_slugs(flow), *_schedule(flow))


def _unknown_tasks(flow: FlowGraph) -> list[str]:
    problems = []
    for edge in flow.edges:
        unknown = [task for task in (edge.upstream_task, edge.downstream_task) if task not in flow]
        problems += [f"{edge!r} touches task {task.name!r}, which is not in the flow; add it with add_task." for task in unknown]
    strangers = [task for task in flow.reference_tasks() if task not in flow]
    return problems + [f"The reference task {task.name!r} is not in the flow." for task in strangers]


def _cycles(flow: FlowGraph) -> list[str]:
    try:
        flow.sorted_tasks()
    except InvalidFlow as error:
        return [str(error)]
    return []


def _inputs(flow: FlowGraph) -> list[str]:
    problems = []
    fed = {task: set(flow.constants.get(task, ())) for task in flow.tasks}
    for edge in flow.edges:
        if edge.key is not None:
            fed[edge.downstream_task].add(edge.key)
    for task, given in fed.items():
        signature = task.run_signature
        if not given and not signature.parameters:
            continue
        takes_any = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in signature.parameters.values())
        unknown = sorted(given - set(signature.parameters))
        if unknown and not takes_any:
            names = ", ".join(repr(name) for name in unknown)
            problems.append(f"Task {flow.slugs[task]!r} is fed {names}, which its run{signature} does not take.")
        missing = [
            name
            for name, each in signature.parameters.items()
            if name not in given
            and each.default is each.empty
            and each.kind not in (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
        ]
        if missing:
            names = ", ".join(repr(name) for name in missing)
            problems.append(f"Task {flow.slugs[task]!r} lacks {names}, which its run{signature} requires; feed it or give it a default.")
    return problems


def _slugs(flow: FlowGraph) -> list[str]:
    counts = Counter(flow.slugs[task] for task in flow.tasks)
    return [f"{count} tasks have the slug {slug!r}; give each its own." for slug, count in counts.items() if count > 1]


def _schedule(flow: FlowGraph) -> list[str]:
    if flow.schedule is None:
        return []
    parameters = {parameter.name: parameter.required for parameter in flow.parameters()}
    required = {name for name, is_required in parameters.items() if is_required}
    uncovered: set[str] = set()
    unknown: set[str] = set()
    for clock in getattr(flow.schedule, "clocks", None) or [None]:
        given = set(getattr(clock, "parameter_defaults", None) or {})
        uncovered |= required - given
        unknown |= given - parameters.keys()
    problems = []
    if uncovered:
        problems.append(f"The flow has a schedule, but its required parameters {_listed(uncovered)} have no values; give them defaults.")
    if unknown:
        problems.append(f"A clock of the schedule gives {_listed(unknown)}, and the flow has no such parameter.")
    return problems


def _listed(names: set[str]) -> str:
    return ", ".join(repr(name) for name in sorted(names))

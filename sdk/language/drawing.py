"""A flow as a drawing, by graphviz."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headwater.core.errors import InvalidArgument
from headwater.sdk.states.state import Mapped, State

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow
    from headwater.sdk.language.task import Task


def draw(flow: Flow, *, flow_state: State | None, filename: str | None, format: str | None, horizontal: bool) -> Any:  # noqa: A002
    """Draw the flow, as `Flow.visualize` says, and return the `graphviz.Digraph`."""
    graph = graph_of(flow, flow_state, horizontal=horizontal)
    if filename is not None:
        path = Path(filename)
        kind = format or path.suffix.removeprefix(".") or "pdf"
        _render(graph, str(path.with_suffix("") if path.suffix else path), kind, view=False)
    elif not _in_notebook():
        with tempfile.NamedTemporaryFile(delete=False, suffix=f"-{flow.name}") as file:
            _render(graph, file.name, format or "pdf", view=True)
    return graph


def graph_of(flow: Flow, flow_state: State | None = None, *, horizontal: bool = False) -> Any:
    """Return the drawing as a `graphviz.Digraph`: a node for each task, and for each child where a run's state is given.

    Raises:
        InvalidArgument: the package graphviz is not installed.

    """
    try:
        import graphviz
    except ModuleNotFoundError as error:
        raise InvalidArgument("flow.visualize() needs graphviz.", hint="pip install 'headwater[viz]', and the program graphviz.") from error

    graph = graphviz.Digraph(name=flow.name, graph_attr={"rankdir": "LR"} if horizontal else None)
    states: dict[Task, State] = flow_state.result if flow_state is not None and isinstance(flow_state.result, dict) else {}
    for task in flow.sorted_tasks():
        shape = "box" if any(edge.mapped for edge in flow.edges_to(task)) else "ellipse"
        for node, label, state in _nodes(flow, task, states.get(task)):
            style = {} if state is None else {"colorscheme": "", "style": "filled", "fillcolor": f"{state.color}80"}
            graph.node(node, label, shape=shape, **style)
    for edge in flow.edges:
        before = [node for node, *_ in _nodes(flow, edge.upstream_task, states.get(edge.upstream_task))]
        after = [node for node, *_ in _nodes(flow, edge.downstream_task, states.get(edge.downstream_task))]
        pairs = zip(before, after, strict=False) if len(before) == len(after) else [(a, b) for a in before for b in after]
        for one, other in pairs:
            graph.edge(one, other, label=edge.key or "", style="dashed" if edge.mapped else "")
    return graph


def _nodes(flow: Flow, task: Task, state: State | None) -> list[tuple[str, str, State | None]]:
    """Return the nodes of a task: name, label, and the state that colours it."""
    slug = flow.slugs[task]
    if isinstance(state, Mapped) and state.map_states:
        return [(f"{slug}[{index}]", f"{task.name}[{index}]", child) for index, child in enumerate(state.map_states)]
    mapped = any(edge.mapped for edge in flow.edges_to(task))
    return [(slug, f"{task.name} <mapped>" if mapped else task.name, state)]


def _render(graph: Any, path: str, kind: str, *, view: bool) -> None:
    import graphviz

    try:
        graph.render(path, format=kind, view=view, cleanup=True)
    except graphviz.ExecutableNotFound as error:
        raise InvalidArgument(
            "The program graphviz is not installed, or not on the path.",
            hint="Install it (apt install graphviz, brew install graphviz); the drawing's text is flow.visualize(...).source.",
        ) from error


def _in_notebook() -> bool:
    try:
        from IPython import get_ipython  # type: ignore[import-not-found]
    except ImportError:
        return False
    shell = get_ipython()
    return shell is not None and hasattr(shell, "kernel")

"""Layouts of flow versions, kept once made: a version never changes."""

from __future__ import annotations

from headwater.core.program.concurrency import gather
from headwater.web.pages.page import PageViews
from headwater.web.schematic import Node, Schematic, schematic

DRAWINGS_KEPT_MAX = 100
_drawings: dict[str, Schematic] = {}


async def drawn_flow(views: PageViews, flow_id: str) -> Schematic:
    """Return the layout of a flow version."""
    made = _drawings.get(flow_id)
    if made is None:
        tasks, edges = await gather(views.flow_tasks(flow_id), views.flow_edges(flow_id))
        made = schematic([Node(task.slug, task.name, task.mapped) for task in tasks], [(edge.upstream, edge.downstream) for edge in edges])
        _drawings[flow_id] = made
        if len(_drawings) > DRAWINGS_KEPT_MAX:
            del _drawings[next(iter(_drawings))]
    return made

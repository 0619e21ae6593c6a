"""The schematic of a flow: its graph laid out in columns, every edge going to the right, as numbers for an SVG.

Layout is a pure function of tasks and edges, which never change for a flow version. Large graphs are drawn with the tasks of one name
in one column as one box.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

BOX_WIDTH = 172
BOX_HEIGHT = 40
_COLUMN_GAP = 64
_ROW_GAP = 14
_MARGIN = 8
_STOP_HEIGHT = 12
_SWEEPS = 6

BOXES_MAX = 120
"""Beyond so many boxes, tasks of one name are drawn as one; beyond it still, whole columns are."""


class Node(NamedTuple):
    """A task to draw."""

    slug: str
    name: str
    mapped: bool = False


@dataclass(frozen=True)
class Box:
    """A drawn box: one task, or several that are drawn as one."""

    key: str
    label: str
    slugs: tuple[str, ...]
    mapped: bool
    x: int
    y: int


@dataclass(frozen=True)
class SchematicLine:
    """An edge as an SVG path from the right side of one box to the left side of another."""

    source: str
    target: str
    path: str


@dataclass(frozen=True)
class Schematic:
    """The whole drawing, in pixels."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[SchematicLine, ...]
    collapsed: bool


def schematic(nodes: Sequence[Node], edges: Iterable[tuple[str, str]]) -> Schematic:
    """Lay the graph out. Edges to unknown tasks are left out; a cycle, which no registered flow has, loses its closing edge."""
    known = {node.slug for node in nodes}
    pairs = sorted({(a, b) for a, b in edges if a in known and b in known and a != b})
    groups = {node.slug: node.slug for node in nodes}
    if len(nodes) > BOXES_MAX:
        groups = _by_name(nodes, pairs)
    if len(set(groups.values())) > BOXES_MAX:
        columns = _columns([node.slug for node in nodes], pairs)
        groups = {node.slug: f"column {columns[node.slug]}" for node in nodes}
    return _draw(nodes, pairs, groups)


def _by_name(nodes: Sequence[Node], pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Put tasks together that have one name and stand in one column."""
    columns = _columns([node.slug for node in nodes], pairs)
    first: dict[tuple[str, int], str] = {}
    return {node.slug: first.setdefault((node.name, columns[node.slug]), node.slug) for node in nodes}


def _columns(keys: Sequence[str], pairs: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Return each box's column: one to the right of the last it depends on."""
    after: dict[str, list[str]] = defaultdict(list)
    open_edges: dict[str, int] = dict.fromkeys(keys, 0)
    for source, target in pairs:
        after[source].append(target)
        open_edges[target] += 1
    columns = dict.fromkeys(keys, 0)
    ready = deque(key for key in keys if not open_edges[key])
    while ready:
        key = ready.popleft()
        for target in after[key]:
            columns[target] = max(columns[target], columns[key] + 1)
            open_edges[target] -= 1
            if not open_edges[target]:
                ready.append(target)
    return columns


def _draw(nodes: Sequence[Node], pairs: Sequence[tuple[str, str]], groups: Mapping[str, str]) -> Schematic:
    members: dict[str, list[Node]] = defaultdict(list)
    for node in nodes:
        members[groups[node.slug]].append(node)
    columns = _columns(list(members), sorted({(groups[a], groups[b]) for a, b in pairs if groups[a] != groups[b]}))
    links = sorted({(groups[a], groups[b]) for a, b in pairs if columns[groups[a]] < columns[groups[b]]})
    routes = {link: _route(link, columns) for link in links}
    stops = {stop: column for route in routes.values() for stop, column in route}
    rows = _rows(columns | stops, [step for route in routes.values() for step in pairwise([stop for stop, _ in route])])
    heights = [sum(_height(key, members) + _ROW_GAP for key in row) - _ROW_GAP for row in rows]
    tallest = max(heights, default=0)
    places: dict[str, tuple[int, int]] = {}
    for column, (keys, height) in enumerate(zip(rows, heights, strict=True)):
        top = _MARGIN + (tallest - height) // 2
        for key in keys:
            places[key] = (_MARGIN + column * (BOX_WIDTH + _COLUMN_GAP), top)
            top += _height(key, members) + _ROW_GAP
    return Schematic(
        width=2 * _MARGIN + len(rows) * BOX_WIDTH + max(0, len(rows) - 1) * _COLUMN_GAP,
        height=2 * _MARGIN + tallest,
        boxes=tuple(_box(key, members[key], places[key]) for keys in rows for key in keys if key in members),
        lines=tuple(SchematicLine(a, b, _path([places[stop] for stop, _ in routes[a, b]])) for a, b in links),
        collapsed=len(members) < len(nodes),
    )


def _route(link: tuple[str, str], columns: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return the stops of an edge with their columns: a long edge passes between the boxes of the columns on its way."""
    source, target = link
    between = [(f"{source} to {target} in {column}", column) for column in range(columns[source] + 1, columns[target])]
    return [(source, columns[source]), *between, (target, columns[target])]


def _height(key: str, boxes: Mapping[str, Sequence[Node]]) -> int:
    return BOX_HEIGHT if key in boxes else _STOP_HEIGHT


def _rows(columns: Mapping[str, int], links: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Return the stops of each column from top to bottom, ordered so that few lines cross: each near the mean of its neighbours."""
    rows: list[list[str]] = [[] for _ in range(max(columns.values(), default=-1) + 1)]
    for key, column in columns.items():
        rows[column].append(key)
    before: dict[str, list[str]] = defaultdict(list)
    after: dict[str, list[str]] = defaultdict(list)
    for source, target in links:
        before[target].append(source)
        after[source].append(target)
    for sweep in range(_SWEEPS):
        neighbours = after if sweep % 2 else before
        place = {key: (index + 0.5) / len(row) for row in rows for index, key in enumerate(row)}
        for row in reversed(rows) if sweep % 2 else rows:
            row.sort(key=lambda key: _mean([place[other] for other in neighbours[key]], place[key]))
            place |= {key: (index + 0.5) / len(row) for index, key in enumerate(row)}
    return rows


def _mean(places: Sequence[float], otherwise: float) -> float:
    return sum(places) / len(places) if places else otherwise


def _box(key: str, members: Sequence[Node], place: tuple[int, int]) -> Box:
    names = {node.name for node in members}
    label = members[0].name if len(names) == 1 else "tasks"
    if len(members) > 1:
        label = f"{label} ×{len(members)}"  # noqa: RUF001 - as people write it
    return Box(key, label, tuple(node.slug for node in members), any(node.mapped for node in members), *place)


def _path(stops: Sequence[tuple[int, int]]) -> str:
    """Return the line from the right side of the first box, past the stops on its way, to the left side of the last."""
    last = len(stops) - 1
    x, y = stops[0][0] + BOX_WIDTH, stops[0][1] + BOX_HEIGHT // 2
    path = f"M{x} {y}"
    for index, (left, top) in enumerate(stops[1:], start=1):
        y2 = top + (BOX_HEIGHT if index == last else _STOP_HEIGHT) // 2
        bend = (left - x) // 2
        path += f"C{x + bend} {y} {left - bend} {y2} {left} {y2}"
        x, y = left, y2
        if index != last:
            x += BOX_WIDTH
            path += f"H{x}"
    return path

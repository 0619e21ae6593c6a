"""The schematic of a flow: its graph laid out in columns, every edge going to the right, as numbers for an SVG.

Layout is a pure function of tasks and edges, which never change for a flow version. Large graphs are drawn with the tasks of one name
in one column as one box.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

BOX_WIDTH = 172
BOX_HEIGHT = 40
_COLUMN_GAP = 64
_ROW_GAP = 14
_MARGIN = 8
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
class Line:
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
    lines: tuple[Line, ...]
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
    links = sorted({(groups[a], groups[b]) for a, b in pairs if groups[a] != groups[b]})
    columns = _columns(list(members), links)
    rows = _rows(columns, [(a, b) for a, b in links if columns[a] < columns[b]])
    tallest = max((len(row) for row in rows), default=0)
    places: dict[str, tuple[int, int]] = {}
    for column, keys in enumerate(rows):
        top = _MARGIN + (tallest - len(keys)) * (BOX_HEIGHT + _ROW_GAP) // 2
        for row, key in enumerate(keys):
            places[key] = (_MARGIN + column * (BOX_WIDTH + _COLUMN_GAP), top + row * (BOX_HEIGHT + _ROW_GAP))
    boxes = tuple(_box(key, members[key], places[key]) for keys in rows for key in keys)
    lines = tuple(Line(a, b, _path(places[a], places[b])) for a, b in links if columns[a] < columns[b])
    return Schematic(
        width=2 * _MARGIN + len(rows) * BOX_WIDTH + max(0, len(rows) - 1) * _COLUMN_GAP,
        height=2 * _MARGIN + tallest * BOX_HEIGHT + max(0, tallest - 1) * _ROW_GAP,
        boxes=boxes,
        lines=lines,
        collapsed=len(boxes) < len(nodes),
    )


def _rows(columns: Mapping[str, int], links: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Return the boxes of each column from top to bottom, ordered so that few lines cross: each near the mean of its neighbours."""
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


def _path(source: tuple[int, int], target: tuple[int, int]) -> str:
    x1, y1 = source[0] + BOX_WIDTH, source[1] + BOX_HEIGHT // 2
    x2, y2 = target[0], target[1] + BOX_HEIGHT // 2
    bend = max(24, (x2 - x1) // 2)
    return f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"

"""The schematic: every edge goes to the right, nothing lies on anything else, and large graphs stay readable."""

from __future__ import annotations

import random

import pytest

from headwater.web.schematic import BOX_HEIGHT, BOX_WIDTH, BOXES_MAX, Node, Schematic, schematic


def _nodes(count: int, name: str = "task") -> list[Node]:
    return [Node(f"{name}-{number}", name if count > BOXES_MAX else f"{name} {number}") for number in range(count)]


def _sound(drawing: Schematic) -> None:
    """No box lies on another one or outside, and no edge goes to the left."""
    for box in drawing.boxes:
        assert 0 <= box.x <= drawing.width - BOX_WIDTH
        assert 0 <= box.y <= drawing.height - BOX_HEIGHT
    for first in drawing.boxes:
        for second in drawing.boxes:
            apart = abs(first.x - second.x) >= BOX_WIDTH or abs(first.y - second.y) >= BOX_HEIGHT
            assert first is second or apart, (first, second)
    places = {box.key: box for box in drawing.boxes}
    for line in drawing.lines:
        assert places[line.source].x + BOX_WIDTH < places[line.target].x


def test_a_chain_is_a_row() -> None:
    drawing = schematic(_nodes(4), [("task-0", "task-1"), ("task-1", "task-2"), ("task-2", "task-3")])

    assert len({box.y for box in drawing.boxes}) == 1
    assert [box.slugs for box in sorted(drawing.boxes, key=lambda box: box.x)] == [(f"task-{number}",) for number in range(4)]
    _sound(drawing)


def test_a_long_edge_passes_between_boxes_and_not_over_them() -> None:
    drawing = schematic(_nodes(4), [("task-0", "task-1"), ("task-1", "task-2"), ("task-2", "task-3"), ("task-0", "task-3")])

    long_edge = next(line for line in drawing.lines if (line.source, line.target) == ("task-0", "task-3"))
    heights = {box.y + BOX_HEIGHT // 2 for box in drawing.boxes if box.key in {"task-1", "task-2"}}
    assert long_edge.path.count("H") == 2
    assert not any(f" {height}H" in long_edge.path for height in heights)
    _sound(drawing)


@pytest.mark.parametrize("seed", range(20))
def test_any_graph_is_drawn_soundly(seed: int) -> None:
    source = random.Random(seed)
    nodes = _nodes(source.randint(1, 60))
    edges = [(f"task-{a}", f"task-{b}") for a in range(len(nodes)) for b in range(a + 1, len(nodes)) if source.random() < 0.08]

    drawing = schematic(nodes, edges)

    assert len(drawing.boxes) == len(nodes)
    assert len(drawing.lines) == len(set(edges))
    _sound(drawing)


def test_a_large_graph_draws_tasks_of_one_name_as_one_box() -> None:
    nodes = [Node("begin", "begin"), *(Node(f"work-{number}", "work") for number in range(500)), Node("end", "end")]
    edges = [(pair, f"work-{number}") for number in range(500) for pair in ("begin",)] + [
        (f"work-{number}", "end") for number in range(500)
    ]

    drawing = schematic(nodes, edges)

    assert drawing.collapsed
    assert [box.label for box in sorted(drawing.boxes, key=lambda box: box.x)] == ["begin", "work \N{MULTIPLICATION SIGN}500", "end"]
    _sound(drawing)


def test_a_large_graph_of_many_names_draws_columns() -> None:
    nodes = [Node(f"n{number}", f"name {number}") for number in range(1000)]
    edges = [(f"n{number}", f"n{number + 500}") for number in range(500)]

    drawing = schematic(nodes, edges)

    assert len(drawing.boxes) == 2
    assert sum(len(box.slugs) for box in drawing.boxes) == 1000


def test_nonsense_is_drawn_too() -> None:
    assert schematic([], [("a", "b")]).boxes == ()
    looped = schematic(_nodes(2), [("task-0", "task-1"), ("task-1", "task-0"), ("task-0", "task-0"), ("task-9", "task-0")])
    assert len(looped.boxes) == 2

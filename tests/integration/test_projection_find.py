"""Rows found by conditions of the asker's own making; nothing of what is asked is ever taken for SQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from harness.history_builder import ETL_TASKS, History, chain, play_etl
from harness.views_fixtures import hosted, opened, views_of

from headwater.core.errors import InvalidArgument
from headwater.core.queries import AgentRow, FlowRow, FlowTaskRow, LogRow, ProjectRow, Row, RunRow, TaskRunRow
from headwater.core.queries.views_client import ViewsClient

ROWS: dict[str, type[Row]] = {
    "projects": ProjectRow,
    "flows": FlowRow,
    "runs": RunRow,
    "task_runs": TaskRunRow,
    "tasks": FlowTaskRow,
    "logs": LogRow,
    "agents": AgentRow,
}


@pytest.fixture
async def views(nats_url: str, database_url: str) -> AsyncIterator[ViewsClient]:
    """Views of two flows, of which one ran well, badly, and not yet."""
    async with hosted(opened(nats_url)) as log:
        history = History(log)
        await history.project("warehouse")
        await history.agent("river-1", ["river"])
        etl = (await history.flow("etl", project="warehouse", **ETL_TASKS, labels=["a", "b"])).flow_id
        await history.flow("Odd '\"; DROP", project="warehouse", **chain(["one"]))
        await play_etl(history, etl, children=2)
        await play_etl(history, etl, fail=True, children=1)
        await history.run(etl, name="waits")
        async with hosted(views_of(log, database_url)) as views:
            await views.runs(at_least=(await log.events.tail()).position)
            yield views


@pytest.mark.parametrize(
    ("table", "where", "count"),
    [
        ("runs", {}, 3),
        ("runs", {"state": {"_eq": "Failed"}}, 1),
        ("runs", {"state": {"_in": ["Failed", "Success"]}, "labels": {"_contains": ["b"]}}, 2),
        ("runs", {"_or": [{"name": {"_like": "wait%"}}, {"_not": {"state": {"_neq": "Failed"}}}]}, 2),
        ("runs", {"_and": [{"flow_name": {"_ilike": "ETL"}}, {"end_time": {"_is_null": True}}]}, 1),
        ("runs", {"created": {"_gt": "2031-01-01T00:00:00Z"}}, 0),
        ("runs", {"version": {"_gte": 1, "_lt": 2}}, 3),
        ("runs", {"_or": []}, 0),
        ("runs", {"_and": []}, 3),
        ("flows", {"name": {"_eq": "Odd '\"; DROP"}}, 1),
        ("flows", {"archived": {"_eq": False}}, 2),
        ("projects", {"name": {"_nin": ["other"]}}, 1),
        ("task_runs", {"slug": {"_eq": "transform-1"}, "map_index": {"_gte": 0}}, 3),
        ("tasks", {"mapped": {"_eq": True}}, 1),
        ("agents", {"labels": {"_eq": ["river"]}}, 1),
        ("logs", {"level": {"_gt": 20}, "run_id": {"_is_null": False}, "message": {"_eq": "x\0y"}}, 0),
    ],
)
async def test_rows_are_found_by_their_columns(views: ViewsClient, table: str, where: dict[str, Any], count: int) -> None:
    assert len(await views.find(table, ROWS[table], where)) == count


async def test_rows_come_in_the_order_asked_for_and_by_page(views: ViewsClient) -> None:
    every = await views.find("task_runs", TaskRunRow, {}, order_by=(("slug", "desc"), ("run_id", "asc")))
    pages = [
        await views.find("task_runs", TaskRunRow, {}, order_by=(("slug", "desc"), ("run_id", "asc")), limit=2, offset=at) for at in (0, 2)
    ]

    assert [row.slug for row in every] == sorted((row.slug for row in every), reverse=True)
    assert pages[0] + pages[1] == every[:4]


@pytest.mark.parametrize(
    ("table", "query"),
    [
        ("moons", {}),
        ("runs", {"where": {"password": {"_eq": 1}}}),
        ("runs", {"where": {"id": {"_eq": "no id"}}}),
        ("runs", {"where": {"name": {"_eq": 7}}}),
        ("runs", {"where": {"version": {"_eq": True}}}),
        ("runs", {"where": {"attempt": {"_eq": 2**40}}}),
        ("runs", {"where": {"name": {"_regex": ".*"}}}),
        ("runs", {"where": {"created": {"_gt": "soon"}}}),
        ("runs", {"where": {"labels": {"_contains": "a"}}}),
        ("runs", {"where": {"name": "x"}}),
        ("runs", {"where": {"_or": [7]}}),
        ("runs", {"where": {'name" = name; --': {"_eq": "x"}}}),
        ("runs", {"where": {"_or": [{"name": {"_eq": "x"}}] * 300}}),
        ("runs", {"order_by": (("name; DROP TABLE runs", "asc"),)}),
        ("runs", {"order_by": (("name", "sideways"),)}),
        ("runs", {"limit": 5000}),
        ("runs", {"offset": -1}),
    ],
)
async def test_what_cannot_be_asked_is_refused_in_words(views: ViewsClient, table: str, query: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        await views.find(table, RunRow, **{"where": {}, **query})

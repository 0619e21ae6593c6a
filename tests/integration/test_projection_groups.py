"""Answers that sum up a run's tasks, the last runs of flows, and the end of a log; and pages as long as readers want them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from harness.history_builder import ETL_TASKS, History, play_etl
from harness.scenario import ACTOR
from harness.views_fixtures import eventually, hosted, opened, views_of

from headwater.core.errors import InvalidArgument
from headwater.core.log.protocol import Log
from headwater.core.operations.headwater import Headwater
from headwater.core.queries import ListRuns, LogRow, RunRow


@pytest.fixture
async def history(nats_url: str) -> AsyncIterator[History]:
    async with hosted(opened(nats_url)) as log:
        yield History(log)


async def _etl(history: History) -> str:
    await history.project("warehouse")
    return (await history.flow("etl", project="warehouse", **ETL_TASKS)).flow_id


async def _tail(log: Log) -> int:
    return (await log.events.tail()).position


async def test_a_mapped_task_counts_by_its_children_also_by_those_that_did_not_begin(history: History, database_url: str) -> None:
    played = await play_etl(history, await _etl(history), finish=False, children=10)
    async with views_of(history.log, database_url) as views:
        groups = {group.slug: group for group in await views.task_groups(played.run_id, at_least=await _tail(history.log))}

    assert list(groups) == ["extract-1", "validate-1", "transform-1", "load-1", "report-1"]
    assert groups["transform-1"].counts == {"Success": 5, "Running": 1, "Pending": 4}
    assert groups["transform-1"].child_count == 10
    assert groups["transform-1"].end_time is None
    assert groups["extract-1"].counts == {"Success": 1}
    assert groups["load-1"].counts == {"Pending": 1}


async def test_a_finished_mapped_task_spans_its_children(history: History, database_url: str) -> None:
    played = await play_etl(history, await _etl(history), fail=True, children=3)
    async with views_of(history.log, database_url) as views:
        groups = {group.slug: group for group in await views.task_groups(played.run_id, at_least=await _tail(history.log))}
        children = [child for child in await views.task_runs(played.run_id) if child.map_index >= 0]

    assert groups["transform-1"].start_time == min(child.start_time for child in children if child.start_time)
    assert groups["transform-1"].end_time == max(child.end_time for child in children if child.end_time)
    assert groups["load-1"].counts == {"Failed": 1}
    assert groups["report-1"].counts == {"TriggerFailed": 1}


async def test_the_last_runs_of_several_flows_come_at_once(history: History, database_url: str) -> None:
    first = await _etl(history)
    second = (await history.flow("other", project="warehouse", **ETL_TASKS)).flow_id
    ended = [(await play_etl(history, first, children=1)).run_id for _ in range(3)]
    waiting = (await history.run(second)).run_id
    async with views_of(history.log, database_url) as views:
        groups = [(await views.flow(flow, at_least=await _tail(history.log))).flow_group_id for flow in (first, second)]
        last = await views.last_runs(tuple(groups), each=2)

        assert [row.id for row in last] == [ended[2], ended[1], waiting]
        with pytest.raises(InvalidArgument, match="At most 500"):
            await views.last_runs(tuple(groups), each=0)


async def test_the_last_lines_of_a_log_come_in_order(history: History, database_url: str) -> None:
    played = await history.run(await _etl(history))
    await played.claim()
    for number in range(20):
        await played.log(f"line {number}", level=20 if number % 2 else 30)
    async with views_of(history.log, database_url) as views:

        async def all_there() -> list[LogRow] | None:
            lines = await views.logs(played.run_id)
            return lines if len(lines) == 20 else None

        lines = await eventually(all_there, "20 lines in the views")
        last = await views.last_logs(played.run_id, 3)
        warnings = await views.last_logs(played.run_id, 2, min_level=30, text="LINE", until=lines[9].position)

    assert [line.message for line in last] == ["line 17", "line 18", "line 19"]
    assert [line.message for line in warnings] == ["line 6", "line 8"]


async def test_pages_are_as_long_as_the_reader_wants(history: History, database_url: str) -> None:
    flow = await _etl(history)
    created = [(await history.run(flow)).run_id for _ in range(7)]
    async with views_of(history.log, database_url) as views:
        seen, cursor = [], None
        sizes = []
        while True:
            reply = await views.page(ListRuns(limit=None), at_least=await _tail(history.log), cursor=cursor, page_rows=3)
            page = msgspec.json.decode(reply.rows, type=list[RunRow])
            sizes.append(len(page))
            seen += [row.id for row in page]
            if (cursor := reply.next) is None:
                break

    assert sizes == [3, 3, 1]
    assert seen == created[::-1]


async def test_waiting_runs_come_by_when_they_are_due_and_without_what_they_were_given(history: History, database_url: str) -> None:
    flow = await _etl(history)
    now = history.clock()
    due = [(await history.run(flow, due_at=now + timedelta(hours=hours), context={"big": "x" * 1000})).run_id for hours in (3, 1, 2)]
    await play_etl(history, flow, children=1)
    async with views_of(history.log, database_url) as views:
        seen, cursor = [], None
        while True:
            query = ListRuns(soonest=True, brief=True, limit=None)
            reply = await views.page(query, at_least=await _tail(history.log), cursor=cursor, page_rows=2)
            seen += msgspec.json.decode(reply.rows, type=list[RunRow])
            if (cursor := reply.next) is None:
                break

    assert [row.id for row in seen] == [due[1], due[2], due[0]]
    assert [row.context for row in seen] == [{}, {}, {}]


async def test_runs_are_found_by_a_part_of_their_name_or_their_flows(history: History, database_url: str) -> None:
    flow = await _etl(history)
    named = (await history.run(flow, name="The Morning Load")).run_id
    other = (await history.run(flow, name="%_\\'")).run_id
    async with views_of(history.log, database_url) as views:

        async def found(search: str) -> list[str]:
            reply = await views.page(ListRuns(search=search), at_least=await _tail(history.log))
            return [row.id for row in msgspec.json.decode(reply.rows, type=list[RunRow])]

        assert await found("morning") == [named]
        assert await found("%_\\'") == [other]
        assert await found("ETL") == [other, named]
        assert await found("nothing") == []


async def test_a_run_is_found_by_the_name_that_it_has_now(history: History, database_url: str) -> None:
    flow = await _etl(history)
    runs = Headwater(history.log, ACTOR).runs
    first, second, third = [(await history.run(flow, name=name)).run_id for name in ("evening report", "evening report", "evening check")]
    async with views_of(history.log, database_url) as views:

        async def found(search: str, **narrowed: Any) -> list[str]:
            reply = await views.page(ListRuns(search=search, **narrowed), at_least=await _tail(history.log))
            return [row.id for row in msgspec.json.decode(reply.rows, type=list[RunRow])]

        assert await found("EVENING REP") == [second, first]
        assert await found("ve") == [third, second, first]
        assert await found("g") == [third, second, first]
        assert await found("evening", flow="etl", project="warehouse") == [third, second, first]
        assert await found("evening", states=("Failed",)) == []

        await runs.rename(second, "morning report")
        assert await found("evening rep") == [first]
        assert await found("morning") == [second]
        await runs.rename(first, "noon report")
        assert await found("evening rep") == []
        assert await found("report") == [second, first]

        await runs.cancel(third)
        await runs.delete(third)
        assert await found("evening") == []


async def test_pages_of_runs_that_are_found_follow_each_other(history: History, database_url: str) -> None:
    flow = await _etl(history)
    created = [(await history.run(flow, name=f"nightly load {number % 3}")).run_id for number in range(9)]
    async with views_of(history.log, database_url) as views:
        seen: list[str] = []
        cursor = None
        while True:
            query = ListRuns(search="nightly", limit=None)
            reply = await views.page(query, at_least=await _tail(history.log), cursor=cursor, page_rows=2)
            seen += [row.id for row in msgspec.json.decode(reply.rows, type=list[RunRow])]
            if (cursor := reply.next) is None:
                break

    assert seen == created[::-1]

"""What people see of a log: the views, asked over the log's own connection."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from harness.scenario import (
    an_agent,
    claimed,
    create_flow,
    create_run,
    create_test_project,
    executed,
    finished,
    lost,
    now,
    recorded,
    succeeding,
)
from harness.views_fixtures import eventually, hosted, opened, views_of

from headwater.core.errors import InvalidArgument, NotFound, ViewsBehind
from headwater.core.events import TaskRunMapped, TaskRunNamed, TaskRunRetryScheduled, TaskRunStarted, TaskRunSucceeded
from headwater.core.log.protocol import Log, LogLine
from headwater.core.queries.requests import ListFlows, ListRuns
from headwater.core.queries.views_client import ViewsClient
from headwater.core.values.identifiers import new_id


@pytest.fixture
async def log(nats_url: str) -> AsyncIterator[Log]:
    async with hosted(opened(nats_url)) as log:
        yield log


@pytest.fixture
async def views(log: Log, database_url: str) -> AsyncIterator[ViewsClient]:
    async with hosted(views_of(log, database_url)) as views:
        yield views


async def test_a_client_that_appends_reads_its_own_write(log: Log, views: ViewsClient) -> None:
    flow = await create_flow(log)
    for _ in range(20):
        created = await create_run(log, flow.flow_id)
        assert (await views.run(created.run_id, at_least=created.position)).state == "Scheduled"


async def test_a_run_shows_what_happened_to_it(log: Log, views: ViewsClient) -> None:
    flow = await create_flow(log, "Hello, World! 🌊", labels=("host",))
    created = await create_run(log, flow.flow_id, parameters={}, context={"b": 1, "a": [None]}, name="it's a name")
    end = await executed(log, created.run_id)
    run = await views.run(created.run_id, at_least=end)

    assert (run.name, run.state, run.flow_name, run.project_name, run.version) == (
        "it's a name",
        "Success",
        "Hello, World! 🌊",
        "tutorial",
        1,
    )
    assert (run.flow_id, run.flow_group_id, run.labels) == (flow.flow_id, flow.flow_group_id, ("host",))
    assert list(run.context.items()) == [("b", 1), ("a", [None])]
    assert (run.attempt, run.agent_id, run.agent_name, run.created_by, run.position) == (1, "agent-1", "an agent", "test", end)
    assert run.scheduled_start_time is not None
    assert run.start_time is not None
    assert run.end_time is not None
    assert run.scheduled_start_time <= run.start_time <= run.end_time
    states = await views.run_states(created.run_id)
    assert [state.state for state in states] == ["Scheduled", "Submitted", "Running", "Success"]
    assert [state.actor for state in states] == ["test", "agent:agent-1", f"run:{created.run_id}#1", f"run:{created.run_id}#1"]


async def test_task_runs_show_in_the_order_of_the_flow_and_pending_before_they_begin(log: Log, views: ViewsClient) -> None:
    flow = await create_flow(log, tasks=4)
    run_id = (await create_run(log, flow.flow_id)).run_id
    await claimed(log, run_id)
    end = await recorded(
        log,
        run_id,
        *succeeding(["task-2"]),
        TaskRunStarted(slug="task-1", at=now()),
        TaskRunMapped(slug="task-1", at=now(), child_count=2),
        TaskRunStarted(slug="task-1", map_index=1, at=now()),
        TaskRunNamed(slug="task-1", map_index=1, at=now(), name="second"),
    )
    found = await views.task_runs(run_id, at_least=end)

    assert [(row.slug, row.map_index, row.state) for row in found] == [
        ("task-0", -1, "Pending"),
        ("task-1", -1, "Mapped"),
        ("task-1", 1, "Running"),
        ("task-2", -1, "Success"),
        ("task-3", -1, "Pending"),
    ]
    assert (found[0].position, found[1].child_count, found[2].name, found[3].run_count) == (0, 2, "second", 1)
    assert [row.slug for row in await views.task_runs(run_id, states=("Pending",))] == ["task-0", "task-3"]
    assert [row.name for row in await views.task_runs(run_id, search="SECOND")] == ["second"]
    history = await views.task_run_states(run_id, slug="task-1", map_index=-1)
    assert [state.state for state in history] == ["Running", "Mapped"]


async def test_a_lost_attempt_leaves_begun_tasks_pending_and_finished_ones_as_they_are(log: Log, views: ViewsClient) -> None:
    flow = await create_flow(log, tasks=3)
    run_id = (await create_run(log, flow.flow_id)).run_id
    await claimed(log, run_id)
    retry = TaskRunRetryScheduled(slug="task-1", at=now(), due_at=now(), run_count=1)
    begun = TaskRunStarted(slug="task-1", at=now())
    at = await recorded(log, run_id, *succeeding(["task-0"]), begun, retry)
    assert [(row.state, row.retry_at is not None) for row in await views.task_runs(run_id, at_least=at)][1] == ("Retrying", True)

    at = await lost(log, run_id)
    assert [row.state for row in await views.task_runs(run_id, at_least=at)] == ["Success", "Pending", "Pending"]
    assert (await views.run(run_id)).state == "Scheduled"

    await claimed(log, run_id, agent_id="agent-2")
    await recorded(log, run_id, *succeeding(["task-1", "task-2"]))
    end = await finished(log, run_id)
    task_runs = await views.task_runs(run_id, at_least=end)
    assert [(row.state, row.attempt) for row in task_runs] == [("Success", 1), ("Success", 2), ("Success", 2)]
    assert (await views.run(run_id)).attempt == 2


async def test_registering_again_archives_the_older_version(log: Log, views: ViewsClient) -> None:
    first = await create_flow(log, tasks=3)
    second = await create_flow(log, tasks=2)

    (listed,) = await views.flows(at_least=second.position)
    assert (listed.id, listed.version, listed.archived, listed.task_count) == (second.flow_id, 2, False, 2)
    assert [(flow.version, flow.archived) for flow in await views.flows(ListFlows(all_versions=True))] == [(2, False), (1, True)]
    assert (await views.flow(first.flow_id)).archived
    assert (await views.flow(first.flow_group_id)).version == 2
    assert [task.slug for task in await views.flow_tasks(first.flow_id)] == ["task-0", "task-1", "task-2"]
    assert [(edge.upstream, edge.downstream) for edge in await views.flow_edges(second.flow_id)] == [("task-0", "task-1")]


async def test_a_flow_of_ten_thousand_tasks_comes_back_whole(log: Log, views: ViewsClient) -> None:
    large = await create_flow(log, tasks=10_000)

    assert (await views.flow(large.flow_id, at_least=large.position)).task_count == 10_000
    tasks = await views.flow_tasks(large.flow_id)
    assert [task.slug for task in tasks] == [f"task-{n}" for n in range(10_000)]
    assert len(await views.flow_edges(large.flow_id)) == 9_999
    run = await create_run(log, large.flow_id)
    assert len(await views.task_runs(run.run_id, at_least=run.position)) == 10_000


async def test_runs_are_found_by_what_they_are(log: Log, views: ViewsClient) -> None:
    hello = await create_flow(log, "hello", labels=("a",))
    other = await create_flow(log, "other", project="second", labels=("a", "b"))
    first = await create_run(log, hello.flow_id, name="one")
    second = await create_run(log, other.flow_id, name="two")
    later = await create_run(log, other.flow_id, name="three", due_at=now() + timedelta(days=1))
    end = await executed(log, first.run_id)

    async def names(**filters: object) -> list[str]:
        return [run.name for run in await views.runs(ListRuns(**filters), at_least=end)]  # type: ignore[arg-type]

    assert await names() == ["three", "two", "one"]
    assert await names(flow="hello") == await names(states=("Success", "Failed")) == await names(flow_id=hello.flow_id) == ["one"]
    assert await names(project="second") == await names(flow_group_id=other.flow_group_id) == await names(labels=("b",)) == ["three", "two"]
    assert await names(project=other.project_id, flow="other", labels=("b", "a"), limit=1) == ["three"]
    for bound in (now() + timedelta(hours=1), (now() + timedelta(hours=1)).replace(tzinfo=None)):
        assert await names(scheduled_after=bound) == await names(name="three") == ["three"]
    assert await names(started_after=now() - timedelta(hours=1)) == await names(agent_id="agent-1") == ["one"]
    assert await names(flow="hello", project="second") == await names(labels=("c",)) == []
    assert await views.run_counts() == {"Scheduled": 2, "Success": 1}
    assert await views.run_counts(project="second") == {"Scheduled": 2}
    assert await views.run_counts(since=now() - timedelta(hours=1), flow="hello") == {"Success": 1}
    assert await views.run_counts(since=now() + timedelta(hours=1)) == {}
    assert (await views.run(second.run_id)).queue_id == (await views.run(later.run_id)).queue_id


async def test_projects_agents_and_queues_are_listed(log: Log, views: ViewsClient) -> None:
    await create_flow(log, labels=("x",))
    await create_test_project(log, "empty")
    run = await create_run(log, (await views.flows(at_least=(await log.events.tail()).position))[0].id)
    agent_id, position = await an_agent(log, "mill", labels=("x",), limit=4)
    await claimed(log, run.run_id, agent_id=agent_id)
    at = (await log.events.tail()).position

    assert [(project.name, project.flow_count) for project in await views.projects(at_least=at)] == [("empty", 0), ("tutorial", 1)]
    (agent,) = await views.agents(status="working")
    assert (agent.id, agent.name, agent.labels, agent.limit, agent.held_runs, agent.position) == (agent_id, "mill", ("x",), 4, 1, position)
    (queue,) = await views.queues()
    assert (queue.labels, queue.scheduled_runs) == (("x",), 0)


async def test_log_lines_come_back_by_run_level_and_task(log: Log, views: ViewsClient) -> None:
    run = await create_run(log, (await create_flow(log)).flow_id)
    lines = [LogLine(now(), 10 * n, "headwater", f"line {n}\0", "task-0" if n % 2 else "") for n in range(5)]
    await log.logs.write(run.run_id, 1, lines)
    end = await log.logs.write(run.run_id, 2, [LogLine(now(), 20, "headwater", "x" * 90_000) for _ in range(20)])
    found = await views.logs(run.run_id, at_least=end)

    assert [row.message for row in found[:5]] == [f"line {n}\N{REPLACEMENT CHARACTER}" for n in range(5)]
    assert [len(row.message) for row in found[5:]] == [90_000] * 20
    assert [row.level for row in await views.logs(run.run_id, min_level=30, task="task-0")] == [30]
    assert [row.attempt for row in await views.logs(run.run_id, after=found[4].position, limit=2)] == [2, 2]


async def test_what_is_not_there_is_named(log: Log, views: ViewsClient) -> None:
    flow = await create_flow(log)
    for ask in (views.run, views.run_states, views.task_runs):
        with pytest.raises(NotFound, match="not found"):
            await ask(new_id(), at_least=flow.position)
    with pytest.raises(NotFound):
        await views.flow_tasks(flow.flow_group_id.replace(flow.flow_group_id[:4], "0000"))
    with pytest.raises(InvalidArgument, match="not a run id"):
        await views.run("no id at all")
    with pytest.raises(InvalidArgument, match="not a state"):
        await views.runs(ListRuns(states=("Succeeded",)))


async def test_views_that_do_not_get_there_in_time_say_how_far_they_are(log: Log, views: ViewsClient) -> None:
    flow = await create_flow(log)
    with pytest.raises(ViewsBehind) as refusal:
        await ViewsClient(log, wait_seconds=0.0).runs(at_least=flow.position + 1000)
    assert refusal.value.asked == flow.position + 1000


async def test_task_runs_that_never_began_show_how_their_run_ended(log: Log, views: ViewsClient) -> None:
    flow = await create_flow(log, tasks=2)
    run_id = (await create_run(log, flow.flow_id)).run_id
    await claimed(log, run_id)
    await recorded(log, run_id, TaskRunStarted(slug="task-0", at=now()), TaskRunSucceeded(slug="task-0", at=now()))
    end = await finished(log, run_id, failed=True)

    assert [(row.state, row.state_message) for row in await views.task_runs(run_id, at_least=end)] == [
        ("Success", ""),
        ("Pending", "The run ended before this task began."),
    ]


async def test_log_lines_older_than_their_retention_go(log: Log, database_url: str) -> None:
    run = await create_run(log, (await create_flow(log)).flow_id)
    old = LogLine(now() - timedelta(days=8), 20, "headwater", "an old line")
    end = await log.logs.write(run.run_id, 1, [old, LogLine(now(), 20, "headwater", "a new line")])
    async with views_of(log, database_url, log_retention_days=9) as views:
        assert len(await views.logs(run.run_id, at_least=end)) == 2
    async with views_of(log, database_url, log_retention_days=7) as views:
        await eventually(lambda: _lines_are(views, run.run_id, ["a new line"]), "the old line is gone")


async def _lines_are(views: ViewsClient, run_id: str, wanted: list[str]) -> bool:
    return [line.message for line in await views.logs(run_id)] == wanted

"""Looking back: what was the case at a moment, and what changed between two. From the log alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import msgspec
import pytest
from harness.scenario import ACTOR, claimed, create_flow, create_run, executed, finished, recorded, succeeding
from harness.views_fixtures import hosted, opened

from headwater.audit import diff, parse_moment, replay, replay_project, replay_run
from headwater.core.errors import InvalidArgument, NotFound
from headwater.core.log.protocol import Log
from headwater.core.operations.headwater import Headwater


@pytest.fixture
async def log(nats_url: str) -> AsyncIterator[Log]:
    async with hosted(opened(nats_url)) as log:
        yield log


async def test_a_run_can_be_seen_as_it_was_at_every_position(log: Log) -> None:
    flow = await create_flow(log)
    created = await create_run(log, flow.flow_id, name="first name")
    at_claim = await claimed(log, created.run_id)
    at_tasks = await recorded(log, created.run_id, *succeeding(["task-0"]))
    renamed = (await Headwater(log, ACTOR).runs.rename(created.run_id, "second name")).position
    await finished(log, created.run_id)

    async def seen(position: int | None) -> tuple[str, str, list[str]]:
        (run,) = (await replay_run(log.events, created.run_id, as_of=position)).runs
        return run["name"], run["state"], list(run["task_runs"])

    assert await seen(created.position) == ("first name", "Scheduled", [])
    assert await seen(at_claim) == ("first name", "Submitted", [])
    assert await seen(at_tasks) == ("first name", "Running", ["task-0"])
    assert await seen(renamed) == ("second name", "Running", ["task-0"])
    assert await seen(None) == ("second name", "Success", ["task-0"])
    with pytest.raises(NotFound, match="not found"):
        await replay_run(log.events, created.run_id, as_of=created.position - 1)


async def test_a_time_names_the_same_moment_as_its_position(log: Log) -> None:
    await create_flow(log, "one")
    everything = [each async for batch in log.events.read_all() for each in batch]
    await create_flow(log, "two")

    by_position = await replay(log.events, as_of=everything[-1].position)
    by_time = await replay(log.events, as_of=everything[-1].recorded_at)
    assert (by_position.position, by_position.commits) == (by_time.position, by_time.commits)
    assert list(by_position.runs) == list(by_time.runs)
    assert list(by_position.flows) == list(by_time.flows)
    assert [flow["name"] for flow in by_time.flows] == ["one"]
    assert [flow["name"] for flow in (await replay(log.events)).flows] == ["one", "two"]
    assert (await replay(log.events, as_of=datetime(2000, 1, 1, tzinfo=UTC))).commits == 0
    assert msgspec.json.encode(list(by_time.flows))


async def test_a_project_is_replayed_with_its_flows_and_runs(log: Log) -> None:
    mine, other = await create_flow(log), await create_flow(log, project="another")
    await create_flow(log)
    run = await create_run(log, (await create_flow(log)).flow_id)
    await create_run(log, other.flow_id)
    before = (await log.events.tail()).position
    await Headwater(log, ACTOR).projects.delete(mine.project_id)

    found = await replay_project(log.events, "tutorial", as_of=before)
    assert [project["deleted"] for project in found.projects] == [False]
    assert [flow["versions"] for flow in found.flows] == [{"1": "archived", "2": "archived", "3": "active"}]
    assert [each["id"] for each in found.runs] == [run.run_id]
    assert [project["deleted"] for project in (await replay_project(log.events, mine.project_id)).projects] == [True]
    with pytest.raises(NotFound):
        await replay_project(log.events, "nobody's")


async def test_a_diff_names_what_changed_and_which_commits_did_it(log: Log) -> None:
    flow = await create_flow(log)
    run = await create_run(log, flow.flow_id)
    before = (await log.events.tail()).position
    end = await executed(log, run.run_id)
    second = await create_flow(log)
    await create_flow(log, "later")

    changes = list(await diff(log.events, before, second.position))
    assert [(change.kind, change.name, change.change) for change in changes] == [
        ("run", run.name, "changed"),
        ("flow", "hello-flow", "changed"),
    ]
    assert changes[0].fields["state"] == ("Scheduled", "Success")
    assert changes[0].fields["task_runs.task-1.state"] == (None, "Success")
    assert "labels" not in changes[0].fields
    assert changes[0].commits[-1].position == end
    assert changes[0].commits[-1].events == ("run.succeeded",)
    assert changes[1].fields == {"versions.1": ("active", "archived"), "versions.2": (None, "active")}
    assert list(await diff(log.events, second.position, second.position)) == []
    assert [change.change for change in await diff(log.events, second.position, None)] == ["created"]


def test_a_moment_is_a_position_or_a_time() -> None:
    assert parse_moment(" 17 ") == 17
    assert parse_moment("2026-11-21T08:00:00") == parse_moment("2026-11-21T09:00:00+01:00") == datetime(2026, 11, 21, 8, tzinfo=UTC)
    with pytest.raises(InvalidArgument, match="neither a position nor a time"):
        parse_moment("yesterday")


def test_looking_back_needs_no_database_driver() -> None:
    program = "import sys; sys.modules['asyncpg'] = None; import headwater.audit"
    subprocess.run([sys.executable, "-c", program], check=True)

"""What older versions stored is read, executed and gone on with: their logs, their flows, the values of their tasks."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from harness.agent_harness import PROJECT, AgentHarness, agent_harness, hosted, running_agent
from harness.kept_home import FIRST_TIME, LABEL, restored, version_folders
from harness.monitor_fixtures import promises_are_kept, running_monitor
from harness.servers import NatsNode
from harness.views_fixtures import caught_up, eventually, opened, views_of

from headwater.audit import verify
from headwater.core.events import event_type
from headwater.core.operations.headwater import Headwater
from headwater.core.operations.project_lookup import find_project
from headwater.core.operations.run_lookup import find_deleted_run
from headwater.core.queries.requests import ListRuns
from headwater.core.states import StateName
from headwater.sdk.backend import TaskRunView
from headwater.sdk.context.configuration import config

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


@dataclass
class KeptHome:
    harness: AgentHarness
    home: Path
    told: dict[str, Any]

    def open_gate(self, name: str) -> None:
        """Let what waits for this succeed from here on."""
        (self.home / name).touch()


@pytest.fixture(params=version_folders(), ids=lambda folder: folder.name)
async def kept(
    request: pytest.FixtureRequest, nats_node: NatsNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[KeptHome]:
    home = tmp_path / "home"
    monkeypatch.setenv("HEADWATER_HOME", str(home))
    monkeypatch.setenv("HEADWATER_NATS_URL", nats_node.url)
    config.reload()
    async with opened(nats_node.url):
        told = await restored(request.param, nats_node.url, home)
    async with hosted(agent_harness(nats_node.url)) as harness:
        yield KeptHome(harness, home, told)
    config.reload()


def same_python(kept: KeptHome) -> None:
    if kept.told["python"] != HERE:
        pytest.skip(f"the flows were stored by Python {kept.told['python']}")


async def test_each_message_is_a_commit(kept: KeptHome) -> None:
    found = [recorded async for batch in kept.harness.log.events.read_all() for recorded in batch]

    assert [recorded.dead_letter for recorded in found if recorded.dead_letter is not None] == []
    assert len({event_type(event) for recorded in found for event in recorded.events}) > 25


async def test_a_server_wakes_what_waits_and_every_promise_is_kept(kept: KeptHome) -> None:
    async def nothing_is_broken() -> bool:
        return not (await verify(kept.harness.log)).violations

    async with running_monitor(kept.harness.url):
        await eventually(nothing_is_broken, "every promise is kept")


async def test_runs_are_in_the_states_they_were_in(kept: KeptHome, database_url: str) -> None:
    async with views_of(kept.harness.log, database_url) as views:
        await caught_up(views, (await kept.harness.log.events.tail()).position)
        in_views = {run.id: run.state for run in await views.runs(ListRuns(limit=100))}

    states = kept.told["states"]
    assert {run_id: (await kept.harness.state(run_id)).state.value for run_id in states} == states
    assert {run_id: in_views[run_id] for run_id in states} == states
    assert kept.told["deleted"] not in in_views
    deleted = await find_deleted_run(kept.harness.log.events, kept.told["deleted"])
    assert deleted is not None
    assert (deleted.run.name, deleted.reason) == ("another name", "a trial")
    project_id = await find_project(kept.harness.log.events, PROJECT)
    assert await kept.harness.client.headwater.key_values.get(project_id, "last day") == {"day": "2026-11-27"}


async def test_stored_flows_are_executed_and_cached_values_serve_again(kept: KeptHome, database_url: str) -> None:
    same_python(kept)
    ended: dict[str, Any] = {}
    async with views_of(kept.harness.log, database_url), running_agent(kept.harness.url, labels=[LABEL]):
        for name, flow_id in kept.told["flows"].items():
            if name not in {"failing", "paused", "retried"}:
                ended[name] = await kept.harness.ended(await kept.harness.run(flow_id))

    assert {name: run.state for name, run in ended.items()} == dict.fromkeys(ended, StateName.SUCCESS)
    (cached,) = [run.state for (slug, _), run in ended["cached"].task_runs.items() if slug == "reckon-1"]
    assert cached is StateName.CACHED, f"what it reckons again needs the gate {FIRST_TIME!r}, which is closed"


async def test_what_waited_or_failed_goes_on_with_the_values_that_were_kept(kept: KeptHome) -> None:
    same_python(kept)
    log, actor, first = kept.harness.log, kept.harness.client.actor, kept.told["first"]
    kept.open_gate("warehouse")
    async with running_monitor(kept.harness.url), running_agent(kept.harness.url, labels=[LABEL]):
        await Headwater(log, actor).runs.resume(first["paused"])
        await Headwater(log, actor).runs.restart(first["failing"])
        await Headwater(log, actor).runs.reschedule(kept.told["far"], datetime.now(UTC))
        await Headwater(log, actor).runs.cancel(first["retried"])
        ended = {name: await kept.harness.ended(run_id) for name, run_id in (("paused", first["paused"]), ("far", kept.told["far"]))}
        events = await kept.harness.reached(first["failing"], lambda names, _: names[-1] == "run.succeeded")
        cancelled = await kept.harness.ended(first["retried"])

    assert {name: run.state for name, run in ended.items()} == dict.fromkeys(ended, StateName.SUCCESS)
    assert cancelled.state is StateName.CANCELLED
    assert [event_type(event) for event in events].count("run.failed") == 2
    await promises_are_kept(log)


async def test_values_of_tasks_are_read_where_they_were_kept(kept: KeptHome, database_url: str) -> None:
    async with views_of(kept.harness.log, database_url) as views:
        await caught_up(views, (await kept.harness.log.events.tail()).position)
        values = [await anyio.to_thread.run_sync(value_of, kept.told["first"]["written"], slug) for slug in ("rows-1", "seven-1")]

    assert values == [{"rows": [1, 2, 3]}, 7]


def value_of(run_id: str, slug: str) -> Any:
    return TaskRunView.from_task_slug(slug, run_id).get_result()

"""What people do with the log, on a real one: projects, registrations, runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest

from headwater.core.aggregates import Actor
from headwater.core.errors import AlreadyExists, FlowArchived, InvalidParameters, NotFound
from headwater.core.events import EdgeSpec, ParameterSpec, RunCreated, RunScheduled, StorageReference, TaskSpec
from headwater.core.log import subjects
from headwater.core.log.jetstream import open_log
from headwater.core.log.protocol import Log
from headwater.core.operations.flow_lookup import find_flow, flow_group, tasks_and_edges
from headwater.core.operations.flow_registration import FlowMetadata, Registration
from headwater.core.operations.headwater import Headwater
from headwater.core.operations.project_lookup import find_project
from headwater.core.operations.run_creation import RunRequest
from headwater.core.operations.run_lookup import load_run
from headwater.core.states import StateName

ME = Actor("test")
HELLO = FlowMetadata(
    name="hello-flow", storage=StorageReference(type="Local", location="/flows/hello"), tasks=(TaskSpec("say_hello-1", "say_hello"),)
)


@pytest.fixture
async def log(nats_url: str) -> AsyncIterator[Log]:
    async with open_log(nats_url, ensure_streams=True) as opened:
        yield opened


async def registered(log: Log, metadata: FlowMetadata = HELLO, **arguments: Any) -> Registration:
    await Headwater(log, ME).projects.create("Hello, World!", skip_if_exists=True)
    return await Headwater(log, ME).flows.register(metadata, project_name="Hello, World!", **arguments)


async def test_a_project_is_found_by_its_name_and_exists_once(log: Log) -> None:
    created = await Headwater(log, ME).projects.create("Hello, World! 🌊 'quoted'")

    assert await find_project(log.events, "Hello, World! 🌊 'quoted'") == created.project_id
    with pytest.raises(AlreadyExists):
        await Headwater(log, ME).projects.create("Hello, World! 🌊 'quoted'")
    again = await Headwater(log, ME).projects.create("Hello, World! 🌊 'quoted'", skip_if_exists=True)
    assert (again.project_id, again.changed) == (created.project_id, False)


async def test_of_many_who_create_the_same_project_one_does(log: Log) -> None:
    outcomes: list[str] = []

    async def create() -> None:
        try:
            await Headwater(log, ME).projects.create("tutorial")
        except AlreadyExists:
            outcomes.append("exists")
        else:
            outcomes.append("created")

    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(create)

    assert sorted(outcomes) == ["created"] + ["exists"] * 7


async def test_a_renamed_project_frees_its_old_name_and_a_deleted_one_its_last(log: Log) -> None:
    created = await Headwater(log, ME).projects.create("old")
    await Headwater(log, ME).projects.rename(created.project_id, "new")

    assert await find_project(log.events, "new") == created.project_id
    with pytest.raises(NotFound):
        await find_project(log.events, "old")
    await Headwater(log, ME).projects.create("old")
    await Headwater(log, ME).projects.delete(created.project_id)
    with pytest.raises(NotFound, match="'new'"):
        await find_project(log.events, "new")


async def test_each_registration_is_a_version_but_the_last_key_changes_nothing(log: Log) -> None:
    first = await registered(log)
    second = await registered(log, idempotency_key="k")
    same = await registered(log, idempotency_key="k")

    assert (first.flow_version, second.flow_version) == (1, 2)
    assert (same.flow_id, same.changed) == (second.flow_id, False)
    assert (await find_flow(log.events, project_name="Hello, World!", name="hello-flow")).flow_version == 2


async def test_a_flow_of_ten_thousand_tasks_is_registered_in_parts_and_read_back_whole(log: Log) -> None:
    tasks = tuple(TaskSpec(f"task-{n}", "a task with a rather long name " * 3, settings={"number": n}) for n in range(10_000))
    edges = tuple(EdgeSpec(f"task-{n}", f"task-{n + 1}", "x") for n in range(9_999))
    big = await registered(log, FlowMetadata(name="big", storage=HELLO.storage, tasks=tasks, edges=edges))

    found = (await flow_group(log.events, big.flow_group_id).refresh()).latest
    assert found is not None
    assert found.tasks == ()
    assert found.parts is not None
    assert found.parts.count > 1
    assert await tasks_and_edges(log.events, found) == (tasks, edges)


async def test_a_run_is_created_with_its_parameters_and_offered_to_its_queue(log: Log) -> None:
    flow = await registered(
        log,
        FlowMetadata(
            name="p",
            storage=HELLO.storage,
            labels=("host",),
            parameters=(ParameterSpec("zero", default=0), ParameterSpec("x", required=True)),
        ),
    )
    created = await Headwater(log, ME).runs.create(flow.flow_id, RunRequest(parameters={"x": [1]}))

    run = (await load_run(log.events, created.run_id)).state
    assert run.created.parameters == {"zero": 0, "x": [1]}
    assert (run.state, run.created.labels) == (StateName.SCHEDULED, ("host",))
    (commit,) = await log.events.read(subjects.run(created.run_id))
    assert [type(event) for event in commit.commit.events] == [RunCreated, RunScheduled]
    async with log.queues.bind(run.created.queue_id, lease_seconds=10) as binding:
        binding.resume()
        async for delivery in binding:
            assert delivery.item.run_id == created.run_id
            assert delivery.item.creation == commit.commit
            await delivery.ack()
            break


async def test_a_run_whose_parameters_do_not_fit_is_refused_and_nothing_is_written(log: Log) -> None:
    flow = await registered(log, FlowMetadata(name="p", storage=HELLO.storage, parameters=(ParameterSpec("x", required=True),)))
    before = await log.events.tail()

    for parameters in ({}, {"x": 1, "y": 2}, {"x": {1, 2}}, {"x": float("nan")}):
        with pytest.raises(InvalidParameters):
            await Headwater(log, ME).runs.create(flow.flow_id, RunRequest(parameters=parameters))
    assert await log.events.tail() == before


async def test_the_same_key_names_the_same_run(log: Log) -> None:
    flow = await registered(log)
    runs = Headwater(log, ME).runs
    later = datetime.now(UTC) + timedelta(days=1)

    first = await runs.create(flow.flow_id, RunRequest(idempotency_key="monday", due_at=later))
    second = await runs.create(flow.flow_id, RunRequest(idempotency_key="monday"))

    assert (second.run_id, second.new, second.due_at) == (first.run_id, False, first.due_at)


async def test_an_archived_version_takes_no_runs_and_its_group_takes_them_for_the_newest(log: Log) -> None:
    first, second = await registered(log), await registered(log)
    runs = Headwater(log, ME).runs

    with pytest.raises(FlowArchived):
        await runs.create(first.flow_id, RunRequest())
    run = await runs.create(second.flow_group_id, RunRequest())
    created = (await load_run(log.events, run.run_id)).state.created
    assert created.flow_id == second.flow_id


async def test_a_waiting_run_is_cancelled_at_once_and_cancelling_again_changes_nothing(log: Log) -> None:
    flow = await registered(log)
    run = await Headwater(log, ME).runs.create(flow.flow_id, RunRequest())

    first = await Headwater(log, ME).runs.cancel(run.run_id, reason="not needed")
    second = await Headwater(log, ME).runs.cancel(run.run_id)

    assert (first.changed, first.state.state) == (True, StateName.CANCELLED)
    assert (second.changed, second.state.state) == (False, StateName.CANCELLED)
    await Headwater(log, ME).runs.rename(run.run_id, "bold-otter")
    assert (await load_run(log.events, run.run_id)).state.name == "bold-otter"

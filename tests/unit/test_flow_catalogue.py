"""Looking up flows and projects again and again, and by many at once: few reads, and never less than was there when it was asked."""

from __future__ import annotations

from collections import Counter

import anyio
import pytest
from harness.scenario import ACTOR, create_flow, metadata

from headwater.core.errors import FlowArchived, LogUnavailable
from headwater.core.log.memory import MemoryLog, Moment, Operation
from headwater.core.operations.flow_catalogue import FlowCatalogue
from headwater.core.operations.headwater import Headwater


def counted(log: MemoryLog) -> Counter[str]:
    reads: Counter[str] = Counter()

    def count(operation: Operation, moment: Moment, subject: str) -> None:
        if operation == "read" and moment == "asked":
            reads[subject.split(".")[2]] += 1

    log.interference = count
    return reads


async def test_many_at_once_share_their_reads() -> None:
    log = MemoryLog()
    flow = await create_flow(log)
    catalogue = FlowCatalogue(log.events)
    reads = counted(log)
    found: list[int] = []

    async def look() -> None:
        version, _, _ = await catalogue.resolve_active(flow.flow_group_id)
        found.append(version.flow_version)

    async with anyio.create_task_group() as group:
        for _ in range(100):
            group.start_soon(look)

    assert found == [1] * 100
    assert reads.total() <= 40  # of 200 look-ups


async def test_each_sees_what_was_there_when_it_asked() -> None:
    log = MemoryLog()
    flow = await create_flow(log)
    catalogue = FlowCatalogue(log.events)
    seen: list[tuple[int, int]] = []

    async def look(at_least: int) -> None:
        version, _, _ = await catalogue.resolve_active(flow.flow_group_id)
        seen.append((at_least, version.flow_version))

    async with anyio.create_task_group() as group:
        for number in range(2, 30):
            group.start_soon(look, number - 1)
            registered = await Headwater(log, ACTOR).flows.register(metadata("hello-flow", number), project_name="tutorial")
            assert registered.flow_version == number
            group.start_soon(look, number)

    assert all(found >= at_least for at_least, found in seen)
    assert len(seen) == 56


async def test_a_failed_read_fails_the_one_that_asked_and_the_next_reads_again() -> None:
    log = MemoryLog()
    flow = await create_flow(log)
    catalogue = FlowCatalogue(log.events)
    errors = [LogUnavailable("memory:", "away")]

    def away(operation: Operation, moment: Moment, _subject: str) -> None:
        if operation == "read" and moment == "asked" and errors:
            raise errors.pop()

    log.interference = away
    failed: list[LogUnavailable] = []
    found: list[int] = []

    async def look() -> None:
        try:
            version, _, _ = await catalogue.resolve_active(flow.flow_group_id)
        except LogUnavailable as error:
            failed.append(error)
        else:
            found.append(version.flow_version)

    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(look)

    assert (len(failed), found) == (1, [1] * 9)


async def test_an_archived_flow_is_refused_though_it_was_seen_before() -> None:
    log = MemoryLog()
    flow = await create_flow(log)
    catalogue = FlowCatalogue(log.events)
    await catalogue.resolve_active(flow.flow_id)

    await Headwater(log, ACTOR).flows.archive(flow.flow_group_id, 1)

    with pytest.raises(FlowArchived):
        await catalogue.resolve_active(flow.flow_id)

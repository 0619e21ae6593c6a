"""What changed between two moments is what a replay of both shows, and only what lies between is read."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from harness.scenario import ACTOR, claimed, create_flow, create_run, executed, lost

from headwater.audit import diff, replay
from headwater.audit.moment import position_at
from headwater.core.errors import CommandRejected
from headwater.core.log.memory import MemoryLog
from headwater.core.operations.headwater import Headwater


async def lived(log: MemoryLog, random: Random, steps: int = 60) -> None:
    flow = await create_flow(log)
    runs = [(await create_run(log, flow.flow_id)).run_id]
    for _ in range(steps):
        run_id = random.choice(runs)
        try:
            match random.randrange(6):
                case 0 | 1:
                    runs.append((await create_run(log, flow.flow_id)).run_id)
                case 2:
                    await claimed(log, run_id)
                case 3:
                    await lost(log, run_id)
                case 4:
                    await executed(log, run_id)
                case _:
                    await Headwater(log, ACTOR).runs.cancel(run_id)
        except CommandRejected:
            continue


@pytest.mark.parametrize("seed", range(5))
async def test_a_change_is_the_difference_of_two_replays(seed: int) -> None:
    log, random = MemoryLog(), Random(seed)
    await lived(log, random)
    tail = (await log.events.tail()).position
    before = random.randrange(tail)
    after = random.randrange(before, tail + 1)

    changed = {change.id: change for change in await diff(log.events, before, after) if change.kind == "run"}

    was = {run["id"]: run["state"] for run in (await replay(log.events, as_of=before)).runs}
    became = {run["id"]: run["state"] for run in (await replay(log.events, as_of=after)).runs}
    assert became.keys() - was.keys() == {run_id for run_id, change in changed.items() if change.change == "created"}
    for run_id, change in changed.items():
        assert became[run_id] == change.fields.get("state", (None, was.get(run_id)))[1]
        assert all(before < commit.position <= after for commit in change.commits)
    for run_id in was.keys() - changed.keys():
        assert was[run_id] == became[run_id]


async def test_what_lies_before_both_moments_is_not_read() -> None:
    log = MemoryLog()
    await lived(log, Random(1))
    before = (await log.events.tail()).position
    flow = await create_flow(log, "another")
    read: list[int] = []
    read_all = log.events.read_all

    def counted(*, after: int = 0, until: int | None = None) -> object:
        read.append(after)
        return read_all(after=after, until=until)

    log.events.read_all = counted  # type: ignore[method-assign, assignment]
    changes = await diff(log.events, before, None)

    assert flow.flow_group_id in {change.id for change in changes}
    assert read == [before]


async def test_the_position_at_a_time_is_that_of_the_last_commit_that_had_been_recorded() -> None:
    log = MemoryLog()
    await lived(log, Random(2))
    commits = [recorded async for batch in log.events.read_all() for recorded in batch]

    assert await position_at(log.events, commits[0].recorded_at - timedelta(seconds=1)) == 0
    assert await position_at(log.events, commits[-1].recorded_at + timedelta(seconds=1)) == len(commits)
    assert await position_at(log.events, None) == len(commits)
    assert await position_at(log.events, 7) == 7
    for recorded in commits:
        found = await position_at(log.events, recorded.recorded_at)
        assert found == max(each.position for each in commits if each.recorded_at <= recorded.recorded_at)

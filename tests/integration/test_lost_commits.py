"""A log that lost commits, as after a crash that tore its last block: a reader reaches its end, and says what is missing."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from harness.command_line import CommandLine, Ended
from harness.commits import a_commit, a_subject
from harness.scenario import create_flow, create_run, executed
from harness.servers import NatsCluster, NatsNode
from harness.views_fixtures import WAIT_SECONDS, hosted, opened, views_of

from headwater.audit import replay, verify
from headwater.core.log.commit import Position
from headwater.core.log.jetstream import open_log, streams
from headwater.core.log.jetstream.codec import EVENTS
from headwater.core.log.protocol import Log, Recorded
from headwater.core.queries.rebuild_client import rebuild_views


@pytest.fixture
def losable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Logs that are made now let a test remove commits, as the real one never does."""
    for protection in ("deny_delete", "deny_purge"):
        monkeypatch.setitem(streams.CONFIGS[EVENTS], protection, False)


@pytest.fixture
async def log(nats_url: str, losable: None) -> AsyncIterator[Log]:
    async with hosted(opened(nats_url)) as log:
        yield log


async def lose(log: Log, *positions: Position) -> None:
    for position in positions:
        await _ask(log, "MSG.DELETE", seq=position, no_erase=True)


async def purge(log: Log, **what: int) -> None:
    await _ask(log, "PURGE", **what)


async def _ask(log: Log, operation: str, **question: Any) -> None:
    answer = json.loads(await log.request(f"$JS.API.STREAM.{operation}.EVENTS", json.dumps(question).encode(), timeout=WAIT_SECONDS))
    assert answer.get("success"), answer


async def written(log: Log, count: int) -> list[Position]:
    """Append so many commits, each on a subject of its own; return their positions."""
    return [await log.events.append(a_subject(), a_commit(str(number)), expected=0) for number in range(count)]


async def everything(log: Log, *, after: Position = 0, until: Position | None = None) -> list[Recorded]:
    with anyio.fail_after(WAIT_SECONDS):
        return [recorded async for batch in log.events.read_all(after=after, until=until) for recorded in batch]


async def gaps(log: Log) -> list[tuple[tuple[Position, ...], str]]:
    with anyio.fail_after(WAIT_SECONDS):
        found = await verify(log, wake_ups=False)
    return [(violation.positions, violation.words) for violation in found.violations if violation.promise == "positions have no gaps"]


async def test_a_log_whose_last_commits_are_lost_is_read_to_its_end(log: Log) -> None:
    positions = await written(log, 10)
    await lose(log, *positions[7:])

    assert (await log.events.tail()).position == positions[-1]
    assert [recorded.position for recorded in await everything(log)] == positions[:7]
    assert await everything(log, after=positions[6]) == []
    assert await everything(log, after=positions[8]) == []
    assert [recorded.position for recorded in await everything(log, until=positions[8])] == positions[:7]


@pytest.mark.parametrize("lost", [(0,), (3,), (3, 4, 5), (0, 1, 5, 8, 9), tuple(range(10))])
async def test_a_log_is_read_to_its_end_wherever_commits_are_lost(log: Log, lost: tuple[int, ...]) -> None:
    positions = await written(log, 10)
    await lose(log, *(positions[index] for index in lost))
    kept = [position for index, position in enumerate(positions) if index not in lost]

    for until in (None, *positions):
        assert [each.position for each in await everything(log, until=until)] == [each for each in kept if until is None or each <= until]


@pytest.mark.parametrize("spoilt", [0, 2, 4])
async def test_a_log_is_read_to_its_end_where_a_commit_cannot_be_read_any_more(tmp_path: Path, spoilt: int) -> None:
    """A flipped bit: the broker counts the message among those that are there, and never delivers it."""
    node = NatsNode(tmp_path / "nats")
    node.start()
    try:
        async with opened(node.url) as log:
            positions = await written(log, 5)
        node.stop()
        (block,) = node.directory.glob("data/**/EVENTS/msgs/*.blk")
        data = bytearray(block.read_bytes())
        starts = [place.start() for place in re.finditer(rb"hw\.evt\.", data)]
        data[starts[spoilt]] ^= 1
        block.write_bytes(data)
        node.start()
        async with opened(node.url) as log:
            assert [each.position for each in await everything(log)] == [*positions[:spoilt], *positions[spoilt + 1 :]]
            assert await gaps(log) == [((positions[spoilt],), f"Position {positions[spoilt]} holds no commit: it is lost.")]
    finally:
        node.stop()


async def test_a_purged_log_is_read_to_its_end(log: Log) -> None:
    positions = await written(log, 10)
    await purge(log, seq=positions[4])
    assert [recorded.position for recorded in await everything(log)] == positions[4:]
    await purge(log, keep=1)
    assert [recorded.position for recorded in await everything(log)] == positions[9:]
    await purge(log)
    assert await everything(log) == []


async def test_what_is_appended_after_a_gap_is_read_and_followed(log: Log) -> None:
    positions = await written(log, 3)
    await lose(log, positions[2])

    async with log.events.follow("hw.evt.>", after=positions[0]) as batches:
        following = aiter(batches)
        assert [recorded.position for recorded in await anext(following)] == [positions[1]]
        (later,) = await written(log, 1)
        with anyio.fail_after(WAIT_SECONDS):
            assert [recorded.position for recorded in await anext(following)] == [later]
    assert later == positions[2] + 1
    assert [recorded.position for recorded in await everything(log)] == [*positions[:2], later]


async def test_the_audit_names_the_positions_that_hold_no_commit(log: Log) -> None:
    positions = await written(log, 10)
    assert await gaps(log) == []

    await lose(log, positions[0], positions[4], positions[5], positions[8], positions[9])

    assert await gaps(log) == [
        ((1,), "Position 1 holds no commit: it is lost."),
        ((5, 6), "Positions 5 to 6 hold no commit: it is lost."),
        ((9, 10), "Positions 9 to 10 hold no commit: it is lost."),
    ]
    with anyio.fail_after(WAIT_SECONDS):
        assert (await replay(log.events)).commits == 5


async def test_views_are_rebuilt_from_what_is_left(log: Log, database_url: str) -> None:
    flow = await create_flow(log)
    run = await create_run(log, flow.flow_id)
    end = await executed(log, run.run_id)
    # More than the rebuild would leave to the switch.
    await lose(log, *await written(log, 250))

    async with views_of(log, database_url) as views:
        with anyio.fail_after(4 * WAIT_SECONDS):
            done = await rebuild_views(log)
        assert done.state == "switched"
        assert (await views.run(run.run_id, at_least=end)).state == "Success"


async def test_a_replica_that_lags_is_not_taken_for_a_log_that_lost_something(nats_cluster: NatsCluster) -> None:
    async with open_log(nats_cluster.url, replicas=3, ensure_streams=True) as log, open_log(nats_cluster.urls[0]) as other:
        for _ in range(30):
            positions = await written(log, 5)
            assert (await everything(other, after=positions[0] - 1))[-1].position >= positions[-1]


async def test_the_commands_end_and_say_what_is_missing(log: Log, nats_url: str, tmp_path: Path) -> None:
    positions = await written(log, 10)
    await lose(log, *positions[3:5], *positions[8:])
    headwater = CommandLine(tmp_path, nats_url=nats_url)

    async def command(*words: str) -> Ended:
        return await anyio.to_thread.run_sync(lambda: headwater(*words))

    events = await command("events")
    checked = await command("audit", "check", "--facts-only")
    replayed = await command("audit", "replay")

    assert events.code == 0
    assert len(events.out.splitlines()) == 6
    assert "Warning: Positions 4 to 5 hold no commit" in events.err
    assert "Warning: Positions 9 to 10 hold no commit" in events.err
    assert checked.code == 1
    assert "Positions 9 to 10 hold no commit" in checked.out
    assert replayed.code == 0
    assert "6 commits folded" in replayed.out

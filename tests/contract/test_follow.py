from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

import anyio
import pytest
from harness.brokers import Broker
from harness.commits import a_commit, a_subject, texts
from harness.strangers import Stranger

from headwater.core.errors import LogUnavailable, OutcomeUnknown
from headwater.core.log import subjects
from headwater.core.log.commit import Position
from headwater.core.log.protocol import Log, Recorded
from headwater.core.values.identifiers import new_id

IN_TIME_SECONDS = 30.0


class Followed(NamedTuple):
    """A subject to write to, and what to follow from where so that exactly its commits are seen."""

    subject: str
    pattern: str
    begin: Position = 0


@pytest.fixture(params=["one subject", "a pattern", "everything"])
async def followed(request: pytest.FixtureRequest, log: Log) -> Followed:
    subject = subjects.run(new_id())
    match request.param:
        case "one subject":
            return Followed(subject, subject)
        case "a pattern":
            return Followed(subject, subject.replace(".run.", ".*."))
        case _:
            return Followed(subject, subjects.EVENTS_ALL, (await log.events.tail()).position)


async def test_a_follower_sees_what_is_there_and_what_comes(log: Log, other: Log, followed: Followed) -> None:
    subject, pattern, begin = followed
    position = await other.events.append(subject, a_commit("before"), expected=0)
    async with log.events.follow(pattern, after=begin) as commits:
        position = await other.events.append(subject, a_commit("after"), expected=position)
        await other.events.append(subject, a_commit("last"), expected=position)

        assert texts(await _seen(commits, 3)) == ["before", "after", "last"]


async def test_a_follower_begins_after_the_position_given(log: Log, followed: Followed) -> None:
    subject, pattern, _ = followed
    first = await log.events.append(subject, a_commit("old"), expected=0)
    async with log.events.follow(pattern, after=first) as commits:
        await log.events.append(subject, a_commit("new"), expected=first)

        assert texts(await _seen(commits, 1)) == ["new"]


async def test_followers_see_each_commit_once_in_order_while_others_write(log: Log, other: Log, followed: Followed) -> None:
    subject, pattern, begin = followed
    written = [str(number) for number in range(300)]

    async def write() -> None:
        position: Position = 0
        for text in written:
            position = await other.events.append(subject, a_commit(text), expected=position)

    async with anyio.create_task_group() as group:
        group.start_soon(write)
        async with log.events.follow(pattern, after=begin) as early, log.events.follow(pattern, after=begin) as late:
            assert texts(await _seen(early, 300)) == written
            assert texts(await _seen(late, 300)) == written


async def test_a_follower_of_one_subject_sees_no_other(log: Log) -> None:
    subject = a_subject()
    neighbour = subject[:-1] + ("0" if subject[-1] != "0" else "1")
    async with log.events.follow(subject) as commits:
        await log.events.append(neighbour, a_commit("not mine"), expected=0)
        await log.events.append(subject, a_commit("mine"), expected=0)

        assert texts(await _seen(commits, 1)) == ["mine"]


async def test_what_a_stranger_says_on_the_live_feed_hides_nothing_that_follows(broker: Broker, log: Log, other: Log) -> None:
    if broker.name == "memory":
        pytest.skip("needs a feed that strangers can write to")
    subject = a_subject()
    async with log.events.follow(subject) as commits:
        position = await other.events.append(subject, a_commit("first"), expected=0)
        assert texts(await _seen(commits, 1)) == ["first"]
        with Stranger(other.url.split(",")[0]) as stranger:
            for previous, lie in ((position, 10**18), (0, position + 5), (10**18, 10**18 + 1), (position, position + 7)):
                told = b"NATS/1.0\r\nNats-Sequence: %d\r\nNats-Last-Sequence: %d\r\nNats-Subject: x\r\nNats-Time-Stamp: %s\r\n\r\n"
                stranger.write(subjects.live(subject), b"a lie", headers=told % (lie, previous, b"2026-11-21T12:00:00Z"))
        for text in ("second", "third"):
            position = await other.events.append(subject, a_commit(text), expected=position)

        seen: list[str] = []
        with anyio.fail_after(IN_TIME_SECONDS):
            while len(seen) < 2:
                seen += texts(each for each in await anext(commits) if each.dead_letter is None)
    assert seen == ["second", "third"]


async def test_a_wait_that_is_given_up_loses_nothing(log: Log, followed: Followed) -> None:
    subject, pattern, begin = followed
    async with log.events.follow(pattern, after=begin) as commits:
        with anyio.move_on_after(0):
            await anext(commits)
        with anyio.move_on_after(0.02):
            await anext(commits)
        await log.events.append(subject, a_commit("here"), expected=0)

        assert texts(await _seen(commits, 1)) == ["here"]


async def test_a_follower_goes_on_over_a_broken_connection(broker: Broker, other: Log, followed: Followed) -> None:
    subject, pattern, begin = followed
    async with broker.open_breakable() as breakable, breakable.log.events.follow(pattern, after=begin) as commits:
        position = await other.events.append(subject, a_commit("before"), expected=0)
        assert texts(await _seen(commits, 1)) == ["before"]

        breakable.cut()
        position = await other.events.append(subject, a_commit("while away"), expected=position)
        await other.events.append(subject, a_commit("after"), expected=position)

        assert texts(await _seen(commits, 2)) == ["while away", "after"]


async def test_a_follower_goes_on_over_a_killed_broker(broker: Broker, log: Log, other: Log, followed: Followed) -> None:
    subject, pattern, begin = followed
    written = [str(number) for number in range(40)]

    async def write() -> None:
        position: Position = 0
        for number, text in enumerate(written):
            if number == 10:
                broker.kill()
                broker.restart()
            position = await _append_surely(other, subject, text, expected=position)

    async with anyio.create_task_group() as group, log.events.follow(pattern, after=begin) as commits:
        group.start_soon(write)

        assert texts(await _seen(commits, 40)) == written


async def test_on_three_nodes_life_goes_on_while_the_leader_is_dead(broker: Broker, log: Log, other: Log, followed: Followed) -> None:
    if broker.name != "three nodes":
        pytest.skip("needs a cluster: a single broker that is dead takes no appends")
    subject, pattern, begin = followed
    async with log.events.follow(pattern, after=begin) as commits:
        position = await _append_surely(other, subject, "before", expected=0)
        assert texts(await _seen(commits, 1)) == ["before"]
        broker.kill()
        try:
            await _append_surely(other, subject, "leaderless", expected=position)

            assert texts(await _seen(commits, 1)) == ["leaderless"]
        finally:
            broker.restart()


async def test_reading_all_goes_on_over_a_killed_broker(broker: Broker, log: Log, other: Log) -> None:
    before = (await log.events.tail()).position
    subject = a_subject()
    position: Position = 0
    for number in range(1500):
        position = await _append_surely(other, subject, str(number), expected=position)
    killed = False
    positions: list[Position] = []
    async for batch in log.events.read_all(after=before):
        positions += [recorded.position for recorded in batch]
        if not killed:
            killed = True
            broker.kill()
            broker.restart()

    assert positions == list(range(before + 1, before + 1501))


async def _seen(commits: AsyncIterator[Sequence[Recorded]], count: int) -> list[Recorded]:
    """The next `count` commits, and not one more."""
    seen: list[Recorded] = []
    with anyio.fail_after(IN_TIME_SECONDS):
        while len(seen) < count:
            seen += await anext(commits)
    assert len(seen) == count
    return seen


async def _append_surely(log: Log, subject: str, text: str, *, expected: Position) -> Position:
    """Append whatever it takes: errors of a broker that is away are answered by repeating the same commit."""
    commit = a_commit(text)
    with anyio.fail_after(IN_TIME_SECONDS):
        while True:
            try:
                return await log.events.append(subject, commit, expected=expected)
            except (LogUnavailable, OutcomeUnknown):
                continue

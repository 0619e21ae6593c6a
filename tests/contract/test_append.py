from __future__ import annotations

import anyio
import pytest
from harness.brokers import Broker
from harness.commits import AT, a_commit, a_creation, a_subject, an_item, texts

from headwater.core.errors import CommitTooLarge, Conflict, OutcomeUnknown
from headwater.core.events import NameReleased, RunCancelRequested
from headwater.core.log import subjects
from headwater.core.log.commit import Commit, Position, new_commit
from headwater.core.log.protocol import Append, EventLog, Log
from headwater.core.values.identifiers import new_id


async def test_what_was_appended_is_read_back_as_it_was(log: Log) -> None:
    subject, commit = a_subject(), a_commit('Grüße, 🌊 and "quotes"')

    position = await log.events.append(subject, commit, expected=0)

    [recorded] = await log.events.read(subject)
    assert (recorded.position, recorded.subject, recorded.commit) == (position, subject, commit)


async def test_a_stale_append_is_refused_and_learns_what_is_there(log: Log, other: Log) -> None:
    subject = a_subject()
    first = await log.events.append(subject, a_commit("first"), expected=0)

    with pytest.raises(Conflict) as refused:
        await other.events.append(subject, a_commit("stale"), expected=0)

    assert refused.value.found == first
    assert texts(await log.events.read(subject)) == ["first"]


async def test_expecting_what_was_never_there_is_refused(log: Log) -> None:
    subject = a_subject()
    first = await log.events.append(subject, a_commit("first"), expected=0)

    with pytest.raises(Conflict) as refused:
        await log.events.append(subject, a_commit("from another log"), expected=first + 1000)

    assert refused.value.found == first


async def test_of_many_who_expect_the_same_exactly_one_wins(log: Log, other: Log) -> None:
    subject = a_subject()
    won: list[str] = []
    refused: list[str] = []

    async def attempt(events: EventLog, text: str) -> None:
        try:
            await events.append(subject, a_commit(text), expected=0)
        except Conflict:
            refused.append(text)
        else:
            won.append(text)

    async with anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(attempt, (log, other)[number % 2].events, f"writer {number}")

    assert len(won) == 1
    assert len(refused) == 19
    assert texts(await log.events.read(subject)) == won


async def test_writers_in_flight_against_each_other_lose_nothing(log: Log, other: Log) -> None:
    subject = a_subject()

    async def write(events: EventLog, name: str) -> None:
        seen: Position = 0
        for number in range(12):
            commit = a_commit(f"{name}{number}")
            while True:
                try:
                    seen = await events.append(subject, commit, expected=seen)
                    break
                except Conflict as conflict:
                    seen = (await events.read(subject, after=seen, at_least=conflict.found or 0))[-1].position

    async with anyio.create_task_group() as group:
        for name, writer in (("a", log), ("b", other), ("c", log), ("d", other)):
            group.start_soon(write, writer.events, name)

    history = texts(await log.events.read(subject))
    assert sorted(history) == sorted(f"{name}{number}" for name in "abcd" for number in range(12))
    for name in "abcd":
        own = [text for text in history if text.startswith(name)]
        assert own == [f"{name}{number}" for number in range(12)]


async def test_repeating_a_commit_returns_its_position_and_writes_nothing(log: Log) -> None:
    subject, commit = a_subject(), a_commit("once")
    position = await log.events.append(subject, commit, expected=0)
    await log.events.append(subject, a_commit("later"), expected=position)

    assert await log.events.append(subject, commit, expected=0) == position
    assert texts(await log.events.read(subject)) == ["once", "later"]


async def test_an_append_whose_reply_is_lost_takes_effect_once(broker: Broker, log: Log) -> None:
    subject, commit = a_subject(), a_commit("once")
    async with broker.open_breakable() as breakable:
        breakable.lose_the_reply_to(subject)
        position = await _append_until_known(breakable.log, subject, commit)
        assert breakable.work_lost == 1

    [recorded] = await log.events.read(subject)
    assert (recorded.position, recorded.commit) == (position, commit)


async def test_a_lost_reply_does_not_hide_that_another_was_first(broker: Broker, log: Log) -> None:
    subject = a_subject()
    await log.events.append(subject, a_commit("first"), expected=0)
    async with broker.open_breakable() as breakable:
        breakable.lose_the_reply_to(subject)

        with pytest.raises(Conflict):
            await _append_until_known(breakable.log, subject, a_commit("second"))

    assert texts(await log.events.read(subject)) == ["first"]


async def test_several_subjects_are_appended_to_together(log: Log) -> None:
    project, name = a_subject(), subjects.name("project", a_subject())
    released = new_commit([NameReleased("project", "tutorial", new_id())], at=AT, actor="test")

    last = await log.events.append_together([Append(name, released, 0), Append(project, a_commit("renamed"), 0)])

    [claimed], [renamed] = await log.events.read(name), await log.events.read(project)
    assert (claimed.position, renamed.position) == (last - 1, last)


async def test_of_appends_together_none_takes_effect_if_one_is_stale(log: Log) -> None:
    fresh, taken = a_subject(), a_subject()
    await log.events.append(taken, a_commit("first"), expected=0)

    for together in (
        [Append(fresh, a_commit(), 0), Append(taken, a_commit(), 0)],
        [Append(taken, a_commit(), 0), Append(fresh, a_commit(), 0)],
    ):
        with pytest.raises(Conflict) as refused:
            await log.events.append_together(together)
        assert refused.value.subject == taken

    assert await log.events.read(fresh) == []
    assert texts(await log.events.read(taken)) == ["first"]


async def test_repeating_appends_together_writes_nothing(log: Log) -> None:
    together = [Append(a_subject(), a_commit("one"), 0), Append(a_subject(), a_commit("two"), 0)]
    last = await log.events.append_together(together)

    assert await log.events.append_together(together) == last


async def test_many_appends_together_at_once_all_succeed(log: Log) -> None:
    pairs = [[Append(a_subject(), a_commit("one"), 0), Append(a_subject(), a_commit("two"), 0)] for _ in range(80)]

    async with anyio.create_task_group() as group:
        for pair in pairs:
            group.start_soon(log.events.append_together, pair)

    for pair in pairs:
        assert [texts(await log.events.read(each.subject)) for each in pair] == [["one"], ["two"]]


async def test_a_commit_that_no_message_can_hold_is_refused(log: Log) -> None:
    subject = a_subject()
    huge = new_commit([RunCancelRequested(reason="x" * 950_000)], at=AT, actor="test")

    with pytest.raises(CommitTooLarge):
        await log.events.append(subject, huge, expected=0)

    assert await log.events.read(subject) == []


async def test_a_commit_of_half_a_megabyte_is_appended_and_read(log: Log) -> None:
    subject = a_subject()
    big = new_commit([RunCancelRequested(reason="x" * 512 * 1024)], at=AT, actor="test")

    await log.events.append(subject, big, expected=0)

    assert [recorded.commit for recorded in await log.events.read(subject)] == [big]


async def test_a_run_is_created_by_a_wake_up_and_an_append_under_way_at_once(log: Log, queue_id: str) -> None:
    run_id = new_id()
    commit = a_creation(run_id, queue_id)
    item = an_item(queue_id, run_id=run_id, creation=commit)
    subject = subjects.run(item.run_id)

    async with anyio.create_task_group() as group:
        group.start_soon(log.queues.enqueue, item)
        await log.events.append(subject, commit, expected=0)

    async with log.queues.bind(queue_id, lease_seconds=10) as binding:
        delivery = await anext(aiter(binding))
        assert delivery.item == item
        # The agent that is woken may complete the creation; it is there already, so that changes nothing.
        assert delivery.item.creation is not None
        await log.events.append(subject, delivery.item.creation, expected=0)
        await delivery.ack()
    assert [recorded.commit for recorded in await log.events.read(subject)] == [commit]


async def _append_until_known(log: Log, subject: str, commit: Commit) -> Position:
    while True:
        try:
            return await log.events.append(subject, commit, expected=0)
        except OutcomeUnknown:
            continue

from __future__ import annotations

from harness.commits import AT, a_commit, a_subject, texts

from headwater.core.events import RunCancelRequested
from headwater.core.log.commit import Position, new_commit
from headwater.core.log.protocol import EventLog, Log, Recorded


async def test_a_subject_without_commits_is_empty(log: Log) -> None:
    assert await log.events.read(a_subject()) == []


async def test_a_subject_is_read_in_the_order_of_its_appends(log: Log) -> None:
    subject, neighbour = a_subject(), a_subject()
    await _append_many(log.events, subject, ["a", "b"])
    await _append_many(log.events, neighbour, ["not mine"])
    await _append_many(log.events, subject, ["c", "d"], expected=(await log.events.read(subject))[-1].position)

    recorded = await log.events.read(subject)

    assert texts(recorded) == ["a", "b", "c", "d"]
    assert sorted(each.position for each in recorded) == [each.position for each in recorded]


async def test_the_subjects_that_match_a_pattern_are_read_in_the_order_of_their_appends(log: Log) -> None:
    one, other = a_subject(), a_subject()
    before = (await log.events.tail()).position
    await _append_many(log.events, one, ["a"])
    await _append_many(log.events, other, ["b"])
    await _append_many(log.events, one, ["c"], expected=(await log.events.read(one))[-1].position)

    recorded = await log.events.read("hw.evt.run.*", after=before)

    assert texts(recorded) == ["a", "b", "c"]
    assert [each.subject for each in recorded] == [one, other, one]
    assert texts(await log.events.read("hw.evt.run.*", after=recorded[0].position)) == ["b", "c"]
    assert await log.events.read("hw.evt.queue.*", after=before) == []


async def test_the_last_commits_of_many_subjects_are_found_at_once(log: Log, other: Log) -> None:
    assert await log.events.last_of_each(a_subject()) == []
    ends: dict[str, Position] = {}
    for number in range(30):
        subject = a_subject()
        await _append_many(other.events, subject, [str(each) for each in range(number % 4 + 1)])
        ends[subject] = (await other.events.read(subject))[-1].position

    async def found() -> list[tuple[str, Position]]:
        return [(each.subject, each.position) for each in await log.events.last_of_each("hw.evt.run.*") if each.subject in ends]

    assert await found() == list(ends.items())

    again = next(iter(ends))
    ends[again] = await other.events.append(again, a_commit("again"), expected=ends.pop(again))
    assert await found() == list(ends.items())


async def test_reading_on_begins_after_the_position_given(log: Log) -> None:
    subject = a_subject()
    await _append_many(log.events, subject, ["a", "b", "c"])
    first, *rest = await log.events.read(subject)

    assert texts(await log.events.read(subject, after=first.position)) == texts(rest)
    assert await log.events.read(subject, after=rest[-1].position) == []


async def test_a_long_history_is_read_whole(log: Log) -> None:
    subject = a_subject()
    written = [f"{number:04} {'x' * 4000}" for number in range(1100)]
    await _append_many(log.events, subject, written)

    assert texts(await log.events.read(subject)) == written


async def test_what_an_append_returned_is_seen_by_a_reader_that_asks_for_it(log: Log, other: Log) -> None:
    subject = a_subject()
    position: Position = 0
    for number in range(60):
        position = await log.events.append(subject, a_commit(str(number)), expected=position)

        assert (await other.events.read(subject, at_least=position))[-1].position == position


async def test_the_time_of_recording_is_the_same_however_it_is_read(log: Log) -> None:
    subject = a_subject()
    async with (
        log.events.follow(subject) as announced,
        log.events.follow("hw.evt.run.*", after=(await log.events.tail()).position) as all_runs,
    ):
        position = await log.events.append(subject, a_commit(), expected=0)
        [read] = await log.events.read(subject)
        [live] = await anext(announced)
        [followed] = await anext(all_runs)
    [listed] = [recorded async for batch in log.events.read_all(after=position - 1, until=position) for recorded in batch]

    assert read.recorded_at == live.recorded_at == followed.recorded_at == listed.recorded_at
    assert read.data == live.data == followed.data == listed.data


async def test_everything_is_read_in_order_and_without_gaps(log: Log) -> None:
    before = (await log.events.tail()).position
    subjects = [a_subject() for _ in range(4)]
    for subject in subjects:
        await _append_many(log.events, subject, [str(number) for number in range(600)])

    everything = await _all(log.events, after=before)

    assert [recorded.position for recorded in everything] == list(range(before + 1, before + 2401))
    assert [recorded.subject for recorded in everything] == [subject for subject in subjects for _ in range(600)]


async def test_a_reader_of_large_commits_is_not_too_slow_for_the_broker(log: Log, other: Log) -> None:
    before = (await log.events.tail()).position
    subject, size, count = a_subject(), 400_000, 60
    position: Position = 0
    for _ in range(count):
        commit = new_commit([RunCancelRequested(reason="x" * size)], at=AT, actor="test")
        position = await other.events.append(subject, commit, expected=position)
    lost = False

    def note() -> None:
        nonlocal lost
        lost = True

    log.on_reconnect(note)

    assert len(await log.events.read(subject, at_least=position)) == count
    assert len(await _all(log.events, after=before)) == count
    assert not lost


async def test_reading_all_stops_at_the_tail_of_the_moment_or_before(log: Log) -> None:
    position = await log.events.append(a_subject(), a_commit(), expected=0)
    end = await log.events.append(a_subject(), a_commit(), expected=0)

    assert [recorded.position for recorded in await _all(log.events, after=position - 1, until=position)] == [position]
    assert [recorded.position for recorded in await _all(log.events, after=position - 1, until=end + 1000)] == [position, end]
    assert await _all(log.events, after=end) == []


async def test_the_tail_names_the_log_and_grows_with_it(log: Log, other: Log) -> None:
    before = await log.events.tail()
    position = await log.events.append(a_subject(), a_commit(), expected=0)

    after = await other.events.tail()

    assert after.identity == before.identity
    assert (before.position, after.position) == (position - 1, position)


async def _append_many(events: EventLog, subject: str, written: list[str], *, expected: Position = 0) -> None:
    for text in written:
        expected = await events.append(subject, a_commit(text), expected=expected)


async def _all(events: EventLog, *, after: Position, until: Position | None = None) -> list[Recorded]:
    return [recorded async for batch in events.read_all(after=after, until=until) for recorded in batch]


async def test_the_last_commit_of_a_subject_is_had_without_those_before_it(log: Log) -> None:
    subject, neighbour = a_subject(), a_subject()

    assert await log.events.last(subject) is None
    await _append_many(log.events, subject, ["a", "b", "c"])
    await _append_many(log.events, neighbour, ["not mine"])
    last = await log.events.last(subject)

    assert last is not None
    assert texts([last]) == ["c"]
    assert last.position == (await log.events.read(subject))[-1].position


async def test_what_an_append_returned_is_the_last_commit_for_everyone(log: Log, other: Log) -> None:
    subject = a_subject()
    position: Position = 0
    for number in range(40):
        position = await log.events.append(subject, a_commit(str(number)), expected=position)
        last = await other.events.last(subject)

        assert last is not None
        assert last.position == position

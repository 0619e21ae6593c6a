from __future__ import annotations

from harness.commits import AT

from headwater.core.log.dead_letters import KEPT_BYTES_MAX, DeadLetter, dead_letter
from headwater.core.log.protocol import Log
from headwater.core.values.identifiers import new_id


def a_letter(data: bytes = b"\xff\x00 garbage\n in two lines", *, subject: str = "") -> DeadLetter:
    return dead_letter(subject or f"hw.scheduled.queue.{new_id()}", data, "It is not a work item.", reported_by="agent:one", at=AT)


async def test_a_dead_letter_is_kept_with_its_bytes_as_they_were(log: Log) -> None:
    letter = a_letter()

    position = await log.dead_letters.keep(letter)

    assert await log.dead_letters.get(position) == letter
    assert (position, letter) in await log.dead_letters.read()


async def test_one_that_is_found_twice_is_kept_once(log: Log) -> None:
    letter = a_letter()

    assert await log.dead_letters.keep(letter) == await log.dead_letters.keep(letter)
    assert [kept.letter for kept in await log.dead_letters.read()].count(letter) == 1


async def test_the_largest_message_can_be_kept_and_tells_its_size(log: Log) -> None:
    position = await log.dead_letters.keep(a_letter(b"x" * 1024 * 1024))

    kept = await log.dead_letters.get(position)
    assert kept is not None
    assert (len(kept.data), kept.size) == (KEPT_BYTES_MAX, 1024 * 1024)


async def test_what_is_removed_is_gone(log: Log) -> None:
    position = await log.dead_letters.keep(a_letter())

    await log.dead_letters.remove(position)
    await log.dead_letters.remove(position)

    assert await log.dead_letters.get(position) is None


async def test_facts_and_log_lines_are_found_by_their_position(log: Log) -> None:
    tail = (await log.events.tail()).position

    assert await log.events.at(tail + 1_000_000) is None
    assert await log.logs.at(1_000_000) is None
    assert await log.logs.bytes_at(1_000_000) is None

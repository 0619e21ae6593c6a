"""An aggregate whose last event tells all is read as quickly however long its history is."""

from __future__ import annotations

import pytest
from harness.scenario import ACTOR

from headwater.core.events import SlotTaken
from headwater.core.log import subjects
from headwater.core.log.commit import new_commit
from headwater.core.log.memory import MemoryLog
from headwater.core.operations.headwater import Headwater
from headwater.core.slots.state import Slots
from headwater.core.values.identifiers import new_id

GROUP = new_id()


class Counted:
    """How many commits of slots were read."""

    def __init__(self, log: MemoryLog, monkeypatch: pytest.MonkeyPatch) -> None:
        self.commits = 0
        read = log.events.read

        async def counting(subject: str, *, after: int = 0, at_least: int = 0) -> list[object]:
            found = await read(subject, after=after, at_least=at_least)
            self.commits += len(found)
            return found  # type: ignore[return-value]

        monkeypatch.setattr(log.events, "read", counting)


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


async def used(log: MemoryLog, times: int) -> None:
    """Take and free slots of the flow, and leave one taken."""
    slots = Headwater(log, ACTOR).slots
    await slots.limit(GROUP, 2)
    for _ in range(times):
        run_id = new_id()
        await slots.take(GROUP, run_id, 1)
        await slots.free(GROUP, run_id, 1)
    await slots.take(GROUP, GROUP, 7)


async def test_slots_are_read_from_their_last_event(log: MemoryLog, monkeypatch: pytest.MonkeyPatch) -> None:
    await used(log, 200)
    counted = Counted(log, monkeypatch)

    assert await Headwater(log, ACTOR).slots.of(GROUP).refresh() == Slots(2, {GROUP: 7})
    await Headwater(log, ACTOR).slots.take(GROUP, new_id(), 1)
    assert counted.commits == 0


async def test_slots_whose_last_event_does_not_tell_all_are_read_whole(log: MemoryLog, monkeypatch: pytest.MonkeyPatch) -> None:
    await used(log, 3)
    subject = subjects.slots(GROUP)
    last = await log.events.last(subject)
    assert last is not None
    run_id = new_id()
    older = new_commit([SlotTaken(run_id, 1)], at=last.recorded_at, actor="an older version")
    await log.events.append(subject, older, expected=last.position)
    counted = Counted(log, monkeypatch)

    assert await Headwater(log, ACTOR).slots.of(GROUP).refresh() == Slots(2, {GROUP: 7, run_id: 1})
    assert counted.commits == 9


async def test_what_cannot_be_read_at_the_end_hides_nothing_before_it(log: MemoryLog) -> None:
    await used(log, 3)
    log.events.plant(subjects.slots(GROUP), b"garbage")

    assert await Headwater(log, ACTOR).slots.of(GROUP).refresh() == Slots(2, {GROUP: 7})

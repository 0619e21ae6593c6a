"""How much there is of facts, of work, and of log lines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from harness.commits import a_commit, a_subject

from headwater.core.log.protocol import Log, LogLine, StreamSize, WorkItem
from headwater.core.values.identifiers import new_id

NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def _sizes(log: Log) -> dict[str, StreamSize]:
    return {size.name: size for size in await log.sizes()}


async def test_what_is_stored_is_counted_where_it_lies(log: Log, queue_id: str) -> None:
    before = await _sizes(log)
    run_id = new_id()

    await log.events.append(a_subject(), a_commit("x" * 500), expected=0)
    await log.queues.enqueue(WorkItem(run_id=run_id, queue_id=queue_id, generation=1))
    await log.queues.set_timer(WorkItem(run_id=new_id(), queue_id=queue_id, generation=1), due=datetime.now(UTC) + timedelta(hours=1))
    await log.logs.write(run_id, 1, [LogLine(NOW, 20, "headwater", "y" * 500)])

    after = await _sizes(log)
    assert list(after) == ["EVENTS", "WORK", "LOGS"]
    grown = {name: (size.messages - before[name].messages, size.bytes - before[name].bytes) for name, size in after.items()}
    assert {name: messages for name, (messages, _) in grown.items()} == {"EVENTS": 1, "WORK": 2, "LOGS": 1}
    assert grown["EVENTS"][1] >= 500 <= grown["LOGS"][1]
    for size in after.values():
        assert size.first is not None
        assert size.last is not None
        assert size.first <= size.last
        assert size.last.tzinfo is not None
    assert after["EVENTS"].age_seconds_max is None

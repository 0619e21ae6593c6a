"""`headwater schedules check` on a log that is damaged: it says what is wrong, and fails."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio.to_thread
import pytest
from harness.command_line import CommandLine
from harness.scenario import ACTOR, create_flow
from harness.views_fixtures import hosted, opened

from headwater.core.calendar import CronSchedule
from headwater.core.events import ScheduleSkipped, SkipReason
from headwater.core.log import subjects
from headwater.core.log.protocol import Log
from headwater.core.operations.schedules import schedule
from headwater.core.values.identifiers import schedule_id


@pytest.fixture
async def log(nats_url: str) -> AsyncIterator[Log]:
    async with hosted(opened(nats_url)) as log:
        yield log


async def test_an_outcome_of_a_moment_that_is_not_a_time_is_found_without_a_server(log: Log, nats_url: str, tmp_path: Path) -> None:
    flow = await create_flow(log, "etl", schedule=CronSchedule("0 0 * * *").serialize())
    planned = schedule(log.events, schedule_id(flow.flow_group_id))
    await planned.refresh()
    moment = datetime.now(UTC) + timedelta(seconds=1)
    commit = ACTOR.commit([ScheduleSkipped(nominal=moment, because=SkipReason.OVERLAP)])
    await log.events.append(planned.subject, commit, expected=planned.position)
    headwater = CommandLine(tmp_path, nats_url=nats_url)

    ended = await anyio.to_thread.run_sync(lambda: headwater("schedules", "check"))

    assert ended.code == 1
    assert f"✗ {subjects.address(planned.subject).id}: " in ended.out
    assert "is not a time of the schedule." in ended.out
    assert ended.out.endswith("1 schedule, 1 outcome, 0 runs: 0 unexplained times, 1 other finding.\n")
    explained = await anyio.to_thread.run_sync(
        lambda: headwater("schedules", "explain", "etl", "--project", "tutorial", "--at", moment.isoformat())
    )
    assert (explained.code, "It has no run: an earlier run had not ended." in explained.out) == (0, True)

"""A whole server, NATS and all, is down over three times of schedules: each policy makes up for them as the guide says."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from harness.running_server import RunningServer
from harness.scenario import create_flow
from harness.servers import wait_for

from headwater.audit import check_schedules
from headwater.core.aggregates import Actor
from headwater.core.calendar.schedules import IntervalSchedule
from headwater.core.events import AnyEvent, ScheduleCaughtUp, ScheduleFired
from headwater.core.log import subjects
from headwater.core.log.jetstream import open_log
from headwater.core.log.protocol import Log
from headwater.core.operations.headwater import Headwater
from headwater.core.values.identifiers import schedule_id

EACH = timedelta(seconds=4)
POLICIES = ("latest", "all", "none", "merge")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    running = RunningServer(tmp_path)
    running.start()
    yield running
    running.stop()


async def test_each_policy_makes_up_for_three_missed_times_as_the_guide_says(server: RunningServer) -> None:
    now = datetime.now(UTC)
    async with open_log(server.addresses.nats_url) as log:
        headwater = Headwater(log, Actor("test"))
        group = (await create_flow(log, schedule=IntervalSchedule(timedelta(days=365)).serialize())).flow_group_id
        for policy in POLICIES:
            schedule = IntervalSchedule(EACH, now, overlap="allow", missed=policy)
            await headwater.schedules.set(group, schedule.serialize(), slug=policy)
    server.signal(signal.SIGKILL)
    server.ended()
    down = datetime.now(UTC)
    missed = [now + number * EACH for number in range(1, 20) if now + number * EACH > down][:3]
    wait_for(lambda: datetime.now(UTC) > missed[-1], "three times are over", timeout_seconds=60)

    server.start()
    async with open_log(server.addresses.nats_url) as log:
        told = {policy: await caught_up(log, schedule_id(group, policy), missed[-1]) for policy in POLICIES}
        report = await check_schedules(log.events)

    spans = {policy: next(event for event in events if isinstance(event, ScheduleCaughtUp)) for policy, events in told.items()}
    fired = {policy: [event for event in events if isinstance(event, ScheduleFired)] for policy, events in told.items()}
    assert {policy: span.policy for policy, span in spans.items()} == {policy: policy for policy in POLICIES}
    # A time or two more may have come while the server started; of the three that were missed it is as the policy says.
    nominal = {policy: [event.nominal for event in events] for policy, events in fired.items()}
    assert nominal["all"][:3] == missed
    assert nominal["latest"][0] >= missed[-1]
    assert nominal["merge"][0] >= missed[-1]
    assert fired["merge"][0].interval_start == missed[0] - EACH
    assert all(time >= missed[-1] for time in nominal["none"])
    assert spans["all"].left_out == 0
    assert all((spans[policy].left_out or 0) >= 2 for policy in ("latest", "merge", "none"))
    assert report.findings == ()


async def caught_up(log: Log, planned: str, last: datetime) -> list[AnyEvent]:
    """Return what was recorded of the schedule since the outage, once the last missed time has an outcome."""
    found: list[AnyEvent] = []
    async with log.events.follow(subjects.schedule(planned)) as commits:
        async for batch in commits:
            for recorded in batch:
                found += recorded.events
                after = getattr(recorded.events[-1], "after", None)
                if after is not None and after.decided >= last:
                    since = next(number for number, event in enumerate(found) if isinstance(event, ScheduleCaughtUp))
                    return found[since:]
    raise AssertionError("the log is followed for ever")

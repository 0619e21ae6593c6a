"""A run monitor in this process, on a connection of its own: for tests of what happens when no agent is left."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from headwater.audit import verify
from headwater.core.log.jetstream import open_log
from headwater.core.log.protocol import Log
from headwater.server.monitor import RunMonitor
from headwater.server.monitor.monitor_times import MonitorTimes


@asynccontextmanager
async def running_monitor(url: str, *, name: str = "run-monitor", times: MonitorTimes | None = None) -> AsyncIterator[RunMonitor]:
    """A run monitor that has caught up, ended with the block."""
    async with open_log(url, name=name) as log, anyio.create_task_group() as group:
        run_monitor = RunMonitor(log, actor=name, times=times)
        await group.start(run_monitor.serve)
        await run_monitor.caught_up()
        yield run_monitor
        group.cancel_scope.cancel()


async def promises_are_kept(log: Log) -> None:
    """Fail where the log breaks a promise of Headwater's, naming each."""
    violations = (await verify(log)).violations
    assert not violations, "\n".join(f"{each.promise} ({each.subject}, {each.positions}): {each.words}" for each in violations)

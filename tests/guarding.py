"""A warden at work in this process, on a connection of its own: for tests of what happens when nobody else is left."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from headwater.core.log.jetstream import open_log
from headwater.core.log.protocol import Log
from headwater.projections.audit import check
from headwater.server.warden import Warden


@asynccontextmanager
async def guarded(url: str, *, name: str = "warden") -> AsyncIterator[Warden]:
    """A warden that has caught up, ended with the block."""
    async with open_log(url, name=name) as log, anyio.create_task_group() as group:
        warden = Warden(log, actor=name)
        await group.start(warden.serve)
        await warden.caught_up()
        yield warden
        group.cancel_scope.cancel()


async def promises_are_kept(log: Log) -> None:
    """Fail where the log breaks a promise of Headwater's, naming each."""
    violations = (await check(log)).violations
    assert not violations, "\n".join(f"{each.promise} ({each.subject}, {each.positions}): {each.words}" for each in violations)

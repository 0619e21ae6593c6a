"""What runs kept for their next attempts goes when they ended long ago, and nothing else does."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness.scenario import claimed, create_flow, create_run, executed

from headwater.agents.local.checkpoint_cleanup import CheckpointCleanup
from headwater.core.aggregates import Actor
from headwater.core.log.memory import MemoryLog
from headwater.core.operations.headwater import Headwater
from headwater.core.values.identifiers import new_id

IN_40_DAYS = datetime.now(UTC) + timedelta(days=40)


def kept(home: Path, run_id: str, name: str = "values-1-host-42") -> Path:
    path = home / "results" / "hello-flow" / run_id / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"values")
    return path


def tidying(log: MemoryLog, home: Path, *, days: float = 30.0) -> CheckpointCleanup:
    return CheckpointCleanup(log.events, home / "results", days, clock=lambda: IN_40_DAYS)


async def test_values_of_a_run_that_ended_long_ago_are_removed_with_their_folders(tmp_path: Path) -> None:
    log = MemoryLog()
    run_id = (await create_run(log, (await create_flow(log)).flow_id)).run_id
    await executed(log, run_id)
    files = [kept(tmp_path, run_id), kept(tmp_path, run_id, "values-2-host-43")]

    assert await tidying(log, tmp_path).tidy() == 1

    assert not any(file.exists() for file in files)
    assert list((tmp_path / "results").iterdir()) == []


async def test_what_may_be_needed_or_is_a_users_stays(tmp_path: Path) -> None:
    log = MemoryLog()
    flow_id = (await create_flow(log)).flow_id
    ended, restarted, held, waiting = [(await create_run(log, flow_id)).run_id for _ in range(4)]
    for run_id in (ended, restarted):
        await executed(log, run_id, failed=True)
    await Headwater(log, Actor("test")).runs.restart(restarted)
    await claimed(log, held)
    files = [kept(tmp_path, run_id) for run_id in (restarted, held, waiting, new_id(), "no-run-at-all")]
    written_lately = kept(tmp_path, ended)
    os.utime(written_lately, times=(IN_40_DAYS.timestamp(), IN_40_DAYS.timestamp()))
    wanted = kept(tmp_path, ended, "result-of-the-user")

    assert await tidying(log, tmp_path).tidy() == 0
    assert all(file.exists() for file in [*files, written_lately])

    written_lately.unlink()
    kept(tmp_path, ended)
    assert await tidying(log, tmp_path).tidy() == 1
    assert wanted.exists()


async def test_with_0_days_everything_stays(tmp_path: Path) -> None:
    log = MemoryLog()
    run_id = (await create_run(log, (await create_flow(log)).flow_id)).run_id
    await executed(log, run_id)
    file = kept(tmp_path, run_id)

    await tidying(log, tmp_path, days=0).serve()

    assert file.exists()

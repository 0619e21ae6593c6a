"""Half a minute of chaos, always the same: a server, its parts, agents and runs are killed, and the log keeps every promise.

Five minutes of it, another each time: `make chaos`.
"""

from __future__ import annotations

from pathlib import Path

from simulation.chaos import go

SEED, SECONDS, RUNS = 20260101, 30.0, 60


async def test_something_is_killed_every_second_and_every_run_ends_once(tmp_path: Path) -> None:
    chaos, broken = await go(tmp_path, seed=SEED, runs=RUNS, seconds=SECONDS)

    assert broken == []
    assert len(chaos.acknowledged) == RUNS
    assert chaos.happened["runs that ended Success"] == RUNS
    assert sum(times for what, times in chaos.happened.items() if what.startswith(("kill", "freeze"))) >= SECONDS / 2

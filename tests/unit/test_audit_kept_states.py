"""However little memory there is, looking back finds the same."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

import pytest
from harness.random_life import Life
from harness.scenario import create_run
from hypothesis import given
from hypothesis import strategies as st

from headwater.audit import diff, kept_states, replay
from headwater.audit.kept_states import KeptStates, NoRoomToFold
from headwater.audit.verify import verify_facts
from headwater.core.log import subjects
from headwater.core.log.memory import MemoryLog


@dataclass
class Counted:
    """A state with parts."""

    parts: int = 0


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 3))), st.integers(1, 40_000), st.integers(1, 5))
def test_states_are_what_they_were_set_to_in_the_order_in_which_they_came(
    changes: list[tuple[int, int]], weight_max: int, near_min: int
) -> None:
    kept: KeptStates[Counted] = KeptStates(weight_max=weight_max, near_min=near_min)
    expected: dict[str, int] = {}
    for number, more in changes:
        state = kept.get(str(number)) or Counted()
        state.parts += more
        kept.set(str(number), state, grown_bytes=100 * more)
        expected[str(number)] = expected.get(str(number), 0) + more

    assert [(key, state.parts) for key, state in kept.items()] == list(expected.items())
    assert len(kept) == len(expected)
    assert kept.get("none") is None
    assert {key: kept.get(key) for key in expected} == {key: Counted(parts) for key, parts in expected.items()}


def test_no_more_is_in_memory_than_may_be() -> None:
    kept: KeptStates[Counted] = KeptStates(weight_max=100_000, near_min=4)
    for number in range(500):
        kept.set(str(number), Counted(number), grown_bytes=5_000)
        assert kept._total == sum(each.weight for each in kept._near.values())
        assert kept._total <= 100_000 or len(kept._near) <= 4
    for number in range(500):
        assert kept.get(str(number)) == Counted(number)
        assert kept._total <= 100_000 or len(kept._near) <= 4


def test_large_ones_that_are_touched_in_turn_stay_in_memory() -> None:
    kept: KeptStates[Counted] = KeptStates(weight_max=1_000, near_min=4)
    for number in range(400):
        kept.set(str(number % 4), Counted(number), grown_bytes=1_000_000)

    assert kept._far is None


def test_a_temporary_file_that_cannot_be_written_ends_it_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> sqlite3.Connection:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(kept_states, "_temporary_database", refused)
    kept: KeptStates[Counted] = KeptStates(weight_max=1, near_min=1)
    kept.set("a", Counted(), grown_bytes=1)
    with pytest.raises(NoRoomToFold, match="database or disk is full"):
        kept.set("b", Counted(), grown_bytes=1)


@pytest.mark.parametrize("seed", range(5))
async def test_what_looking_back_finds_does_not_depend_on_memory(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    log = MemoryLog()
    life = Life(log, seed)
    await life.begin()
    life.runs.append((await create_run(log, life.flows[0])).run_id)
    await life.go_on(200)
    log.events.plant(subjects.run(life.runs[0]), b"garbage")
    middle = (await log.events.tail()).position // 2

    async def found(weight_max: int) -> list[Any]:
        replayed = await replay(log.events, weight_max=weight_max)
        checked = await verify_facts(log.events, weight_max=weight_max)
        return [
            [list(facts) for facts in (replayed.projects, replayed.flows, replayed.runs, replayed.queues, replayed.agents)],
            list(await diff(log.events, 0, None, weight_max=weight_max)),
            list(await diff(log.events, middle, None, weight_max=weight_max)),
            (checked.commits, len(checked.runs), checked.unfinished, checked.violations),
            [(run_id, run.position, run.attempts, run.succeeded, run.state) for run_id, run in checked.runs.items()],
        ]

    everything = await found(1_000_000_000)
    monkeypatch.setattr(kept_states, "NEAR_MIN", 1)
    assert await found(1) == everything

"""What a user is shown who asked for a run and got no answer: which run it would be, and no word that invites a second one."""

from __future__ import annotations

import pytest
from harness.scenario import create_flow

from headwater.core.aggregates import Actor
from headwater.core.errors import LogFull, OutcomeUnknown, RunUnknown
from headwater.core.log.memory import MemoryLog, Moment, Operation
from headwater.core.operations.headwater import Headwater
from headwater.core.operations.run_creation import RunRequest
from headwater.core.operations.run_lookup import run

ACTOR = Actor("test")


@pytest.mark.parametrize("key", [None, "once"])
async def test_a_creation_without_an_answer_names_its_run(key: str | None) -> None:
    log = MemoryLog()
    flow_id = (await create_flow(log)).flow_id
    runs = Headwater(log, ACTOR).runs

    def lose(operation: Operation, moment: Moment, given: str) -> None:
        if (operation, moment) == ("append", "done") and given.startswith("hw.evt.run."):
            raise OutcomeUnknown("", "the reply was lost")

    log.interference = lose
    with pytest.raises(RunUnknown, match="the reply was lost") as unknown:
        await runs.create(flow_id, RunRequest(idempotency_key=key))

    run_id, hint = unknown.value.run_id, str(unknown.value.hint)
    assert f"whether run {run_id} was created" in str(unknown.value)
    assert f"headwater explain {run_id}" in hint
    assert ("makes no second run" if key else "that would create another run") in hint
    assert (await run(log.events, run_id).refresh()).exists


async def test_a_run_that_was_created_is_one_though_its_wake_up_was_refused() -> None:
    log = MemoryLog()
    flow_id = (await create_flow(log)).flow_id

    def refuse(operation: Operation, moment: Moment, _: str) -> None:
        if (operation, moment) == ("offer", "asked"):
            raise LogFull("no space left on device")

    log.interference = refuse
    created = await Headwater(log, ACTOR).runs.create(flow_id, RunRequest())

    assert (await run(log.events, created.run_id).refresh()).exists


async def test_a_full_log_whose_wake_up_was_stored_says_both() -> None:
    log = MemoryLog()
    flow_id = (await create_flow(log)).flow_id
    runs = Headwater(log, ACTOR).runs
    await runs.create(flow_id, RunRequest())

    def refuse(operation: Operation, moment: Moment, given: str) -> None:
        if (operation, moment) == ("append", "asked") and given.startswith("hw.evt.run."):
            raise LogFull("no space left on device")

    log.interference = refuse
    with pytest.raises(RunUnknown) as unknown:
        await runs.create(flow_id, RunRequest())

    assert str(unknown.value).startswith("The log is full (no space left on device). Run ")
    assert "may be created as soon as there is room" in str(unknown.value)

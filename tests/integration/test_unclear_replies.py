"""Commands through a network that loses replies: none is lost or takes effect twice, and callers get the truth or a clear "unknown"."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from random import Random

import anyio
import pytest
from harness.scenario import ACTOR, create_flow, create_run
from harness.servers import NatsNode
from harness.tcp_proxy import CuttingProxy, Fault, cutting_proxy, trouble

from headwater.agents.retry import retry_until_available
from headwater.core.aggregates import Actor
from headwater.core.errors import LogUnavailable, OutcomeUnknown, RequestTimeout
from headwater.core.events import RunCreated, RunRenamed
from headwater.core.log import subjects
from headwater.core.log.jetstream import LogTimes, open_log
from headwater.core.log.protocol import Log
from headwater.core.operations.headwater import Headwater
from headwater.core.operations.run_creation import RunRequest
from headwater.core.operations.run_lookup import run
from headwater.core.runs.commands import RenameRun
from headwater.core.values.identifiers import derived_id, new_id

COMMANDS = int(os.environ.get("UNCLEAR_COMMANDS", "100"))
"""`make chaos` says more of them."""
CALLERS = 4
SEED = 20260101
PATIENCE_SECONDS = 60.0 + COMMANDS


@pytest.fixture
async def log(nats_node: NatsNode) -> AsyncIterator[Log]:
    """The log, by a connection of its own that is never cut."""
    async with open_log(nats_node.url, ensure_streams=True, name="observer", times=IMPATIENT) as opened:
        yield opened


IMPATIENT = LogTimes(call_seconds=1.0, append_answer_seconds=0.3)
"""Callers give up within a second: a network that is silent for a while leaves outcomes unknown."""


@dataclass
class Caller:
    """A client that gives commands over a bad connection, and repeats each until its outcome is known."""

    name: str
    near: Log
    far: Log
    answers: Counter[str] = field(default_factory=Counter)
    renamed: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Ids of commits, with the run and the name each gave it."""
    created: dict[str, str] = field(default_factory=dict)
    """Keys of creations, with the run that each was answered with."""

    async def work(self, flow_id: str, commands: int) -> None:
        for number in range(commands):
            key = f"{self.name} {number}"
            if number % 2 == 0 or not self.created:
                await self._create(flow_id, key)
            else:
                await self._rename(list(self.created.values())[-1], key)

    async def _create(self, flow_id: str, key: str) -> None:
        runs = Headwater(self.far, Actor(self.name)).runs
        while True:
            try:
                answer = await runs.create(flow_id, RunRequest(idempotency_key=key))
            except OutcomeUnknown:
                self.answers["unknown"] += 1
            except (LogUnavailable, RequestTimeout):
                self.answers["unavailable"] += 1
            else:
                self.answers["created" if answer.new else "had been created"] += 1
                self.created[key] = answer.run_id
                return

    async def _rename(self, run_id: str, name: str) -> None:
        commit_id = new_id()
        is_unclear = False
        while True:
            try:
                await run(self.far.events, run_id).execute(RenameRun(name), Actor(self.name), commit_id=commit_id)
            except OutcomeUnknown as unknown:
                is_unclear = True
                self.answers["unknown" if unknown.commit_id == commit_id else "unknown of another"] += 1
            except (LogUnavailable, RequestTimeout):
                # It says that nothing was written, this time.
                written = await self.near.events.read(subjects.run(run_id))
                is_untrue = not is_unclear and commit_id in {each.commit.id for each in written}
                self.answers["untrue" if is_untrue else "unavailable"] += 1
            else:
                self.answers["renamed"] += 1
                self.renamed[commit_id] = (run_id, name)
                return


async def test_no_command_is_lost_or_doubled_and_no_answer_is_untrue(nats_node: NatsNode, log: Log) -> None:
    flow_id = (await create_flow(log)).flow_id
    callers: list[Caller] = []
    with anyio.fail_after(PATIENCE_SECONDS):
        async with cutting_proxy(nats_node.url) as proxy, anyio.create_task_group() as group:
            group.start_soon(_troubled, proxy)
            async with anyio.create_task_group() as working:
                for number in range(CALLERS):
                    working.start_soon(_call, callers, f"caller {number}", log, proxy, flow_id)
            group.cancel_scope.cancel()

    written = [recorded async for batch in log.events.read_all() for recorded in batch]
    times = Counter(recorded.commit.id for recorded in written)
    creations = Counter(event.run_id for each in written for event in each.commit.events if isinstance(event, RunCreated))
    keys = {key: run_id for caller in callers for key, run_id in caller.created.items()}
    renamed = {commit_id: what for caller in callers for commit_id, what in caller.renamed.items()}
    assert len(keys) + len(renamed) == COMMANDS // CALLERS * CALLERS
    assert creations == dict.fromkeys(keys.values(), 1)
    assert keys == {key: derived_id("run", flow_id, key) for key in keys}
    assert {times[commit_id] for commit_id in renamed} == {1}
    for run_id, name in renamed.values():
        assert (await run(log.events, run_id).refresh()).name == name
    assert {await log.queues.is_waiting(run_id) for run_id in keys.values()} == {True}
    answers = sum((caller.answers for caller in callers), Counter[str]())
    assert not answers["untrue"] + answers["unknown of another"]
    assert proxy.cuts > 0


async def test_a_silent_network_leaves_a_command_unknown_and_repeating_it_is_safe(nats_node: NatsNode, log: Log) -> None:
    run_id = (await create_run(log, (await create_flow(log)).flow_id)).run_id
    commit_id = new_id()
    async with cutting_proxy(nats_node.url) as proxy, open_log(proxy.url, times=IMPATIENT) as far, anyio.create_task_group() as group:
        renamed = run(far.events, run_id)
        await renamed.refresh()
        group.start_soon(partial(proxy.strike, Fault.BLACK_HOLE, seconds=3 * IMPATIENT.call_seconds))
        await anyio.wait_all_tasks_blocked()

        with pytest.raises(OutcomeUnknown) as unknown:
            await renamed.execute(RenameRun("quiet-heron"), ACTOR, commit_id=commit_id, refresh=False)
        outcome = await retry_until_available(lambda: renamed.execute(RenameRun("quiet-heron"), ACTOR, commit_id=commit_id), "the name")

    assert unknown.value.commit_id == commit_id
    assert "Repeating the command is safe" in str(unknown.value.hint)
    assert outcome.state.name == "quiet-heron"
    written = [each.commit.id for each in await log.events.read(subjects.run(run_id))]
    assert written.count(commit_id) == 1


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name.lower())
async def test_a_command_gets_its_true_answer_through_every_fault(nats_node: NatsNode, log: Log, fault: Fault) -> None:
    run_id = (await create_run(log, (await create_flow(log)).flow_id)).run_id
    names = [f"{fault.name} {number}" for number in range(5)]
    async with cutting_proxy(nats_node.url) as proxy, open_log(proxy.url, times=IMPATIENT) as far:
        for name in names:
            async with anyio.create_task_group() as group:
                group.start_soon(partial(proxy.strike, fault, seconds=0.4))
                await anyio.wait_all_tasks_blocked()
                commit_id = new_id()
                rename = partial(run(far.events, run_id).execute, RenameRun(name), ACTOR, commit_id=commit_id)
                assert (await retry_until_available(rename, "the name")).state.name == name

    written = [
        event.name for each in await log.events.read(subjects.run(run_id)) for event in each.commit.events if type(event) is RunRenamed
    ]
    assert written == names


async def _call(callers: list[Caller], name: str, near: Log, proxy: CuttingProxy, flow_id: str) -> None:
    async with AsyncExitStack() as stack:
        far = await retry_until_available(lambda: stack.enter_async_context(open_log(proxy.url, name=name, times=IMPATIENT)), "the log")
        caller = Caller(name, near, far)
        callers.append(caller)
        await caller.work(flow_id, COMMANDS // CALLERS)


async def _troubled(proxy: CuttingProxy) -> None:
    await trouble(proxy, Random(SEED), pause_seconds=0.05, longest_seconds=1.5)

"""The part of a run's process that talks to the log, in a thread of its own, while the main thread runs the flow."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

import anyio
from anyio.abc import TaskGroup

from headwater.agents.attempt_spec import AttemptSpec, wants_source
from headwater.agents.errors import AttemptFenced
from headwater.agents.launcher_protocol import LIFELINE_DESCRIPTOR
from headwater.agents.retry import retry_until_available
from headwater.agents.run_process import flow_loading
from headwater.agents.run_process.attempt_writer import AttemptWriter
from headwater.agents.run_process.bridge import Bridge
from headwater.agents.run_process.log_shipping import LogShipper
from headwater.agents.run_process.resume_listener import ResumeListener
from headwater.agents.run_process.trouble_report import TroubleReport
from headwater.core.aggregates import Actor, Aggregate
from headwater.core.errors import LogUnavailable
from headwater.core.events import Failure
from headwater.core.log.protocol import Log
from headwater.core.operations.headwater import Headwater
from headwater.core.operations.run_lookup import load_run
from headwater.core.operations.run_lookup import run as run_aggregate
from headwater.core.program.concurrency import gather
from headwater.core.program.exception_groups import unwrap_exception_group
from headwater.core.program.server_file import server_address
from headwater.core.queries.rows import CachedResultRow
from headwater.core.queries.views_client import ViewsClient
from headwater.core.runs.commands import FailUnstartedRun, FinishRun, RunCommand, StartRun, SuspendRun
from headwater.core.runs.resume import paused
from headwater.core.runs.state import Run
from headwater.core.runs.task_run import TaskRunKey

STOP_SECONDS = 10.0
"""How long the flow's code may take to end when the attempt must; then the process group is killed."""


class RunSession:
    """The attempt's connection to the log. Made by `open_run_session`; its coroutines run in its own thread."""

    def __init__(  # noqa: PLR0917 - made in one place
        self,
        log: Log,
        spec: AttemptSpec,
        run: Aggregate[Run, RunCommand],
        record: AttemptWriter,
        shipper: LogShipper,
        resumes: ResumeListener,
        actor: Actor,
    ) -> None:
        self._position = run.position
        self.run = run.state
        self.created = run.state.created
        self.record = record
        self.shipper = shipper
        self.resumes = resumes
        self.bridge = Bridge()
        record.is_gone = self.bridge.is_gone
        self._log = log
        self._spec = spec
        self._actor = actor
        self._headwater = Headwater(log, actor)

    async def registered_slugs(self) -> list[str] | None:
        """Return the slugs of the tasks that were registered."""
        return await retry_until_available(lambda: flow_loading.registered_slugs(self._log.events, self.created), "the registered tasks")

    async def start(self) -> None:
        """Record that the flow is about to run. Raises AttemptFenced where the run is not this attempt's."""
        await self.record.execute(StartRun(self._spec.attempt, self._actor.clock()))
        if paused(self.run.task_runs):
            self.resumes.listen(self._position)

    async def finish(self, *, failed: bool, message: str, failure: Failure | None = None) -> None:
        """Record how the run ended, after everything that happened in it. Raises AttemptFenced."""
        await self.flush()
        now = self._actor.clock()
        await self.record.execute(FinishRun(self._spec.attempt, now, failed=failed, message=message, failure=failure))

    async def suspend(self, due_at: datetime | None, message: str, resumed: frozenset[TaskRunKey] = frozenset()) -> None:
        """Record that the run goes on at that time, or when a user resumes it, in another attempt, and have that one woken.

        `resumed` are the task runs of which this attempt knows that they were resumed. Raises AttemptFenced.
        """
        await self.flush()
        await self.record.execute(SuspendRun(self._spec.attempt, self._actor.clock(), due_at, message, resumed))
        await retry_until_available(lambda: self._headwater.runs.schedule_wake_up(self.record.run), "the run's timer")

    async def refuse(self, message: str, failure: Failure | None = None) -> None:
        """Record that the run cannot be started, and why. Raises AttemptFenced."""
        await self.shipper.flush_to_log()
        now = self._actor.clock()
        await self.record.execute(FailUnstartedRun(at=now, message=message, attempt=self._spec.attempt, failure=failure))

    async def cached_results(self, key: str) -> list[CachedResultRow]:
        """Return the results of tasks that serve again under this key: those that were there when this run was created, at least.

        Raises:
            ViewsUnavailable, ViewsBehind: the views do not answer, or not in time.

        """
        return await ViewsClient(self._log).cached_results(key, at=self._actor.clock(), at_least=self._position)

    async def cancel_children(self, created: Collection[str]) -> None:
        """Where a user cancelled the run, cancel what its tasks created in this process, too: their events may not say so yet."""
        run = await retry_until_available(lambda: load_run(self._log.events, self._spec.run_id), "the run")
        if run.state.cancel_requested:
            await self._headwater.runs.cancel_children(run.state, more=created)

    async def flush(self) -> None:
        """Return when all that was recorded and logged is stored. Raises AttemptFenced."""
        await gather(self.record.flush(), self.shipper.flush_to_log())


@asynccontextmanager
async def open_run_session(spec: AttemptSpec, *, on_stop: Callable[[], None]) -> AsyncIterator[RunSession]:
    """Connect to the log, read the run, and keep recording until left.

    `on_stop` is called, in this thread, when the attempt must end; the process is killed where it then does not, and when no agent watches
    it any more. Where the log is away, it is waited for: the agent, which claimed the run, is there.

    Raises:
        AttemptFenced: the run is not this attempt's.
        HeadwaterError: the log refuses.

    """
    actor = Actor(spec.actor)
    with unwrap_exception_group():
        async with AsyncExitStack() as stack:
            log = await retry_until_available(lambda: _opened(stack, spec), "the log")
            group = await stack.enter_async_context(anyio.create_task_group())
            run = await _run_of(spec, log)
            if not run.state.held or run.state.attempt != spec.attempt:
                raise AttemptFenced(spec.attempt, run.state.state, run.state.attempt)
            record = AttemptWriter(run, actor, spec.attempt, lambda: _stop(group, on_stop))
            record.listener = TroubleReport() if spec.supervised else None
            shipper = LogShipper(log.logs, spec.run_id, spec.attempt, with_source=wants_source())
            await group.start(record.serve)
            await group.start(shipper.serve)
            if spec.supervised:
                group.start_soon(_watch_lifeline)
            resumes = ResumeListener(group, log.events, run.subject)
            record.on_pause = lambda: resumes.listen(run.position)
            yield RunSession(log, spec, run, record, shipper, resumes, actor)
            group.cancel_scope.cancel()


async def _opened(stack: AsyncExitStack, spec: AttemptSpec) -> Log:
    from headwater.core.log.jetstream import open_log

    look_up = partial(server_address, Path(spec.home)) if spec.home else None
    name = f"headwater run {spec.run_id}"
    try:
        return await stack.enter_async_context(open_log(spec.nats_url, key=spec.key, name=name, look_up=look_up))
    except LogUnavailable:
        address = None if look_up is None else look_up()
        if address is None or address == spec.nats_url:
            raise
        return await stack.enter_async_context(open_log(address, key=spec.key, name=name, look_up=look_up))


async def _run_of(spec: AttemptSpec, log: Log) -> Aggregate[Run, RunCommand]:
    """Return the run, as its agent knew it a moment ago or else as the log has it."""
    if spec.known is None:
        return await retry_until_available(lambda: load_run(log.events, spec.run_id), "the run")
    known = run_aggregate(log.events, spec.run_id)
    # Should it have changed since, the first append is refused, and the rest is read then.
    known.state, known.position = spec.known.fold(), spec.known.position
    return known


def _stop(group: TaskGroup, on_stop: Callable[[], None]) -> None:
    group.start_soon(_kill_after_grace)
    on_stop()


async def _kill_after_grace() -> None:
    await anyio.sleep(STOP_SECONDS)
    os.killpg(0, signal.SIGKILL)


async def _watch_lifeline() -> None:
    """Kill this process and all it started when no agent supervises it any more."""
    while True:
        await anyio.wait_readable(LIFELINE_DESCRIPTOR)
        if not os.read(LIFELINE_DESCRIPTOR, 1):
            os.killpg(0, signal.SIGKILL)

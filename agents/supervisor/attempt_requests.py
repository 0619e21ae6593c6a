"""What the process of a run asks of the log, done in its name."""

from __future__ import annotations

from typing import Any

from headwater.agents.attempt_protocol import (
    AttemptRequest,
    FindCachedResults,
    FindRegisteredSlugs,
    FinishAttempt,
    LeftOver,
    RefuseAttempt,
    StartAttempt,
    StopAttempt,
    SuspendAttempt,
)
from headwater.agents.launcher import AttemptReport
from headwater.agents.retry import retry_until_available
from headwater.agents.supervisor.attempt_writer import AttemptWriter
from headwater.agents.supervisor.log_shipping import LogShipper
from headwater.agents.supervisor.registered_slugs import registered_slugs
from headwater.agents.supervisor.resume_listener import ResumeListener
from headwater.agents.supervisor_protocol import Attend
from headwater.core.aggregates import Aggregate
from headwater.core.operations.headwater import Headwater
from headwater.core.operations.run_lookup import load_run
from headwater.core.program.concurrency import gather
from headwater.core.queries.views_client import ViewsClient
from headwater.core.runs.commands import FailUnstartedRun, FinishRun, RunCommand, StartRun, SuspendRun
from headwater.core.runs.resume import paused
from headwater.core.runs.state import Run
from headwater.core.states import StateName


class AttemptRequests:
    """Answers the requests of one attempt."""

    def __init__(  # noqa: PLR0917 - made in one place
        self,
        headwater: Headwater,
        attend: Attend,
        run: Aggregate[Run, RunCommand],
        writer: AttemptWriter,
        shipper: LogShipper,
        resumes: ResumeListener,
    ) -> None:
        self._headwater = headwater
        self._attempt = attend.attempt
        self._run_id = attend.run_id
        self._created = run.state.created
        self._position = run.position
        self._writer = writer
        self._shipper = shipper
        self._resumes = resumes
        self._now = headwater.actor.clock

    async def answer(self, request: AttemptRequest) -> Any:
        """Do what is asked for, however long the log is away, and return the answer.

        Raises:
            AttemptFenced: the run is not this attempt's any more.
            HeadwaterError: it cannot be done.

        """
        match request:
            case StartAttempt():
                return await self._start()
            case FinishAttempt(failed=failed, message=message, failure=failure):
                await self._shipper.flush_to_log()
                await self._writer.finish(FinishRun(self._attempt, self._now(), failed=failed, message=message, failure=failure))
            case SuspendAttempt():
                await self._suspend(request)
            case RefuseAttempt(message=message, failure=failure):
                await self.flush()
                await self._writer.execute(FailUnstartedRun(at=self._now(), message=message, attempt=self._attempt, failure=failure))
            case StopAttempt(children=children):
                await self._stop(children)
            case FindCachedResults(key=key):
                return await ViewsClient(self._headwater.log).cached_results(key, at=self._now(), at_least=self._position)
            case FindRegisteredSlugs():
                return await retry_until_available(
                    lambda: registered_slugs(self._headwater.log.events, self._created), "the registered tasks"
                )
        return LeftOver(self._writer.left, self._shipper.left)

    def report_of(self, request: AttemptRequest) -> AttemptReport | None:
        """Return what the agent is to hear of the attempt's end, where the request just answered was to record that."""
        match request:
            case FinishAttempt(failed=failed, message=message):
                return AttemptReport(state=(StateName.FAILED if failed else StateName.SUCCESS).value, message=message)
            case RefuseAttempt(message=message):
                return AttemptReport(state=StateName.FAILED.value, message=message)
            case SuspendAttempt(message=message):
                return AttemptReport(message=message)
        return None

    async def flush(self) -> None:
        """Return when all that was recorded and logged is stored. Raises AttemptFenced."""
        await gather(self._writer.flush(), self._shipper.flush_to_log())

    async def _start(self) -> None:
        await self._writer.execute(StartRun(self._attempt, self._now()))
        if paused(self._writer.run.task_runs):
            self._resumes.listen(self._position)

    async def _suspend(self, request: SuspendAttempt) -> None:
        await self.flush()
        suspend = SuspendRun(self._attempt, self._now(), request.due_at, request.message, frozenset(request.resumed))
        await self._writer.execute(suspend)
        await retry_until_available(lambda: self._headwater.runs.schedule_wake_up(self._writer.run), "the run's timer")

    async def _stop(self, children: tuple[str, ...]) -> None:
        """Where a user cancelled the run, its events may not name yet what its tasks created in this process."""
        if children:
            run = await retry_until_available(lambda: load_run(self._headwater.log.events, self._run_id), "the run")
            if run.state.cancel_requested:
                await self._headwater.runs.cancel_children(run.state, more=frozenset(children))
        await self.flush()

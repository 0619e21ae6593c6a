"""Watching a run on the live feed of the log, without asking again and again."""

from __future__ import annotations

import logging
import queue
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import anyio

from headwater.core.errors import HeadwaterError
from headwater.core.log import subjects
from headwater.core.runs.rules import RULES
from headwater.core.runs.state import Run
from headwater.sdk.backend.connection import shared_client
from headwater.sdk.client import Client
from headwater.sdk.client.run_logs import rows_of

if TYPE_CHECKING:
    from headwater.sdk.client.async_client import AsyncClient

LONGEST_WATCH = timedelta(hours=12)
_LAST_LINES_SECONDS = 2.0


class RunNotEnded(HeadwaterError, RuntimeError):
    """A run went on for longer than the caller wanted to wait. `flow_run_id` is the run's."""

    def __init__(self, flow_run_id: str, waited: timedelta) -> None:
        self.flow_run_id = flow_run_id
        super().__init__(
            f"Run {flow_run_id} has not ended within {waited}.", hint="It goes on; wait longer with max_duration, or cancel it."
        )


@dataclass(frozen=True)
class FlowRunLog:
    """A line that a run logged, or a state it entered. `level` is Python's number."""

    timestamp: datetime
    level: int
    message: str


def watch_flow_run(
    flow_run_id: str,
    stream_states: bool = True,
    stream_logs: bool = True,
    max_duration: timedelta = LONGEST_WATCH,
    *,
    client: Client | None = None,
) -> Iterator[FlowRunLog]:
    """Yield the states that a run enters, and the lines that it logs, as they come, until it has ended.

    Raises:
        NotFound: there is no such run.
        RunNotEnded: it has not ended within `max_duration`.

    """
    connected = client or shared_client()
    connected.get_flow_run_state(flow_run_id)
    news: queue.SimpleQueue[FlowRunLog | None] = queue.SimpleQueue()
    deadline = datetime.now(UTC) + max_duration

    async def watch(inside: AsyncClient) -> None:
        await _Watch(inside, flow_run_id, news, states=stream_states, logs=stream_logs).watch()

    watching: Future[None] = connected.start(watch)
    watching.add_done_callback(lambda _: news.put(None))
    try:
        while True:
            try:
                line = news.get(timeout=max(0.0, (deadline - datetime.now(UTC)).total_seconds()))
            except queue.Empty:
                raise RunNotEnded(flow_run_id, max_duration) from None
            if line is None:
                watching.result()
                return
            yield line
    finally:
        watching.cancel()


class _Watch:
    def __init__(self, client: AsyncClient, run_id: str, news: queue.SimpleQueue[FlowRunLog | None], *, states: bool, logs: bool) -> None:
        self._client = client
        self._run_id = run_id
        self._news = news
        self._states = states
        self._logs = logs
        self._lines_seen = 0
        self._came = anyio.Event()

    async def watch(self) -> None:
        async with anyio.create_task_group() as group:
            if self._logs:
                group.start_soon(self._follow_logs)
            await self._follow_states()
            group.cancel_scope.cancel()

    async def _follow_states(self) -> None:
        run: Run = RULES.initial
        ended: FlowRunLog | None = None
        async with self._client.log.events.follow(subjects.run(self._run_id)) as commits:
            async for batch in commits:
                for recorded in batch:
                    for event in recorded.events:
                        before, run = run, RULES.evolve(run, event)
                        if (run.state, run.message) != (before.state, before.message):
                            line = FlowRunLog(recorded.commit.at, logging.INFO, f"Entered state <{run.state}>: {run.message}")
                            if run.ended:
                                ended = line
                            elif self._states:
                                self._news.put(line)
                if run.ended:
                    break
        if self._logs:
            await self._last_lines()
        if ended is not None and self._states:
            self._news.put(ended)

    async def _follow_logs(self) -> None:
        async with self._client.log.logs.follow(self._run_id) as messages:
            async for batch in messages:
                for recorded in batch:
                    for row in rows_of(recorded):
                        self._news.put(FlowRunLog(row.at, row.level, row.message))
                    self._lines_seen = recorded.position
                    self._came.set()
                    self._came = anyio.Event()

    async def _last_lines(self) -> None:
        """Wait until the lines that were stored when the run ended have come."""
        stored = await self._client.log.logs.read(self._run_id, after=self._lines_seen)
        last = stored[-1].position if stored else 0
        with suppress(TimeoutError), anyio.fail_after(_LAST_LINES_SECONDS):
            while self._lines_seen < last:
                await self._came.wait()

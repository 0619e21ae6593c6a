"""Appends what happens in one attempt of a run: in order, in few messages, and only while the attempt holds the run.

What happens gathers for a few milliseconds, and while the append before is on its way: a chatty run costs few messages, a quiet one is
recorded at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace as replace_field
from typing import Any

import anyio
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus
from msgspec.structs import replace

from headwater.agents.errors import AttemptFenced
from headwater.agents.retry import RetryListener, retry_until_available
from headwater.agents.supervisor.arrivals import Arrivals
from headwater.core.aggregates import Actor, Aggregate
from headwater.core.errors import CommitTooLarge, HeadwaterError, IllegalTransition, InvalidArgument
from headwater.core.events import TaskRunArtifactEvent, TaskRunEvent, TaskRunNamed, TaskRunPaused
from headwater.core.runs.commands import FinishRun, RecordTaskRuns, RunCommand
from headwater.core.runs.state import Run
from headwater.core.values.identifiers import new_id
from headwater.core.values.json_bytes import json_bytes

BATCH_BYTES_MAX = 512 * 1024
GATHER_SECONDS = 0.003
WAITING_EVENTS_MAX = 50_000
"""So many events may wait for the log; then the flow waits."""

_REASON_CHARACTERS_MAX = 1000


class AttemptWriter:
    """The writer of one attempt. `on_stop` is called once when the attempt must end: it lost the run, or a cancel was seen."""

    def __init__(
        self,
        run: Aggregate[Run, RunCommand],
        actor: Actor,
        attempt: int,
        on_stop: Callable[[], None],
        *,
        events_max: int = WAITING_EVENTS_MAX,
    ) -> None:
        self._events_max = events_max
        self._run = run
        self._actor = actor
        self._attempt = attempt
        self._on_stop = on_stop
        self._events: deque[tuple[TaskRunEvent, int]] = deque()
        self._arrivals = Arrivals()
        self._turn = anyio.Lock()  # who takes what waits
        self._executing = anyio.Lock()
        self._has_room = anyio.Event()
        self._busy = False
        self._failure: Exception | None = None
        self.on_pause: Callable[[], None] = lambda: None
        """Called when it was recorded that a task run is paused."""
        self.listener: RetryListener | None = None
        """Hears that the log takes nothing, and that it does again."""
        self.stopping = False
        """Whether the attempt must end."""

    @property
    def left(self) -> int:
        """How many events are not in the log."""
        return len(self._events)

    @property
    def run(self) -> Run:
        """The run as this attempt knows it."""
        return self._run.state

    def record(self, event: TaskRunEvent) -> None:
        """Take an event. Where very many have not been appended yet, wait for `room` before."""
        if not self.stopping:
            self._events.append((event, len(json_bytes(event))))
            self._arrivals.wake()

    async def room(self) -> None:
        """Return when so few events wait that more may be taken; nothing waits for an attempt that must end."""
        while len(self._events) >= self._events_max and not self.stopping:
            self._has_room = anyio.Event()
            await self._has_room.wait()

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Append what comes until cancelled, or until the run is not this attempt's any more."""
        with self._arrivals.served():
            task_status.started()
            try:
                while True:
                    async with self._turn:
                        batch = self._take()
                        if batch:
                            await self._append(batch)
                    if batch:
                        if any(isinstance(event, TaskRunPaused) for event in batch):
                            self.on_pause()
                        continue
                    self._busy = False
                    self._arrivals.note_written()
                    await self._arrivals.wait(gather_seconds=GATHER_SECONDS)
            except AttemptFenced as fenced:
                self._fail(fenced)
            except Exception as error:
                self._fail(error)
                raise

    async def _append(self, batch: tuple[TaskRunEvent, ...]) -> None:
        """Append the events; those that the log refuses, without what belongs to them."""
        try:
            await self.execute(RecordTaskRuns(self._attempt, batch))
        except (InvalidArgument, CommitTooLarge) as refusal:
            if len(batch) > 1:
                for event in batch:
                    await self._append((event,))
            elif (bare := _bare(batch[0], refusal)) != batch[0]:
                await self._append((bare,))
            elif not isinstance(batch[0], TaskRunNamed | TaskRunArtifactEvent):
                raise

    def _take(self) -> tuple[TaskRunEvent, ...]:
        batch: list[TaskRunEvent] = []
        size = 0
        while self._events and (not batch or size + self._events[0][1] <= BATCH_BYTES_MAX):
            event, event_size = self._events.popleft()
            batch.append(event)
            size += event_size
        if batch:
            self._busy = True
            self._has_room.set()
        return tuple(batch)

    async def flush(self) -> None:
        """Return when all that was recorded so far is in the log.

        Raises:
            AttemptFenced: the run is not this attempt's any more.

        """
        await self._arrivals.flush(lambda: self._failure is not None or not (self._events or self._busy))
        if self._failure is not None:
            raise self._failure

    async def finish(self, command: FinishRun) -> None:
        """Append the end of the run after all that was recorded; in one commit with the last of it, where that fits.

        Raises:
            AttemptFenced: the run is not this attempt's any more.

        """
        while True:
            async with self._turn:
                if self._failure is not None:
                    raise self._failure
                batch = self._take()
                if self._events:
                    await self._append(batch)
                    continue
                await self._append_end(command, batch)
                self._busy = False
                self._arrivals.note_written()
                return

    async def _append_end(self, command: FinishRun, batch: tuple[TaskRunEvent, ...]) -> None:
        try:
            await self.execute(replace_field(command, events=batch))
        except (InvalidArgument, CommitTooLarge):
            if not batch:
                raise
            await self._append(batch)
            await self.execute(command)

    async def execute(self, command: RunCommand) -> None:
        """Append what the command leads to, however long the log is away.

        Raises:
            AttemptFenced: the run is not this attempt's any more.

        """
        commit_id = new_id()
        try:
            async with self._executing:
                await retry_until_available(
                    lambda: self._run.execute(command, self._actor, commit_id=commit_id, refresh=False),
                    f"run {self._run.subject}",
                    listener=self.listener,
                )
        except IllegalTransition as illegal:
            state = self._run.state
            if state.held and state.attempt == self._attempt:
                raise
            raise AttemptFenced(self._attempt, state.state, state.attempt) from illegal
        if self._run.state.cancel_requested:
            self._stop()

    def _fail(self, failure: Exception) -> None:
        self._failure = failure
        self._stop()
        self._arrivals.note_written()

    def _stop(self) -> None:
        if not self.stopping:
            self.stopping = True
            self._has_room.set()
            self._on_stop()


def _bare(event: TaskRunEvent, refusal: HeadwaterError) -> TaskRunEvent:
    """Return the event without its words, its error and its result: that it happened must be known, whatever it came with."""
    left_out: dict[str, Any] = {"failure": None, "result": None, "cache": {}, "expires_at": None}
    changes = {name: value for name, value in left_out.items() if name in event.__struct_fields__}
    return replace(event, message=f"What belongs to this could not be recorded: {refusal}"[:_REASON_CHARACTERS_MAX], **changes)

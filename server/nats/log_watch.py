"""Whether the log takes writes: known from what its broker tells, without writing anything; and a broker whose store failed, started again.

nats-server keeps the first write error of a stream and answers no publisher of it any more, until it is started again. So a disk that
was full for a moment would be full for ever. Where the broker is ours, it tells of the error, the file system tells when there is room
again, and then the broker is started again: agents hold their runs over that.

Where the broker is another's, its streams tell whether a majority of their nodes answers; and appends that were not answered while
none was stored tell the rest.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import NamedTuple, Protocol

import anyio
from anyio import TASK_STATUS_IGNORED, to_thread
from anyio.abc import TaskStatus

from headwater.core.errors import HeadwaterError
from headwater.core.log.commit import Position
from headwater.core.log.health import LogHealth
from headwater.core.log.protocol import Log
from headwater.core.program.service_keeper import RestartPolicy
from headwater.core.values.amounts import size_words
from headwater.server.nats.nats_server import StoreFailure
from headwater.server.supervision.log_room import FULL_BYTES, ROOM_BYTES, free_bytes

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""How often the file system and the broker's health are looked at, where the broker is ours: two calls that cost a millisecond."""
PROBE_SECONDS = 1.2
"""Less than a server has to report its health: what was found out is reported, and not that nothing was."""
BELIEVED_SECONDS = 30.0
"""How long an append that went unanswered says something about the log."""
_REPEATED_SECONDS = 1.0
_RESTARTS = RestartPolicy(first_delay_seconds=1.0, delay_seconds_max=60.0)
_HANGING_SECONDS = 1.0
GROWN_BYTES = 128 * 2**20
"""No nats-server takes so much more within the seconds of a silence, unless it is lost in it."""


class OwnBroker(Protocol):
    """A nats-server that this server started."""

    @property
    def store_dir(self) -> Path: ...

    @property
    def store_bytes_max(self) -> int | None: ...

    def store_failures(self) -> list[StoreFailure]: ...

    def keep_limit(self) -> None: ...

    def memory_bytes(self) -> int: ...

    def restart(self, why: str) -> None: ...

    def halt(self) -> None: ...


class LogWatch:
    """A service that knows whether the log takes writes. `broker` is our own nats-server, None where it is another's."""

    def __init__(self, log: Log, broker: OwnBroker | None = None) -> None:
        self._log = log
        self._broker = broker
        self._unanswered = Unanswered()
        self._doubt = anyio.Event()
        self._looked = anyio.Event()
        self._health = LogHealth()
        self._restarts = 0
        self._restarted_at = float("-inf")
        self._told: str | None = None
        self._memory_bytes = 0

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Look until cancelled; ready at once."""
        forget = self._log.on_reconnect(self._unanswered.forget)
        task_status.started()
        try:
            while self._broker is not None:
                with anyio.move_on_after(LOOK_SECONDS):
                    await self._doubt.wait()
                asked, self._doubt = self._doubt.is_set(), anyio.Event()
                await self._look_at(self._broker, asked=asked)
            await anyio.sleep_forever()
        finally:
            forget()

    def unanswered(self) -> None:
        """Note that an append was not answered, to some program."""
        self._unanswered.note(anyio.current_time())

    async def look(self) -> LogHealth:
        """Return whether the log takes writes, as of now. What hangs makes this wait for some seconds."""
        if self._broker is not None:
            looked = self._looked
            self._doubt.set()
            await looked.wait()
            return self._health
        problem = await self._log.write_problem(timeout_seconds=PROBE_SECONDS) or await self._silence()
        self._tell(problem)
        return LogHealth(problem=problem)

    async def _look_at(self, broker: OwnBroker, *, asked: bool) -> None:
        free = await to_thread.run_sync(_room_of, broker)
        silence: str | None = None
        if asked or not isinstance(free, int) or free < FULL_BYTES:
            silence = await self._log.write_problem(timeout_seconds=_HANGING_SECONDS)
        memory_bytes = broker.memory_bytes()
        found = StoreState(broker.store_dir, free, broker.store_failures(), silence, memory_bytes - self._memory_bytes)
        if silence is None:
            self._memory_bytes = memory_bytes
        health = judge(found, limit_bytes=broker.store_bytes_max)
        if health.problem is None and (silence := await self._silence()) is not None:
            health = LogHealth(problem=silence, free_bytes=health.free_bytes, limit_bytes=health.limit_bytes)
        self._health = health
        self._tell(health.problem)
        self._looked.set()
        self._looked = anyio.Event()
        if hangs_on_a_full_disk(found):
            broker.halt()
        elif (why := worth_a_restart(found)) is not None:
            self._restart(broker, why)

    def _restart(self, broker: OwnBroker, why: str) -> None:
        now = anyio.current_time()
        waited = now - self._restarted_at
        if waited >= _RESTARTS.proven_after_seconds:
            self._restarts = 0
        if waited >= _RESTARTS.delay_seconds(self._restarts + 1):
            self._restarts += 1
            self._restarted_at = now
            broker.restart(why)

    async def _silence(self) -> str | None:
        """Say that appends go unanswered, where several did in a row and nothing was stored meanwhile."""
        if not self._unanswered.noted:
            return None
        try:
            with anyio.fail_after(PROBE_SECONDS):
                position = (await self._log.events.tail()).position
        except (HeadwaterError, TimeoutError):
            return "it does not answer"
        if self._unanswered.believed(position, anyio.current_time()):
            return "it answers questions, and no appends; the disk of its NATS server may be full, or its storage stuck"
        return None

    def _tell(self, problem: str | None) -> None:
        kind = None if problem is None else problem.partition(" (")[0]  # how much is free changes all the time
        if kind is not None and kind != self._told:
            logger.error("The log takes no writes: %s", problem)
        elif kind is None and self._told is not None:
            logger.warning("The log takes writes again.")
        self._told = kind


class Unanswered:
    """Appends that were not answered. One alone says little, since its answer may have been lost; more than one, and nothing stored, do."""

    def __init__(self) -> None:
        self.noted = False
        self._first = 0.0
        self._last = 0.0
        self._position: Position | None = None

    def note(self, now: float) -> None:
        """One was not answered just now."""
        if not self.noted or now - self._last > BELIEVED_SECONDS:
            self.noted, self._first, self._position = True, now, None
        self._last = now

    def forget(self) -> None:
        """The broker was started again: what it did before says nothing."""
        self.noted = False

    def believed(self, position: Position, now: float) -> bool:
        """Tell whether they mean that nothing is stored; `position` is that of the log's end."""
        if now - self._last > BELIEVED_SECONDS or (self._position is not None and position != self._position):
            self.forget()
            return False
        self._position = position
        return self._last - self._first >= _REPEATED_SECONDS


class StoreState(NamedTuple):
    """What was found out of a store: bytes free, or why that is not known; and what failed for good.

    `silence` is why its broker does not answer, None where it does or was not asked; `grown_bytes` is how much memory it took since.
    """

    folder: Path
    free: int | OSError
    failures: list[StoreFailure]
    silence: str | None = None
    grown_bytes: int = 0


def judge(found: StoreState, *, limit_bytes: int | None) -> LogHealth:
    """Return what the state of the store means."""
    if isinstance(found.free, OSError):
        return LogHealth(problem=f"{found.folder} cannot be looked at ({found.free.strerror})", limit_bytes=limit_bytes)
    problem = found.silence
    if found.failures:
        problem = f"{found.failures[0].error}; its nats-server is started again"
    if found.free < FULL_BYTES or (found.failures and found.free < ROOM_BYTES):
        problem = f"no space left on device ({size_words(found.free)} free in {found.folder})"
    return LogHealth(
        problem=problem,
        full=found.free < FULL_BYTES or bool(found.failures),
        refusing=tuple(each.stream for each in found.failures if each.stream is not None),
        free_bytes=found.free,
        limit_bytes=limit_bytes,
    )


def hangs_on_a_full_disk(found: StoreState) -> bool:
    """Tell whether the broker must be ended at once.

    nats-server 2.15.1 makes a list of all numbers up to the stream's last one where the first record of a file is torn: of WORK, whose
    numbers begin at the milliseconds since 1970, gigabytes within seconds, and all the machine's memory soon after.
    """
    full = isinstance(found.free, int) and found.free < FULL_BYTES
    return full and found.silence is not None and found.grown_bytes >= GROWN_BYTES


def worth_a_restart(found: StoreState) -> str | None:
    """Return why the broker is to be started again, None where it is not: its store failed for good, and there is room now."""
    if isinstance(found.free, OSError) or found.free < ROOM_BYTES or not found.failures:
        return None
    return f"a write had failed ({found.failures[0].error}), and there is room: {size_words(found.free)}"


def _room_of(broker: OwnBroker) -> int | OSError:
    try:
        broker.keep_limit()
    except OSError as error:
        logger.debug("the limit stays as it is: %s", error)
    try:
        return free_bytes(broker.store_dir)
    except OSError as error:
        return error

"""Keeps a program running: started again when it dies, ended with us, never left behind."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.abc
import msgspec
from anyio import TASK_STATUS_IGNORED

from headwater.core.program.service_keeper import RestartPolicy
from headwater.core.program.signal_names import signal_name
from headwater.server.errors import ComponentFailed, ServerError
from headwater.server.supervision.child_process import SystemUser, ended_with_parent, lifeline
from headwater.server.supervision.log_files import open_log, text_since
from headwater.server.supervision.orphan_cleanup import forget_process, remember_process
from headwater.server.supervision.process_output import heard_output

logger = logging.getLogger(__name__)

_READINESS_INTERVAL_SECONDS = 0.01
_STILL_STARTING_SECONDS = 10.0
_TAIL_CHARACTERS = 2000
_FAREWELL_SECONDS = 0.1
"""Where all processes get the signal to end at once, a program may be done with it before we have heard of it."""


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """A program to supervise.

    `command` is made again for each start and run as `user` (None: as us); `prepare` (blocking; may raise ComponentFailed)
    runs before each start in a thread. `until_startable` is waited for before it is started again. `hear` gets
    each line that it writes to its standard error, which reaches `log` by way of us: also where no room is left for the file.
    `is_ready` is asked with the process id until it says yes. `pid_file` names the process for the next server, should
    this one be killed. What the program writes goes to `log`.
    """

    name: str
    command: Callable[[], Sequence[str | Path]]
    is_ready: Callable[[int], Awaitable[bool]]
    log: Path
    pid_file: Path
    stop_signal: signal.Signals
    stop_seconds: float = 10.0
    user: SystemUser | None = None
    environment: dict[str, str] | None = None
    prepare: Callable[[], None] | None = None
    until_startable: Callable[[], Awaitable[None]] | None = None
    hear: Callable[[str], None] | None = None


class Supervisor:
    """A service that keeps one program running; ready when the program is.

    A program that ends before it was ready for the first time makes `serve` raise ComponentFailed: a wrong setting is
    not cured by trying again. Later deaths are logged and answered by a new start, as often as it takes. There is no
    limit on how long a start may take, since opening a large log or recovering from a crash takes what it takes.

    `stopping` tells whether everything is about to end: a program that ends in order then is left alone.
    """

    def __init__(self, program: Program, *, restart: RestartPolicy | None = None, stopping: Callable[[], bool] = lambda: False) -> None:
        self._program = program
        self._restart = restart or RestartPolicy()
        self._stopping = stopping
        self._was_ready = False
        self._wanted = anyio.Event()
        self._why = ""
        self._process: anyio.abc.Process | None = None

    def restart(self, why: str) -> None:
        """Have the program ended in order and started again, if it runs; `why` is for the server's log."""
        self._why = why
        self._wanted.set()

    @property
    def pid(self) -> int | None:
        """The program's process id; None while it does not run."""
        return None if self._process is None else self._process.pid

    def signal(self, what: signal.Signals) -> None:
        """Send the program a signal, if it runs."""
        if self._process is not None:
            _signal(self._process, what)

    async def serve(self, *, task_status: anyio.abc.TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        failures = 0
        while True:
            started_at = anyio.current_time()
            try:
                reason = await self._run_once(task_status)
            except Exception as error:  # also of what we do ourselves, as on a full disk, where the home is gone, or an unexpected error
                if not self._was_ready:
                    if isinstance(error, OSError):
                        raise ComponentFailed(self._program.name, error.strerror or str(error), log=self._program.log) from error
                    raise
                if not isinstance(error, ServerError | OSError):
                    logger.exception("%s stopped on an unexpected error", self._program.name)
                reason = error.reason if isinstance(error, ComponentFailed) else f"could not be started ({error})"
            if self._why:
                logger.warning("%s is started again: %s", self._program.name, self._why)
                self._why = ""
                await self._until_startable()
                continue
            if reason == _IN_ORDER:
                await anyio.sleep(_FAREWELL_SECONDS)
                if self._stopping():
                    await anyio.sleep_forever()
            proven = anyio.current_time() - started_at >= self._restart.proven_after_seconds
            failures = 1 if proven else failures + 1
            delay = self._restart.delay_seconds(failures)
            when = f" in {delay:g} s" if delay else ""
            logger.error("%s %s; starting it again%s (what it said: %s)", self._program.name, reason, when, self._program.log)
            await anyio.sleep(delay)
            await self._until_startable()

    async def _until_startable(self) -> None:
        if self._program.until_startable is not None:
            await self._program.until_startable()

    async def _run_once(self, task_status: anyio.abc.TaskStatus[None]) -> str:
        """Runs the program to its end; returns how it ended. Raises ComponentFailed when that came before it was ready."""
        program = self._program
        if program.prepare is not None:
            await anyio.to_thread.run_sync(program.prepare)
        log_start = program.log.stat().st_size if program.log.exists() else 0
        async with self._started() as process:
            async with anyio.create_task_group() as group:
                group.start_soon(self._wait_until_ready, process.pid, group.cancel_scope)
                group.start_soon(_cancel_at_end, process, group.cancel_scope)
            if process.returncode is not None:
                tail = text_since(program.log, log_start)[-_TAIL_CHARACTERS:]
                raise ComponentFailed(program.name, _how_it_ended(process.returncode), log=program.log, log_tail=tail)
            if self._was_ready:
                logger.warning("%s is back (pid %d)", program.name, process.pid)
            else:
                self._was_ready = True
                task_status.started()
            self._process = process
            try:
                await self._until_ended_or_wanted(process)
            finally:
                self._process = None
            return _how_it_ended(process.returncode)

    async def _until_ended_or_wanted(self, process: anyio.abc.Process) -> None:
        """Return when the program has ended, or is wanted to be started again."""
        self._why, self._wanted = "", anyio.Event()
        async with anyio.create_task_group() as group:
            group.start_soon(_cancel_at_end, process, group.cancel_scope)
            await self._wanted.wait()
            group.cancel_scope.cancel()

    @asynccontextmanager
    async def _started(self) -> AsyncIterator[anyio.abc.Process]:
        program = self._program
        with open_log(program.log) as log, heard_output(log, program.hear) as errors, lifeline() as line:
            process = await anyio.open_process(
                ended_with_parent(program.command(), death_signal=program.stop_signal, user=program.user, lifeline=line),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=errors.target,
                env=program.environment,
                cwd="/",
                # Ctrl-C in a terminal goes to the whole group; only we may hear it, so that parts end in order.
                start_new_session=True,
                pass_fds=(*errors.held, *(() if line is None else (line,))),
            )
            try:
                remember_process(program.pid_file, process.pid)
                yield process
            finally:
                with anyio.CancelScope(shield=True):
                    await _end(process, program)
                forget_process(program.pid_file)

    async def _wait_until_ready(self, pid: int, scope: anyio.CancelScope) -> None:
        noted_at = anyio.current_time()
        while not await self._program.is_ready(pid):
            if anyio.current_time() - noted_at >= _STILL_STARTING_SECONDS:
                noted_at = anyio.current_time()
                logger.warning("%s is still starting (what it says: %s)", self._program.name, self._program.log)
            await anyio.sleep(_READINESS_INTERVAL_SECONDS)
        scope.cancel()


async def _cancel_at_end(process: anyio.abc.Process, scope: anyio.CancelScope) -> None:
    await process.wait()
    scope.cancel()


async def _end(process: anyio.abc.Process, program: Program) -> None:
    """Ends the program in order, or by force when it takes longer than `stop_seconds`."""
    if process.returncode is None:
        _signal(process, program.stop_signal)
        _signal(process, signal.SIGCONT)  # one that was frozen could not hear it
        with anyio.move_on_after(program.stop_seconds):
            await process.wait()
    if process.returncode is None:
        logger.error("%s did not end within %g s; killing it", program.name, program.stop_seconds)
        _signal(process, signal.SIGKILL)
    await process.aclose()


def _signal(process: anyio.abc.Process, what: signal.Signals) -> None:
    # Not `process.send_signal`: it looks first whether the child has ended, and then takes the exit status away from
    # the one who waits for it.
    try:
        os.kill(process.pid, what)
    except ProcessLookupError:
        logger.debug("pid %d had ended before %s", process.pid, what.name)


def _how_it_ended(returncode: int | None) -> str:
    if returncode is not None and returncode < 0:
        return f"was ended by {signal_name(-returncode)}"
    return f"ended with exit code {returncode}"


_IN_ORDER = _how_it_ended(0)

"""The process of a run on this machine, as its agent sees it: what it prints, what its supervisor says of it, when it ends."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from socket import socket

import anyio

from headwater.agents.attempt_channel import channel_pair
from headwater.agents.errors import LauncherGone, LaunchFailed
from headwater.agents.launcher import STOP_SECONDS, AttemptListener, AttemptReport, ExitResult, OutOfMemory, end_words
from headwater.agents.launcher_protocol import Ended

LAST_LINES_MAX = 20
LINE_BYTES_MAX = 2_000
_READ_BYTES = 64 * 1024


class LocalProcess:
    """A run's process. `send_signal` reaches all that it started; `show_line` gets each line it prints; `mark` is in its environment.

    `end_soon` has it stopped within so many seconds. `listener` hears what its supervisor says. `close_session` tells its supervisor that
    it is gone; None where it has none. `serve` must run.
    """

    def __init__(
        self,
        send_signal: Callable[[int], Awaitable[None]],
        *,
        end_soon: Callable[[LocalProcess, float], None],
        close_session: Callable[[], Awaitable[None]] | None,
        show_line: Callable[[str], None] | None,
        listener: AttemptListener,
        mark: Mapping[str, str],
    ) -> None:
        self.mark = mark
        self._listener = listener
        self._final: AttemptReport | None = None
        self._send_signal = send_signal
        self._end_soon = end_soon
        self._close_session = close_session
        self._show_line = show_line
        self._answered = anyio.Event()
        self._refusal = ""
        self._exited = anyio.Event()
        self._exit = Ended(0, 0)
        self._with_starter = 0
        self._given_back = ""
        self._ended_because = ""
        self._recorded = anyio.Event()
        if close_session is None:
            self._recorded.set()
        self._ended = anyio.Event()
        self._is_served = True
        self._last_lines: deque[str] = deque(maxlen=LAST_LINES_MAX)
        self._partial = b""
        self.process_id: int | None = None
        self._output, self._output_of_child, self._session, self._session_of_child = _ends()
        os.set_blocking(self._output, False)

    @property
    def childs_ends(self) -> list[int]:
        """What the process writes its output to, and its end of the channel to its supervisor."""
        return [self._output_of_child, self._session_of_child.fileno()]

    @property
    def supervisors_end(self) -> int:
        """The supervisor's end of the channel."""
        return self._session.fileno()

    def close_ends_of_others(self) -> None:
        """Let go of what the process and its supervisor have by now."""
        os.close(self._output_of_child)
        self._session_of_child.close()
        self._session.close()

    async def started(self) -> None:
        """Return when the process is there, or was.

        Raises:
            LaunchFailed: it could not be started.

        """
        await self._answered.wait()
        if self._refusal:
            raise LaunchFailed(self._refusal)

    async def wait(self) -> ExitResult:
        """Return when the process has ended, and all that it sent is stored."""
        await self._ended.wait()
        killed = OutOfMemory(self._exit.peak_bytes, self._exit.memory_max) if self._exit.out_of_memory else None
        return ExitResult(
            self._exit.status, self._final, tuple(self._last_lines), killed, self._with_starter, self._given_back, self._ended_because
        )

    async def stop(self, *, grace_seconds: float) -> None:
        """Send SIGTERM to the process and all it started, and SIGKILL after the grace; return when nothing of it is left."""
        for number, patience in ((signal.SIGTERM, grace_seconds), (signal.SIGKILL, None)):
            if self._exited.is_set():
                return
            await self._send_signal(number)
            with anyio.move_on_after(patience):
                await self._exited.wait()

    async def serve(self) -> None:
        """Take what the process prints until it has ended: nothing it does may block on a full pipe. Then have its supervisor finish."""
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._take_output)
                await self._exited.wait()
                group.cancel_scope.cancel()
            if self._close_session is not None:
                with suppress(LauncherGone):
                    await self._close_session()
                if self._final is None:
                    await self._recorded.wait()
        finally:
            self._is_served = False
            if self._exited.is_set():
                self._ended.set()
            os.close(self._output)

    async def _take_output(self) -> None:
        is_open = True
        while is_open:
            await anyio.wait_readable(self._output)
            is_open = self._read_output()

    def abandon(self) -> None:
        """It never started, or will not be supervised: nothing is to be waited for any more."""
        self._recorded.set()
        self._exited.set()

    # What the zygote says.

    def set_started(self, process_id: int) -> None:
        self.process_id = process_id
        self._answered.set()

    def set_refused(self, reason: str) -> None:
        self._refusal = reason
        self._answered.set()

    def set_exited(self, ended: Ended, *, with_starter: int = 0) -> None:
        """Take note that the process is gone, and of its last words."""
        if self._is_served:
            self._read_output()
            if self._partial:
                self._take_line(self._partial)
        self._exit, self._with_starter = ended, with_starter
        self._answered.set()
        self._exited.set()
        if not self._is_served:
            self._ended.set()

    # What the supervisor says.

    def set_flow_started(self) -> None:
        """It is recorded that the flow runs."""
        self._listener.started()

    def take_report(self, report: AttemptReport) -> None:
        """Take what is said of the attempt: its end, or trouble with the log."""
        if report.log_trouble is None:
            self._final = report
        else:
            self._listener.log_trouble(report.log_trouble)

    def must_end(self, reason: str) -> None:
        """The attempt lost its run, the run is to be cancelled, or nothing of it can be recorded any more, for this reason."""
        self._ended_because = self._ended_because or reason
        self._end_soon(self, STOP_SECONDS)

    def set_not_attended(self, reason: str) -> None:
        """Nothing of the attempt can be recorded: it is to end before it begins."""
        self._final = AttemptReport(not_begun=reason)
        self._recorded.set()
        self._end_soon(self, 0)

    def set_recorded(self) -> None:
        """All that the process sent is stored, as far as it ever will be."""
        self._recorded.set()

    def set_supervisor_gone(self, status: int) -> None:
        """Nothing more of the attempt can be recorded, for no fault of the run."""
        self._given_back = f"the process that records for runs {end_words(status)}"
        self._recorded.set()
        self._end_soon(self, 0)

    def _read_output(self) -> bool:
        """Take what has been printed; tell whether there may be more."""
        try:
            while data := os.read(self._output, _READ_BYTES):
                *lines, self._partial = (self._partial + data).split(b"\n")
                for line in lines:
                    self._take_line(line)
                if len(self._partial) > LINE_BYTES_MAX:
                    self._take_line(self._partial)
                    self._partial = b""
        except BlockingIOError:
            return True
        return False

    def _take_line(self, line: bytes) -> None:
        text = line.decode(errors="replace")
        if self._show_line is not None:
            self._show_line(text)
        self._last_lines.append(text[:LINE_BYTES_MAX])


def _ends() -> tuple[int, int, socket, socket]:
    """Return both ends of a pipe for output, and both of a channel to the supervisor; all of them, or none."""
    output, output_of_child = os.pipe()
    try:
        session, session_of_child = channel_pair()
    except OSError:
        os.close(output)
        os.close(output_of_child)
        raise
    return output, output_of_child, session, session_of_child

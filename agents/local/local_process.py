"""The process of a run on this machine, as its agent sees it: what it prints, what it reports, when it ends."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Awaitable, Callable, Mapping

import anyio

from headwater.agents.errors import LaunchFailed
from headwater.agents.launcher import NO_THREAD, STATUS_NOT_BEGUN, AttemptReport, ExitResult, OutOfMemory
from headwater.agents.launcher_protocol import Ended
from headwater.agents.shortages import shortage
from headwater.core.errors import CommitUnreadable
from headwater.core.log.codec import message_decoder

LAST_LINES_MAX = 20
LINE_BYTES_MAX = 2_000
_READ_BYTES = 64 * 1024

_decode_report = message_decoder(AttemptReport)


class LocalProcess:
    """A run's process. `send_signal` reaches all that it started; `show_line` gets each line it prints; `mark` is in its environment.

    `hear` gets what it says of the log.
    """

    def __init__(
        self,
        send_signal: Callable[[int], Awaitable[None]],
        *,
        show_line: Callable[[str], None] | None,
        hear: Callable[[str], None],
        mark: Mapping[str, str],
    ) -> None:
        self.mark = mark
        self._hear = hear
        self._told = b""
        self._final: AttemptReport | None = None
        self._send_signal = send_signal
        self._show_line = show_line
        self._answered = anyio.Event()
        self._refusal = ""
        self._ended = anyio.Event()
        self._ending = ExitResult(status=0, report=None)
        self._last_lines: deque[str] = deque(maxlen=LAST_LINES_MAX)
        self._partial = b""
        self._closed = False
        self.process_id: int | None = None
        self._output, self._report, self.childs_ends = _pipes()
        os.set_blocking(self._output, False)
        os.set_blocking(self._report, False)

    async def started(self) -> None:
        """Return when the process is there, or was.

        Raises:
            LaunchFailed: it could not be started.

        """
        await self._answered.wait()
        if self._refusal:
            raise LaunchFailed(self._refusal)

    def set_started(self, process_id: int) -> None:
        self.process_id = process_id
        self._answered.set()

    def set_refused(self, reason: str) -> None:
        self._refusal = reason
        self._answered.set()

    async def wait(self) -> ExitResult:
        """Return when the process has ended."""
        await self._ended.wait()
        return self._ending

    async def stop(self, *, grace_seconds: float) -> None:
        """Send SIGTERM to the process and all it started, and SIGKILL after the grace; return when nothing of it is left."""
        for number, patience in ((signal.SIGTERM, grace_seconds), (signal.SIGKILL, None)):
            if self._ended.is_set():
                return
            await self._send_signal(number)
            with anyio.move_on_after(patience):
                await self._ended.wait()

    def set_ended(self, ended: Ended, *, with_starter: int = 0) -> None:
        """Take note that the process is gone, and of its last words."""
        report = None
        if not self._closed:
            self._read_output()
            if self._partial:
                self._take_line(self._partial)
            self._read_report()
            report = self._final
        if report is None and ended.status == STATUS_NOT_BEGUN:
            # A spare process that got no second thread, and had not read its order yet: it knew of no report.
            report = AttemptReport(not_begun=shortage(RuntimeError(NO_THREAD)))
        killed = OutOfMemory(ended.peak_bytes, ended.memory_max) if ended.out_of_memory else None
        self._ending = ExitResult(ended.status, report, tuple(self._last_lines), killed, with_starter)
        self._answered.set()
        self._ended.set()

    async def take_output(self) -> None:
        """Take what the process prints until it has ended: nothing it does may block on a full pipe."""
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._take_while_open, self._output, self._read_output)
                group.start_soon(self._take_while_open, self._report, self._read_report)
                await self._ended.wait()
                group.cancel_scope.cancel()
        finally:
            self.close()

    async def _take_while_open(self, descriptor: int, read: Callable[[], bool]) -> None:
        is_open = True
        while is_open:
            await anyio.wait_readable(descriptor)
            is_open = read()

    def close(self) -> None:
        """Let go of the pipes."""
        if not self._closed:
            self._closed = True
            os.close(self._output)
            os.close(self._report)

    def close_childs_ends(self) -> None:
        for descriptor in self.childs_ends:
            os.close(descriptor)

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

    def _read_report(self) -> bool:
        """Take what has been reported, line by line; tell whether there may be more."""
        try:
            while data := os.read(self._report, _READ_BYTES):
                *lines, self._told = (self._told + data).split(b"\n")
                for line in lines:
                    self._take_report(line)
        except BlockingIOError:
            return True
        return False

    def _take_report(self, line: bytes) -> None:
        try:
            report = _decode_report(line)
        except CommitUnreadable:
            return  # the user's code wrote to our descriptor; the log knows more
        if report.log_trouble is None:
            self._final = report
        else:
            self._hear(report.log_trouble)


def _pipes() -> tuple[int, int, list[int]]:
    """Return our ends of a pipe for output and of one for the report, and the child's ends; all of them, or none."""
    output, output_for_child = os.pipe()
    try:
        report, report_for_child = os.pipe()
    except OSError:
        os.close(output)
        os.close(output_for_child)
        raise
    return output, report, [output_for_child, report_for_child]

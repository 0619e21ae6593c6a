"""Starts runs as processes on this machine, through a zygote that it keeps alive."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

import anyio
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskGroup, TaskStatus

from headwater.agents.attempt_spec import mark_in
from headwater.agents.errors import LauncherGone, LaunchFailed
from headwater.agents.launcher import LaunchSpec
from headwater.agents.launcher_protocol import Ended, Frames, Launch, Launched, NotLaunched, Ready, Signal, frame, read_answers
from headwater.agents.local import process_tree
from headwater.agents.local.environment import needs_cold_start
from headwater.agents.local.local_process import LocalProcess
from headwater.agents.shortages import shortage
from headwater.core.program import open_files

_KILLED = -int(signal.SIGKILL)
_ZYGOTE_ENDS_SECONDS = 5.0
_PAUSE_SECONDS_MAX = 30.0


class LocalLauncher:
    """Starts runs as processes of this machine. When it ends, or its process dies in any way, they end.

    `environment` is what the zygote itself runs with: runs that differ from it only in variables read at run time start warm.
    `show_line` gets each line that runs print. `open_files_max`: how many files each process may have open; as many as this one by default.
    `retry_seconds`: the first pause before a zygote is tried again; the pauses grow.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        show_line: Callable[[str], None] | None = None,
        open_files_max: int | None = None,
        retry_seconds: float = 1.0,
    ) -> None:
        self._environment = dict(environment)
        self._show_line = show_line
        self._open_files_max = open_files.limit() if open_files_max is None else open_files_max
        self._retry_seconds = retry_seconds
        self._group: TaskGroup | None = None
        self._zygote: ZygoteClient | None = None
        self._missing = ""  # why there is none
        self._changed = anyio.Event()
        self._launches = 0

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Keep a zygote alive; a new one takes the place of one that died. Where none can be made, it is tried again after a while.

        Raises:
            LauncherGone: the first one could not be made, or ended before it was ready; its error is on the standard error output.

        """
        async with anyio.create_task_group() as self._group:
            try:
                zygote = await self._new_zygote()
            except LauncherGone as gone:
                raise LauncherGone(f"No process can be started here: {gone}.") from gone
            task_status.started()
            pause = self._retry_seconds
            while True:
                began = time.monotonic()
                await zygote.ended.wait()
                if time.monotonic() - began > _PAUSE_SECONDS_MAX:
                    pause = self._retry_seconds
                while True:
                    try:
                        zygote = await self._new_zygote()
                    except LauncherGone as gone:
                        self._change(None, str(gone))
                    else:
                        break
                    await anyio.sleep(pause)
                    pause = min(_PAUSE_SECONDS_MAX, 2 * pause)

    async def _new_zygote(self) -> ZygoteClient:
        assert self._group is not None
        try:
            zygote = ZygoteClient(self._environment, self._open_files_max, on_end=self._lost)
        except OSError as error:
            raise LauncherGone(shortage(error)) from error
        await self._group.start(zygote.serve)
        self._change(zygote, "")
        return zygote

    def _lost(self) -> None:
        self._change(None, "")

    def _change(self, zygote: ZygoteClient | None, missing: str) -> None:
        self._zygote, self._missing = zygote, missing
        changed, self._changed = self._changed, anyio.Event()
        changed.set()

    async def launch(self, spec: LaunchSpec, hear: Callable[[str], None] = lambda _: None) -> LocalProcess:
        """Start the attempt's process; it is there when this returns.

        Raises:
            LaunchFailed: no process can be started now.
            LauncherGone: the zygote died just now.

        """
        while (zygote := self._zygote) is None:
            if self._missing:
                raise LaunchFailed(self._missing)
            await self._changed.wait()
        assert self._group is not None
        self._launches += 1
        request = Launch(
            launch_id=self._launches,
            environment=dict(spec.environment),
            directory=str(spec.directory),
            cold=needs_cold_start(spec.environment, self._environment),
        )
        try:
            run = await zygote.launch(request, show_line=self._show_line, hear=hear)
        except OSError as error:
            raise LaunchFailed(shortage(error)) from error
        self._group.start_soon(run.take_output)
        return run


class ZygoteClient:
    """One zygote process, from its start to its end. `on_end` is called before anybody can hear that its runs' processes ended."""

    def __init__(self, environment: Mapping[str, str], open_files_max: int, *, on_end: Callable[[], None]) -> None:
        self._environment = dict(environment)
        self._open_files_max = open_files_max
        self._on_end = on_end
        self._channel, self._theirs = socket.socketpair()
        self._channel.setblocking(False)
        self._runs: dict[int, LocalProcess] = {}
        self._sending = anyio.Lock()
        self.ended = anyio.Event()

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Start the process and take its answers until it is gone.

        Raises:
            LauncherGone: it could not be started, or ended before it was ready.

        """
        try:
            process = self._start()
        except OSError as error:
            self._channel.close()
            raise LauncherGone(shortage(error)) from error
        try:
            if not await self._take_answers(task_status):
                raise LauncherGone("the process that starts runs ended before it was ready; its error is shown above")
        finally:
            self._end(process)

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-P", "-m", "headwater.agents.local.zygote", str(self._theirs.fileno()), str(self._open_files_max)]
        with self._theirs:
            # In a session of its own: a Ctrl-C in the agent's terminal is the agent's to answer.
            return subprocess.Popen(  # noqa: S603 - our own program
                command,
                env=self._environment,
                pass_fds=[self._theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )

    async def _take_answers(self, task_status: TaskStatus[None]) -> bool:
        """Take answers until the process is gone; tell whether it ever was ready."""
        frames = Frames()
        was_ready = False
        while True:
            await anyio.wait_readable(self._channel)
            try:
                answers = read_answers(self._channel, frames)
            except BlockingIOError:
                continue
            if answers is None:
                return was_ready
            for answer in answers:
                match answer:
                    case Ready():
                        was_ready = True
                        task_status.started()
                    case Launched():
                        if (run := self._runs.get(answer.launch_id)) is not None:
                            run.set_started(answer.pid)
                    case NotLaunched():
                        if (run := self._runs.pop(answer.launch_id, None)) is not None:
                            run.set_refused(answer.reason)
                    case Ended():
                        if (run := self._runs.pop(answer.launch_id, None)) is not None:
                            run.set_ended(answer)

    async def launch(self, request: Launch, *, show_line: Callable[[str], None] | None, hear: Callable[[str], None]) -> LocalProcess:
        """Order a process; return when it is there.

        Raises:
            LaunchFailed: the zygote cannot start it.
            LauncherGone: the zygote is gone.
            OSError: there is no room for its pipes here.

        """

        async def send_signal(number: int) -> None:
            with suppress(LauncherGone):  # then the process is gone, or being killed
                await self._send(frame(Signal(request.launch_id, number)))

        run = LocalProcess(send_signal, show_line=show_line, hear=hear, mark=mark_in(request.environment))
        self._runs[request.launch_id] = run
        try:
            try:
                await self._send(frame(request), run.childs_ends)
            finally:
                run.close_childs_ends()
            await run.started()
        except (LauncherGone, LaunchFailed):
            self._runs.pop(request.launch_id, None)
            run.close()
            raise
        return run

    async def _send(self, data: bytes, descriptors: list[int] | None = None) -> None:
        with anyio.CancelScope(shield=True):  # half a message would garble all that follow
            async with self._sending:
                view = memoryview(data)
                while view:
                    try:
                        sent = socket.send_fds(self._channel, [view], descriptors) if descriptors else self._channel.send(view)
                    except BlockingIOError:
                        await anyio.wait_writable(self._channel)
                        continue
                    except OSError as error:
                        raise LauncherGone(f"The process that starts runs is gone: {error}.") from error
                    descriptors = None
                    view = view[sent:]

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """End the process and all it started; what lived until now counts as killed."""
        self._on_end()
        self._channel.close()  # it kills its groups and ends when this closes
        try:
            status = process.wait(_ZYGOTE_ENDS_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
        if status:
            self._end_families()
        for launch_id, run in self._runs.items():
            run.set_ended(Ended(launch_id, _KILLED), with_starter=status)
        self._runs.clear()
        self.ended.set()

    def _end_families(self) -> None:
        """End what runs had started, since the process was killed and could not do it."""
        for run in self._runs.values():
            if run.process_id is not None:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(run.process_id, signal.SIGKILL)
        marks = [run.mark for run in self._runs.values() if run.mark]
        killed: set[int] = set()
        while left := set(process_tree.with_environment(*marks)) - killed:
            process_tree.send(left, signal.SIGKILL)
            killed |= left

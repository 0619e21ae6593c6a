"""The zygote of an agent, as the agent sees it: it orders processes, and hears that they started and ended."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple

import anyio
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus

from headwater.agents.errors import LauncherGone
from headwater.agents.frames import Frames
from headwater.agents.launcher_protocol import Ended, Launch, Launched, NotLaunched, Ready, Signal, frame, read_answers
from headwater.agents.local import process_tree
from headwater.agents.local.child_program import ChildProgram
from headwater.agents.local.local_process import LocalProcess

_KILLED = -int(signal.SIGKILL)


class ZygoteLimits(NamedTuple):
    """How many files each run's process may have open, how many spare processes are kept, and how many runs there are at once."""

    open_files_max: int
    spares_max: int
    runs_max: int | None = None


class ZygoteClient:
    """One zygote process, from its start to its end. `on_end` is called before anybody can hear that its runs' processes ended."""

    def __init__(self, environment: Mapping[str, str], limits: ZygoteLimits, *, on_end: Callable[[], None]) -> None:
        arguments = [str(limits.open_files_max), str(limits.spares_max), str(limits.runs_max or 0)]
        self._program = ChildProgram("headwater.agents.local.zygote", arguments, environment, role="starts runs")
        self._on_end = on_end
        self._runs: dict[int, LocalProcess] = {}
        self.ended = anyio.Event()

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Start the process and take its answers until it is gone.

        Raises:
            LauncherGone: it could not be started, or ended before it was ready.

        """
        self._program.start()
        try:
            if not await self._take_answers(task_status):
                raise LauncherGone("the process that starts runs ended before it was ready; its error is shown above")
        finally:
            self._end()

    async def _take_answers(self, task_status: TaskStatus[None]) -> bool:
        """Take answers until the process is gone; tell whether it ever was ready."""
        frames = Frames()
        was_ready = False
        while True:
            await anyio.wait_readable(self._program.channel)
            try:
                answers = read_answers(self._program.channel, frames)
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
                            run.set_exited(answer)

    async def order(self, request: Launch, run: LocalProcess) -> None:
        """Order a process. Whether it starts, and that it ended, the run hears.

        Raises:
            LauncherGone: the zygote is gone.

        """
        self._runs[request.launch_id] = run
        try:
            await self._program.send(frame(request), run.childs_ends)
        except LauncherGone:
            self._runs.pop(request.launch_id, None)
            raise

    async def signal(self, launch_id: int, number: int) -> None:
        """Send a signal to the process of a launch and all it started; nothing where the zygote is gone, which ends them."""
        with suppress(LauncherGone):
            await self._program.send(frame(Signal(launch_id, number)))

    def _end(self) -> None:
        """End the process and all it started; what lived until now counts as killed."""
        self._on_end()
        status = self._program.end()  # it kills its groups and ends when its socket closes
        if status:
            self._end_families()
        for launch_id, run in self._runs.items():
            run.set_exited(Ended(launch_id, _KILLED), with_starter=status)
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

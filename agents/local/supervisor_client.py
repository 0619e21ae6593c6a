"""The supervisor of an agent's runs on this machine, as the agent sees it: a process, and what it says of each attempt."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import anyio
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus

from headwater.agents.attempt_spec import AttemptSpec
from headwater.agents.errors import LauncherGone
from headwater.agents.frames import Frames
from headwater.agents.local.child_program import ChildProgram
from headwater.agents.local.local_process import LocalProcess
from headwater.agents.supervisor_protocol import (
    Attend,
    Closed,
    Connect,
    MustEnd,
    NotAttended,
    ProcessEnded,
    Ready,
    Reported,
    Started,
    SupervisorAnswer,
    read_supervisor_answers,
    supervisor_frame,
)


class SupervisorClient:
    """One supervisor process, from its start to its end. `on_end` is called before anybody can hear that it is gone."""

    def __init__(self, environment: Mapping[str, str], connect: Connect, *, on_end: Callable[[], None]) -> None:
        self._program = ChildProgram("headwater.agents.supervisor", [], environment, role="records for runs")
        self._connect = connect
        self._on_end = on_end
        self._attended: dict[int, LocalProcess] = {}
        self.ended = anyio.Event()

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Start the process and take its answers until it is gone.

        Raises:
            LauncherGone: it could not be started, or ended before it was ready.

        """
        self._program.start()
        try:
            await self._program.send(supervisor_frame(self._connect))
            if not await self._take_answers(task_status):
                raise LauncherGone("the process that records for runs ended before it was ready; its error is shown above")
        finally:
            self._end()

    async def _take_answers(self, task_status: TaskStatus[None]) -> bool:
        """Take answers until the process is gone; tell whether it ever was ready."""
        frames = Frames()
        was_ready = False
        while True:
            await anyio.wait_readable(self._program.channel)
            try:
                answers = read_supervisor_answers(self._program.channel, frames)
            except BlockingIOError:
                continue
            if answers is None:
                return was_ready
            for answer in answers:
                if isinstance(answer, Ready):
                    was_ready = True
                    task_status.started()
                elif (process := self._attended.get(answer.launch_id)) is not None:
                    self._take(answer, process)

    def _take(self, answer: SupervisorAnswer, process: LocalProcess) -> None:
        match answer:
            case Started():
                process.set_flow_started()
            case Reported(report=report):
                process.take_report(report)
            case MustEnd(reason=reason):
                process.must_end(reason)
            case NotAttended(launch_id=launch_id, reason=reason):
                del self._attended[launch_id]
                process.set_not_attended(reason)
            case Closed(launch_id=launch_id):
                del self._attended[launch_id]
                process.set_recorded()

    async def attend(self, launch_id: int, attempt: AttemptSpec, process: LocalProcess) -> None:
        """Have it speak for an attempt, whose process has the other end of the channel.

        Raises:
            LauncherGone: it is gone.

        """
        self._attended[launch_id] = process
        try:
            await self._program.send(
                supervisor_frame(Attend(launch_id, attempt.run_id, attempt.attempt, attempt.known)), [process.supervisors_end]
            )
        except LauncherGone:
            self._attended.pop(launch_id, None)
            raise

    async def note_process_ended(self, launch_id: int) -> None:
        """Tell it that the process is gone, unless it has all of it: it says so when all that the process sent is stored.

        Raises:
            LauncherGone: it is gone.

        """
        if launch_id in self._attended:
            await self._program.send(supervisor_frame(ProcessEnded(launch_id)))

    def _end(self) -> None:
        self._on_end()
        status = self._program.end()  # it stores what it has and ends when its socket closes
        attended, self._attended = self._attended, {}
        for process in attended.values():
            process.set_supervisor_gone(status)
        self.ended.set()

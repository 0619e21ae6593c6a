"""The run's process and its supervisor: what happened and what was logged goes out, what the flow needs of the log is asked for.

All of it is done by the thread that has something to say, without an event loop and without a thread of its own. The flow's code may
close descriptors that are not its own: then nothing can be recorded any more, and the process ends; its agent sees that, and records it.
"""

from __future__ import annotations

import os
import socket
import threading
from collections import deque
from itertools import count

from headwater.agents.attempt_channel import MessageAssembler, pieces_of, receive
from headwater.agents.attempt_protocol import (
    Answered,
    Asked,
    AttemptRequest,
    Begun,
    Briefing,
    Called,
    FromProcess,
    FromSupervisor,
    Happened,
    Logged,
    Resumed,
    TimeLimited,
    TimeLimitOver,
    Withdrawn,
    decode_from_supervisor,
    encode,
)
from headwater.agents.errors import AttemptFenced
from headwater.agents.log_calls import LogCall, error_of
from headwater.core.errors import CommitUnreadable, HeadwaterError
from headwater.core.events import TaskRunEvent
from headwater.core.log.protocol import LogLine
from headwater.core.runs.task_run import TaskRunKey


class SupervisorGone(BaseException):
    """Nothing of this process reaches its supervisor any more. Not an Exception: no code of a flow's is to take it for one of its own."""

    def __init__(self) -> None:
        super().__init__(
            "The supervisor of this process cannot be reached any more, so it cannot go on: did the flow's code close files or sockets "
            "that it did not open?"
        )


class SupervisorLink:
    """The process's end of the channel to its supervisor. Used by all threads of the process that made it, and by none of its children."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._process_id = os.getpid()
        self._broken = False
        self._sending = threading.Lock()
        self._numbers = 0
        self._outgoing: deque[list[bytes]] = deque()
        self._received = threading.Condition()
        self._is_receiving = False
        self._assembler = MessageAssembler()
        self._asked = count(1)
        self._answers: dict[int, Answered] = {}
        self._resumed: deque[TaskRunKey] = deque()
        self._briefing: Briefing | None = None

    @property
    def is_gone(self) -> bool:
        """Whether nothing reaches the supervisor: the channel is closed, or this is a child that the flow's code forked."""
        return self._broken or os.getpid() != self._process_id

    def begin(self) -> Briefing:
        """Say that this process executes the attempt, and return what the log has of the run.

        Raises:
            SupervisorGone: there is no supervisor.

        """
        self._send(Begun(self._process_id))
        while self._briefing is None:
            self._take_next()
        return self._briefing

    def record(self, event: TaskRunEvent) -> None:
        """Have an event recorded, from any thread. Waits while the supervisor takes none, since very many are not stored yet."""
        self._send(Happened(event))  # type: ignore[arg-type]

    def log(self, line: LogLine) -> None:
        """Have a line stored in the run's log, from any thread."""
        self._send(Logged(line))

    def limit_time(self, limit: TimeLimited) -> None:
        """Have this process ended if the task run that begins now outlives its time."""
        self._send(limit)

    def end_limit(self) -> None:
        """Have it not ended any more: the task run is over."""
        self._send(TimeLimitOver())

    def ask(self, request: AttemptRequest) -> int:
        """Send a request, and return its number, by which its `answer` is found."""
        number = self.next_number()
        self._send(Asked(number, request))
        return number

    def next_number(self) -> int:
        """Return the number for another request or call."""
        return next(self._asked)  # one step of the interpreter: no lock is waited for

    def send_call(self, number: int, call: LogCall) -> None:
        """Send a call with this number, by which its `answer` is found."""
        self._send(Called(number, call))

    def withdraw(self, number: int) -> None:
        """Wait for the answer to a call no more; it is refused."""
        self._send(Withdrawn(number))

    def answer(self, number: int) -> bytes:
        """Return the answer to a request, as JSON, when it is there.

        Raises:
            AttemptFenced: the run is not this attempt's any more.
            HeadwaterError: it could not be done; of a call, what the log raised.
            SupervisorGone: no answer will come.

        """
        while (answered := self._answered(number)) is None:
            self._take_next()
        if answered.fenced is not None:
            raise AttemptFenced(answered.fenced.attempt, answered.fenced.state, answered.fenced.last_attempt)
        if answered.failed is not None:
            raise error_of(answered.failed)
        if answered.refusal:
            raise HeadwaterError(answered.refusal)
        return bytes(answered.value)

    def _answered(self, number: int) -> Answered | None:
        """Return the answer; None where it is not there, and no other thread is waiting for what comes next."""
        with self._received:
            while (answered := self._answers.pop(number, None)) is None and self._is_receiving:
                self._received.wait()
        return answered

    def call(self, request: AttemptRequest) -> bytes:
        """Send a request and return its answer. Raises as `answer`."""
        return self.answer(self.ask(request))

    def take_resumed(self) -> list[TaskRunKey]:
        """Return the task runs that were resumed since the last call. Waits for nothing."""
        while not self.is_gone and self._take(socket.MSG_DONTWAIT):
            pass
        taken = []
        while self._resumed:
            taken.append(self._resumed.popleft())
        return taken

    def _send(self, message: FromProcess) -> None:
        """Send a message. Whatever interrupts this, and where, the messages that follow get through, and each only once."""
        if self.is_gone:
            return
        data = encode(message)
        with self._sending:
            self._numbers += 1
            self._outgoing.append(pieces_of(self._numbers, data))
            while self._outgoing:
                try:
                    for piece in self._outgoing[0]:
                        self._channel.send(piece)
                except OSError:
                    self._broken = True
                    self._outgoing.clear()
                    return
                self._outgoing.popleft()

    def _take_next(self) -> None:
        if self.is_gone:
            raise SupervisorGone
        self._take(0)

    def _take(self, flags: int) -> bool:
        """Take the next piece, unless another thread does; tell whether there was one."""
        with self._received:
            if self._is_receiving:
                return False
            self._is_receiving = True
        try:
            piece = receive(self._channel, flags=flags)
            if piece is None:
                self._broken = True
            elif (data := self._assembler.feed(piece)) is not None:
                self._keep(data)
        except BlockingIOError:
            return False
        except OSError:
            self._broken = True
        finally:
            with self._received:
                self._is_receiving = False
                self._received.notify_all()
        return not self._broken

    def _keep(self, data: bytes) -> None:
        try:
            message: FromSupervisor = decode_from_supervisor(data)
        except CommitUnreadable:
            return  # the flow's code talks to itself on our descriptor
        match message:
            case Answered():
                self._answers[message.number] = message
            case Resumed(task_runs=task_runs):
                self._resumed.extend(task_runs)
            case Briefing():
                self._briefing = message

"""A program that works for an agent, as the agent has it: a process, and a socket to it. It ends when the socket closes."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence

import anyio

from headwater.agents.errors import LauncherGone
from headwater.agents.shortages import shortage

ENDS_SECONDS = 5.0
"""So long it may take to end when its socket closes; then it is killed."""


class ChildProgram:
    """One such program. `role` says what the process is for, as a part of a sentence: "the process that ..."."""

    def __init__(self, module: str, arguments: Sequence[str], environment: Mapping[str, str], *, role: str) -> None:
        self._command = [sys.executable, "-P", "-m", module]
        self._arguments = arguments
        self._environment = dict(environment)
        self._role = role
        self.channel, self._theirs = socket.socketpair()
        self.channel.setblocking(False)
        self._sending = anyio.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; its first argument is the descriptor of its end of the socket.

        Raises:
            LauncherGone: it could not be started.

        """
        with self._theirs:
            try:
                # In a session of its own: a Ctrl-C in the agent's terminal is the agent's to answer.
                self._process = subprocess.Popen(  # noqa: S603 - our own program
                    [*self._command, str(self._theirs.fileno()), *self._arguments],
                    env=self._environment,
                    pass_fds=[self._theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    start_new_session=True,
                )
            except OSError as error:
                self.channel.close()
                raise LauncherGone(shortage(error)) from error

    async def send(self, data: bytes, descriptors: Sequence[int] = ()) -> None:
        """Send it a message, with descriptors.

        Raises:
            LauncherGone: it is gone.

        """
        with anyio.CancelScope(shield=True):  # half a message would garble all that follow
            async with self._sending:
                view, along = memoryview(data), list(descriptors)
                while view:
                    try:
                        sent = socket.send_fds(self.channel, [view], along) if along else self.channel.send(view)
                    except BlockingIOError:
                        await anyio.wait_writable(self.channel)
                        continue
                    except OSError as error:
                        raise LauncherGone(f"The process that {self._role} is gone: {error}.") from error
                    view, along = view[sent:], []

    def end(self) -> int:
        """Close its socket and wait until it has ended; return its exit status, or the negative number of the signal that ended it."""
        self.channel.close()
        assert self._process is not None
        try:
            return self._process.wait(ENDS_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

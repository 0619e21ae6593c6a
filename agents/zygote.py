"""A warm, single-threaded process that starts the processes of runs and lets none of them outlive its agent.

It has imported all that a run needs and is connected to nothing. A run's process is forked from it in a few milliseconds, or becomes a
new interpreter where the environment demands one. Each is the leader of a session of its own.

The agent holds the other end of a socket. When it closes, however the agent ended, the zygote kills every process group it started and
ends. It never runs code of the user's, so nothing can keep it from that. When the zygote itself is killed, the kernel kills the run
processes (on Linux; elsewhere they watch their lifeline) and the agent kills what they started.
"""

from __future__ import annotations

import ctypes
import gc
import os
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from typing import NoReturn

from headwater.agents import run_process
from headwater.agents.launch_wire import (
    LIFELINE_DESCRIPTOR,
    REPORT_DESCRIPTOR,
    Ended,
    Frames,
    Launch,
    Launched,
    Ready,
    Signal,
    frame,
    read_requests,
)

_PR_SET_PDEATHSIG = 1
_STANDARD_DESCRIPTORS = (0, 1, 2)
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class Zygote:
    """The launches that live, and the socket to the agent."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._process_id = os.getpid()
        self._children: dict[int, int] = {}  # process id -> launch id
        self._frames = Frames()
        self._descriptors: list[int] = []
        self._lifeline, self._lifeline_held = os.pipe()
        self._woken, self._wake = socket.socketpair()

    def serve(self) -> NoReturn:
        """Serve the agent until it is gone, then end everything that was started, and this process."""
        self._woken.setblocking(False)
        self._wake.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        try:
            self._send(frame(Ready(os.getpid())))
            while True:
                readable, _, _ = select.select([self._channel, self._woken], [], [])
                if self._woken in readable:
                    self._drain_wakeups()
                    self._reap()
                if self._channel in readable:
                    requests = read_requests(self._channel, self._frames, self._descriptors)
                    if requests is None:
                        break
                    for request in requests:
                        self._obey(request)
        except ConnectionError:
            pass  # the agent went while it was told something
        finally:
            self._end_all()
            os._exit(0)

    def _obey(self, request: Launch | Signal) -> None:
        if isinstance(request, Signal):
            for process_id, launch_id in self._children.items():
                if launch_id == request.launch_id:
                    _signal_group(process_id, request.number)
            return
        output, report = self._descriptors.pop(0), self._descriptors.pop(0)
        process_id = os.fork()
        if not process_id:
            self._become(request, output, report)
        self._children[process_id] = request.launch_id
        os.close(output)
        os.close(report)
        self._send(frame(Launched(request.launch_id, process_id)))

    def _become(self, launch: Launch, output: int, report: int) -> NoReturn:
        """Turn this child into the run's process."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            _die_with(self._process_id)
            self._channel.close()
            self._woken.close()
            self._wake.close()
            os.close(self._lifeline_held)
            _arrange_descriptors(output, report, self._lifeline)
            os.chdir(launch.directory)
            if launch.cold:
                command = [sys.executable, "-P", "-m", "headwater.agents.run_process"]
                os.execve(sys.executable, command, launch.environment)  # noqa: S606 - no shell is the point
            take_environment(launch.environment)
            gc.enable()
            status = run_process.main()
        except BaseException:  # noqa: BLE001 - whatever it is: it must not run on as a second zygote
            sys.excepthook(*sys.exc_info())
        finally:
            run_process.leave(status)

    def _reap(self) -> None:
        """Tell the agent of each child that ended; what it left behind in its group is killed."""
        for process_id in list(self._children):
            status = _exit_status(process_id)
            if status is not None:
                launch_id = self._children.pop(process_id)
                self._send(frame(Ended(launch_id, status)))

    def _end_all(self) -> None:
        for process_id in self._children:
            _signal_group(process_id, signal.SIGKILL)

    def _drain_wakeups(self) -> None:
        with suppress(BlockingIOError):
            while self._woken.recv(4096):
                pass

    def _send(self, data: bytes) -> None:
        self._channel.sendall(data)


def _exit_status(process_id: int) -> int | None:
    """Return how the child ended, having killed the rest of its group; None while it lives."""
    if hasattr(os, "waitid"):
        if os.waitid(os.P_PID, process_id, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return None
        # Not waited for yet, the dead leader keeps its number: nobody else's group can be hit.
        _signal_group(process_id, signal.SIGKILL)
        _, status = os.waitpid(process_id, 0)
    else:
        ended, status = os.waitpid(process_id, os.WNOHANG)
        if not ended:
            return None
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process_id, signal.SIGKILL)
    return os.waitstatus_to_exitcode(status)


def _signal_group(process_id: int, number: int) -> None:
    """Signal a child that was not waited for yet, and its group."""
    try:
        os.killpg(process_id, number)
    except ProcessLookupError:
        os.kill(process_id, number)  # it has just been forked, and has no group of its own yet
    except PermissionError:
        pass  # some systems say so of a group whose members are all dead


def _die_with(parent: int) -> None:
    """Have the kernel kill this process when the zygote dies, where it can."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before the order was given
            os._exit(1)


def _arrange_descriptors(output: int, report: int, lifeline: int) -> None:
    """Put each descriptor where the run's process expects it, whatever numbers they have now."""
    above = max(output, report, lifeline, REPORT_DESCRIPTOR, LIFELINE_DESCRIPTOR) + 1
    for offset, descriptor in enumerate((output, report, lifeline)):
        os.dup2(descriptor, above + offset)
    for descriptor in (output, report, lifeline):
        if descriptor not in _STANDARD_DESCRIPTORS:
            os.close(descriptor)
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    os.dup2(above, 1)
    os.dup2(above, 2)
    os.dup2(above + 1, REPORT_DESCRIPTOR)
    os.dup2(above + 2, LIFELINE_DESCRIPTOR)
    for offset in range(3):
        os.close(above + offset)


def take_environment(environment: dict[str, str]) -> None:
    """Make this process's environment the one given. Little differs between runs, and each change costs page faults."""
    time_zone = os.environ.get("TZ")
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    os.environ.update({name: value for name, value in environment.items() if os.environ.get(name) != value})
    if os.environ.get("TZ") != time_zone:
        time.tzset()


def main() -> NoReturn:
    """Serve the agent whose socket is the descriptor named on the command line."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    run_process.warm_up()
    gc.collect()
    gc.disable()
    gc.freeze()  # what is shared stays shared: a collection in a child would write to every object
    Zygote(channel).serve()


if __name__ == "__main__":
    main()
